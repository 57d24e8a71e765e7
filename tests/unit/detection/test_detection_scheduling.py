"""Pods without a node: which wait for long, for what, and which only for a moment."""

from __future__ import annotations

from typing import Any

import pytest
from support.pods import at, condition, note, pod

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.scheduling import parse_verdict
from kausa.detection.surroundings import ClaimState, Note, Surroundings
from kausa.detection.symptom import Upstream
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

AFTER = (
    " no new claims to deallocate, preemption: 0/1 nodes are available: "
    "1 Preemption is not helpful for scheduling."
)
CPU = f"0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.{AFTER}"
UNBOUND = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
MISSING = '0/1 nodes are available: persistentvolumeclaim "no-such-claim" not found. not found'
VOLUMES = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}


def verdict(
    pod: Pod, *notes: Note, seconds: float = 10, claims: dict[str, ClaimState] | None = None
) -> Verdict:
    return detect_pod(
        pod, around=Surroundings(notes=notes, unbound_claims=claims or {}), now=at(seconds)
    )


def unplaced(
    message: str = CPU,
    *,
    reason: str = "Unschedulable",
    spec: dict[str, Any] | None = None,
    **more: Any,
) -> Pod:
    return pod(
        phase="Pending",
        node="",
        conditions=(condition("PodScheduled", "False", reason, message),),
        spec=spec,
        **more,
    )


@pytest.mark.parametrize(
    ("message", "clauses"),
    [
        (CPU, ((1, "Insufficient cpu"), (1, "Insufficient memory"))),
        (
            "0/5 nodes are available: 2 node(s) had untolerated taint {a: b}, 3 Too many pods. "
            "preemption: 0/5 nodes are available: 5 No preemption victims found.",
            ((2, "node(s) had untolerated taint {a: b}"), (3, "Too many pods")),
        ),
        (UNBOUND, ((1, "pod has unbound immediate PersistentVolumeClaims"),)),
        (MISSING, ((1, 'persistentvolumeclaim "no-such-claim" not found'),)),
    ],
)
def test_the_schedulers_message_is_taken_apart(
    message: str, clauses: tuple[tuple[int, str], ...]
) -> None:
    parsed = parse_verdict(message)
    assert parsed is not None
    assert parsed.clauses == clauses


@pytest.mark.parametrize("message", ["", "skip", "0/x nodes are available: 1 y", "9" * 5000])
def test_a_message_of_another_shape_is_not_parsed(message: str) -> None:
    assert parse_verdict(message) is None


def test_a_pod_that_no_node_takes_is_a_failure_after_a_few_seconds() -> None:
    early = verdict(unplaced(), seconds=2)
    assert (early.symptoms, early.look_again_at) == ((), at(5))
    (symptom,) = verdict(
        unplaced(), note("FailedScheduling", CPU, count=4, last=8), seconds=10
    ).symptoms
    assert (symptom.category, symptom.reason) == (Category.SCHEDULING, "FailedScheduling")
    assert (symptom.occurrences, symptom.since, symptom.last_seen) == (4, at(0), at(8))
    assert symptom.caused_by is None


def test_a_pod_for_which_others_are_made_to_leave_waits_longer() -> None:
    chosen = unplaced(status={"nominatedNodeName": "node-1"})
    assert verdict(chosen, seconds=30).look_again_at == at(60)
    assert verdict(chosen, seconds=60).symptoms


def test_a_scheduler_that_fails_itself_is_seen() -> None:
    (symptom,) = verdict(unplaced("plugin failed", reason="SchedulerError")).symptoms
    assert symptom.category is Category.SCHEDULING


def test_a_pod_waits_for_its_claim_and_points_to_it() -> None:
    claims = {
        "data": ClaimState(name="data", uid="c-1", phase="Pending", reason="ProvisioningFailed"),
        "another": ClaimState(name="another", uid="c-2", phase="Pending"),
    }
    (symptom,) = verdict(unplaced(UNBOUND, spec=VOLUMES), claims=claims).symptoms
    assert (symptom.category, symptom.reason) == (Category.VOLUME, "FailedScheduling")
    assert symptom.caused_by == Upstream(
        api_version="v1",
        kind="PersistentVolumeClaim",
        name="data",
        uid="c-1",
        namespace="shop",
        reason="ProvisioningFailed",
    )


def test_the_claim_of_an_ephemeral_volume_is_known_by_its_name() -> None:
    name = "checkout-5d4f8-abcde-scratch"
    claims = {name: ClaimState(name=name, uid="c-1", phase="Pending")}
    waits = unplaced(UNBOUND, spec={"volumes": [{"name": "scratch", "ephemeral": {}}]})
    (symptom,) = verdict(waits, claims=claims).symptoms
    assert symptom.caused_by is not None
    assert (symptom.caused_by.name, symptom.caused_by.reason) == (name, "Pending")


def test_a_claim_that_does_not_exist_is_named_and_nothing_is_pointed_to() -> None:
    claims = {"data": ClaimState(name="data", uid="c-1", phase="Pending")}
    (symptom,) = verdict(unplaced(MISSING, spec=VOLUMES), claims=claims).symptoms
    assert (symptom.category, symptom.detail) == (Category.VOLUME, "no-such-claim")
    assert symptom.caused_by is None


def test_claims_of_each_pod_are_one_failure_of_their_owner() -> None:
    one, other = (
        verdict(
            unplaced(UNBOUND, name=name, spec=VOLUMES),
            claims={"data": ClaimState(name="data", uid=name, phase="Pending")},
        ).symptoms[0]
        for name in ("db-0", "db-1")
    )
    assert (one.reason_class, one.detail) == (other.reason_class, other.detail)


@pytest.mark.parametrize(
    ("message", "category"),
    [
        ("0/2 nodes are available: 2 node(s) had volume node affinity conflict.", "Volume"),
        (
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't find available "
            "persistent volumes to bind.",
            "Scheduling",
        ),
    ],
)
def test_only_where_volumes_alone_keep_it_from_every_node_it_is_their_failure(
    message: str, category: str
) -> None:
    assert [each.category for each in verdict(unplaced(message)).symptoms] == [category]


def test_gates_are_meant_to_wait_and_last_too_long_after_ten_minutes() -> None:
    gated = unplaced(
        "Scheduling is blocked due to non-empty scheduling gates",
        reason="SchedulingGated",
        spec={"schedulingGates": [{"name": "example.com/quota"}]},
    )
    assert verdict(gated, seconds=500).look_again_at == at(600)
    (symptom,) = verdict(gated, seconds=600).symptoms
    assert (symptom.category, symptom.reason) == (Category.SCHEDULING, "SchedulingGated")
    assert symptom.detail == "example.com/quota"


def test_a_pod_that_no_scheduler_looks_at_is_a_failure_after_minutes() -> None:
    unseen = pod(phase="Pending", node="")
    assert verdict(unseen, seconds=60).look_again_at == at(120)
    (symptom,) = verdict(unseen, seconds=120).symptoms
    assert (symptom.category, symptom.reason_class) == (Category.SCHEDULING, "NotScheduled")


def test_a_pod_that_has_its_node_by_now_is_healthy_whatever_was_said_before() -> None:
    placed = pod(phase="Pending", conditions=(condition("PodScheduled", "True"),))
    verdict_now = verdict(placed, note("FailedScheduling", CPU, count=30), seconds=20)
    assert verdict_now.symptoms == ()


@pytest.mark.parametrize("reason", ["Undetermined", "NotEnoughResources", ""])
def test_another_schedulers_own_word_is_a_failure_where_it_lasts_for_minutes(reason: str) -> None:
    waits = unplaced("1/3 tasks in gang unschedulable: pod group is not ready", reason=reason)
    assert verdict(waits, seconds=119) == Verdict(look_again_at=at(120))
    (symptom,) = verdict(waits, seconds=120).symptoms
    assert (symptom.category, symptom.reason_class) == (Category.SCHEDULING, "Unschedulable")
    assert symptom.message.startswith("1/3 tasks")


def test_a_pod_that_is_placed_under_another_schedulers_word_is_healthy() -> None:
    placed = pod(
        phase="Pending", node="", conditions=(condition("PodScheduled", "True", "Undetermined"),)
    )
    assert verdict(placed, seconds=900) == HEALTHY


def test_of_two_conditions_of_one_type_the_first_one_counts() -> None:
    placed, refused = (
        condition("PodScheduled", "True"),
        condition("PodScheduled", "False", "Unschedulable", CPU),
    )
    for first, second, symptoms in ((placed, refused, 0), (refused, placed, 1)):
        odd = pod(phase="Pending", node="", conditions=(first, second))
        assert len(verdict(odd).symptoms) == symptoms
