from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from support.recall_memory import FakeMemory, candidate
from support.records import NOON, RECORD

from kausa.memory.records import RolloutRecord
from kausa.memory.store import Candidate
from kausa.recall.recall import Recall, RecallOptions
from kausa.recall.requests import MOST_RESULTS, RecallFilters, SearchRequest
from kausa.recall.suggest_fix import Suggestions

NOW = NOON + timedelta(hours=2)
LIMIT = "limits.memory of container api: 256Mi -> 512Mi"


def failed(name: str, *, outcome: str = "Resolved", dense: float = 0.8, **more: Any) -> Candidate:
    record = replace(
        RECORD,
        **{
            "owner_name": name,
            "fingerprint": name,
            "reference": f"shop/{name}",
            "outcome": outcome,
            "changed": (LIMIT,),
            **more,
        },
    )
    return candidate(record, dense=dense)


def rollout(revision: str, *, outcome: str = "SUCCEEDED", owner: str = "checkout") -> Candidate:
    record = RolloutRecord(
        cluster="test",
        namespace="shop",
        owner_kind="Deployment",
        owner_name=owner,
        revision=revision,
        outcome=outcome,  # type: ignore[arg-type]
        changed=("image of container api: app:1 -> app:2",),
        first_seen=NOON,
        last_seen=NOON,
    )
    return candidate(record, dense=0.1)


async def suggested(*known: Candidate, limit: int = 5) -> Suggestions:
    memory = FakeMemory().knows(*known)
    recall = Recall(memory=memory, options=RecallOptions(), now=lambda: NOW)
    return await recall.suggest_fix(RECORD, limit=limit)


async def test_a_fix_tells_how_often_it_worked_of_how_often_it_was_tried() -> None:
    found = await suggested(
        failed("a"), failed("b"), failed("c", outcome="Open"), failed("d", outcome="Open")
    )
    [fix] = found.suggestions
    assert (fix.worked, fix.tried) == (2, 4)
    assert not any("Tries" in each for each in found.notes)
    assert fix.changes == (LIMIT,)
    assert set(fix.sources) == {"shop/a", "shop/b"}
    assert fix.last.endswith("ago)")


async def test_what_ended_before_anybody_saw_how_was_no_try() -> None:
    ends = [failed(outcome, outcome=outcome) for outcome in ("Superseded", "Dismissed")]
    [fix] = (await suggested(failed("a"), *ends)).suggestions
    assert (fix.worked, fix.tried) == (1, 1)


async def test_a_count_that_a_bound_has_cut_says_so() -> None:
    found = await suggested(*(failed(f"w{i}") for i in range(MOST_RESULTS + 5)))
    [fix] = found.suggestions
    assert fix.tried == MOST_RESULTS
    assert "Tries are counted of the 100 most alike; there may be more." in found.notes


async def test_what_never_worked_is_not_suggested() -> None:
    found = await suggested(failed("a", outcome="Open"), failed("b", outcome="Dismissed"))
    assert found.suggestions == ()


async def test_a_resolved_failure_of_which_nobody_knows_what_was_changed_suggests_nothing() -> None:
    assert (await suggested(failed("a", changed=(), resolution=None))).suggestions == ()


async def test_fixes_are_one_where_the_same_was_changed_in_any_order_and_spelling() -> None:
    found = await suggested(
        failed("a", changed=("One  change", "two")), failed("b", changed=("two", "one change"))
    )
    assert [(fix.worked, fix.tried) for fix in found.suggestions] == [(2, 2)]


async def test_words_stand_for_a_change_that_nobody_recorded() -> None:
    found = await suggested(failed("a", changed=(), resolution="Raised the limit."))
    [fix] = found.suggestions
    assert fix.changes == ("Raised the limit.",)
    assert fix.resolution == "Raised the limit."


async def test_another_kind_of_failure_suggests_nothing_however_often_it_was_mended() -> None:
    unlike = [failed(f"u{i}", dense=0.45) for i in range(9)]
    assert (await suggested(*unlike)).suggestions == ()


async def test_of_as_alike_failures_the_fix_that_worked_more_often_comes_first() -> None:
    often = [failed(f"o{i}", changed=("often",), dense=0.79) for i in range(5)]
    rarely = [
        failed(f"r{i}", changed=("rarely",), outcome="Resolved" if i == 0 else "Open", dense=0.80)
        for i in range(5)
    ]
    found = await suggested(*often, *rarely)
    assert [fix.changes for fix in found.suggestions] == [("often",), ("rarely",)]
    assert [fix.tried for fix in found.suggestions] == [5, 5]


async def test_a_rollout_that_brought_this_workload_up_is_a_fix() -> None:
    found = await suggested(rollout("1"), rollout("2", outcome="FAILED"))
    [fix] = found.suggestions
    assert (fix.worked, fix.tried) == (1, 2)
    assert fix.sources == ("shop/Deployment/checkout",)


async def test_a_rollout_of_another_workload_is_not() -> None:
    assert (await suggested(rollout("1", owner="other"))).suggestions == ()


async def test_a_rollout_that_goes_on_was_not_tried_yet() -> None:
    found = await suggested(rollout("1"), rollout("2", outcome="STARTED"))
    assert [(fix.worked, fix.tried) for fix in found.suggestions] == [(1, 1)]


async def test_another_namespaces_fix_is_not_suggested() -> None:
    assert (await suggested(failed("a", namespace="pay"))).suggestions == ()


async def test_the_failure_itself_is_no_example() -> None:
    itself = candidate(replace(RECORD, outcome="Resolved", changed=(LIMIT,)), dense=1.0)
    assert (await suggested(itself)).suggestions == ()


async def test_a_question_is_answered_too() -> None:
    memory = FakeMemory().knows(failed("a"), failed("far", dense=0.05, changed=("other",)))
    recall = Recall(memory=memory, options=RecallOptions(), now=lambda: NOW)
    asked = SearchRequest(text="out of memory", filters=RecallFilters(cluster="test"))
    found = await recall.suggest_fix(asked)
    assert [fix.changes for fix in found.suggestions] == [(LIMIT,)]


async def test_no_more_than_the_limit_are_suggested() -> None:
    many = [failed(f"w{i}", changed=(f"change {i}",)) for i in range(6)]
    assert len((await suggested(*many, limit=2)).suggestions) == 2
