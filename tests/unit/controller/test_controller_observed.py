"""What stands around an object is remembered, as much as exists and no more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from support.objects import note
from support.pods import at, pod

from kausa.cluster.objects import Meta, OwnerReference
from kausa.controller import observed
from kausa.controller.observed import MOST_OBJECTS, Observed
from kausa.detection.surroundings import NOWHERE, ClaimState, NodeState, Note

POD = pod(uid="uid-of-checkout")
LOST = NodeState(name="node-1", uid="n", ready=False, since=None)


def state(name: str = "data", phase: str = "Pending") -> ClaimState:
    return ClaimState(name=name, uid=f"uid-of-{name}", phase=phase)


def about(uid: str) -> Note:
    return replace(note("FailedMount", "no such volume"), uid=uid)


def test_nothing_stands_around_an_object_of_which_nothing_is_known() -> None:
    assert Observed().around_pod(POD) is NOWHERE
    assert Observed().around(Meta(uid="u")) is NOWHERE


# -- notes ---------------------------------------------------------------------------------------


def test_repeats_of_an_event_are_one_note_and_news_only_where_they_say_more() -> None:
    known = Observed()
    once = note("FailedMount", "attempt 1 of pod-5d4f8 failed", count=1)
    more = note("FailedMount", "attempt 2 of pod-5d4f8 failed", count=6, last=timedelta(0))
    assert known.note(once)
    assert known.note(more)
    assert not known.note(more)
    assert not known.note(once)
    (folded,) = known.notes_of(once.uid)
    assert (folded.count, folded.message) == (6, more.message)


def test_notes_of_different_things_are_kept_apart_the_oldest_first() -> None:
    known = Observed()
    newer, older = note("B", last=timedelta(minutes=1)), note("A", last=timedelta(minutes=2))
    for each in (newer, older):
        known.note(each)
    assert [each.reason for each in known.notes_of(newer.uid)] == ["A", "B"]
    assert known.around_pod(POD).notes == known.around(Meta(uid=newer.uid)).notes == (older, newer)


def test_notes_of_an_object_that_is_gone_are_forgotten() -> None:
    known = Observed()
    known.note(about("u"))
    known.forget_notes("u")
    assert known.notes_of("u") == ()


def test_of_more_objects_than_there_is_room_for_those_are_forgotten_that_are_silent_longest() -> (
    None
):
    known = Observed()
    for number in range(MOST_OBJECTS):
        known.note(about(str(number)))
    known.note(about("0"))
    known.note(about("one more"))
    assert known.notes_of("1") == ()
    assert all(known.notes_of(uid) for uid in ("0", "2", "one more"))


# -- nodes ---------------------------------------------------------------------------------------


def test_only_nodes_that_are_not_ready_stand_around_their_pods() -> None:
    known = Observed()
    known.node(LOST)
    assert known.around_pod(POD).node == LOST
    assert known.around_pod(pod(node="node-2")).node is None
    known.node(NodeState(name="node-1", uid="n", ready=True, since=None))
    assert known.around_pod(POD) is NOWHERE
    known.node(LOST)
    known.forget_node("node-1")
    assert known.around_pod(POD) is NOWHERE


# -- claims --------------------------------------------------------------------------------------


def test_a_claim_is_news_when_it_changes() -> None:
    known = Observed()
    assert not known.claim(namespace="shop", name="data", state=None)
    assert known.claim(namespace="shop", name="data", state=state())
    assert not known.claim(namespace="shop", name="data", state=state())
    assert known.claim(namespace="shop", name="data", state=state(phase="Lost"))
    assert known.claim(namespace="shop", name="data", state=None)
    assert not known.claim(namespace="shop", name="data", state=None)


def test_only_the_claims_of_a_pods_own_namespace_stand_around_it() -> None:
    known = Observed()
    known.claim(namespace="other", name="data", state=state())
    assert known.around_pod(POD) is NOWHERE
    known.claim(namespace="shop", name="data", state=state())
    assert dict(known.around_pod(POD).unbound_claims) == {"data": state()}


def test_claims_that_change_or_go_make_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observed, "MOST_CLAIMS", 2)
    known = Observed()

    def claims() -> set[str]:
        return set(known.around_pod(POD).unbound_claims)

    for phase in ("Pending", "Lost", "Pending", "Lost"):
        known.claim(namespace="shop", name="a", state=state("a", phase))
        known.claim(namespace="elsewhere", name="a", state=None)
    known.claim(namespace="shop", name="b", state=state("b"))
    assert claims() == {"a", "b"}
    known.claim(namespace="shop", name="c", state=state("c"))
    assert claims() == {"a", "b"}
    known.claim(namespace="shop", name="b", state=state("b", "Lost"))
    assert claims() == {"a", "b"}
    known.claim(namespace="shop", name="a", state=None)
    known.claim(namespace="shop", name="c", state=state("c"))
    assert claims() == {"b", "c"}


def test_failing_pods_of_a_workload_stand_around_it() -> None:
    assert Observed().around(Meta(uid="u"), failing_pods=3).failing_pods == 3


def test_a_later_success_of_a_cron_job_stands_around_its_jobs_and_no_others() -> None:
    known = Observed()
    assert known.success("nightly", at(60))
    assert not known.success("nightly", at(60))
    mine = Meta(uid="job", owner_references=(OwnerReference(kind="CronJob", uid="nightly"),))
    assert known.around(mine).owner_succeeded_at == at(60)
    assert known.around(Meta(uid="other")) is NOWHERE
    known.forget_success("nightly")
    assert known.around(mine) is NOWHERE
