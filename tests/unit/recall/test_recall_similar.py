from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from support.records import NOON, RECORD

from kausa.memory.records import FailureRecord
from kausa.memory.service import FailureMemory
from kausa.memory.store import Hit, RecordFilter
from kausa.recall.similar import DEFAULT_MINIMUM_SCORE, SimilarFailures

ASKED = replace(
    RECORD, fingerprint="asked", reference="shop/asked", last_seen=NOON, occurrences=1, text=""
)


class FakeMemory:
    """Has the hits that it is given, and notes how it was asked."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self._hits = hits
        self.asked: dict[str, Any] = {}

    async def recall(self, record: FailureRecord, **asked: Any) -> list[Hit]:
        self.asked = asked
        return list(self._hits)


def hit(owner: str, *, score: float, age_days: int = 0, reference: str = "", **more: str) -> Hit:
    record = replace(
        ASKED,
        owner_name=owner,
        fingerprint=owner,
        last_seen=NOON - timedelta(days=age_days),
        reference=reference or f"shop/{owner}",
        **cast("dict[str, Any]", more),
    )
    return Hit(record=record, score=score)


def finder(*hits: Hit) -> tuple[SimilarFailures, FakeMemory]:
    memory = FakeMemory(hits)
    return SimilarFailures(memory=cast("FailureMemory", memory)), memory


async def test_one_noisy_owner_fills_one_place() -> None:
    noisy = [hit("noisy", score=0.9 - 0.01 * i, reference=f"shop/noisy-{i}") for i in range(5)]
    similar, _ = finder(*noisy, hit("quiet", score=0.6))
    found = await similar.find(ASKED, deadline_seconds=1)
    assert [one.reference for one in found] == ["shop/noisy-0", "shop/quiet"]


async def test_the_same_name_elsewhere_is_another_owner() -> None:
    similar, _ = finder(hit("web", score=0.9), hit("web", score=0.8, namespace="eu"))
    assert len(await similar.find(ASKED, deadline_seconds=1)) == 2


async def test_of_equals_the_latest_comes_first() -> None:
    similar, _ = finder(
        hit("old", score=0.804, age_days=9),
        hit("new", score=0.801, age_days=1),
        hit("best", score=0.9, age_days=99),
    )
    found = await similar.find(ASKED, deadline_seconds=1)
    assert [one.reference for one in found] == ["shop/best", "shop/new", "shop/old"]
    assert [one.score_percent for one in found] == [90, 80, 80]


async def test_no_more_than_asked_for_and_what_fixed_it_is_told() -> None:
    fixed = hit("fixed", score=0.99999, resolution="memory: 256Mi -> 512Mi", outcome="Resolved")
    similar, _ = finder(fixed, hit("b", score=0.8), hit("c", score=0.7))
    [found] = await similar.find(ASKED, limit=1, deadline_seconds=1)
    assert (found.score_percent, found.outcome) == (100, "Resolved")
    assert (found.resolution, found.when) == ("memory: 256Mi -> 512Mi", NOON)


async def test_only_the_same_namespace_is_asked_and_never_for_the_failure_itself() -> None:
    similar, memory = finder()
    assert await similar.find(ASKED, limit=10, deadline_seconds=2) == ()
    assert memory.asked["where"] == RecordFilter(
        cluster="test", namespace="shop", exclude_fingerprint="asked"
    )
    assert memory.asked["minimum_score"] == DEFAULT_MINIMUM_SCORE
    assert memory.asked["limit"] >= 10
    assert memory.asked["deadline_seconds"] == 2
