from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from support.recall_memory import FakeMemory, candidate
from support.records import NOON, RECORD

from kausa.memory.store import Candidate
from kausa.recall.similar import DEFAULT_MINIMUM_SCORE, SimilarFailures

NOW = NOON + timedelta(hours=1)
ASKED = replace(
    RECORD, fingerprint="asked", reference="shop/asked", last_seen=NOON, occurrences=1, text=""
)


def hit(owner: str, *, score: float | None, age_days: int = 0, **more: Any) -> Candidate:
    record = replace(
        ASKED,
        **{
            "owner_name": owner,
            "fingerprint": owner,
            "last_seen": NOON - timedelta(days=age_days),
            "reference": f"shop/{owner}",
            **more,
        },
    )
    return candidate(record, dense=score, sparse=50.0 if score is None else None)


async def found(*hits: Candidate, **asked: Any) -> list[str]:
    similar = SimilarFailures(memory=FakeMemory().knows(*hits), now=lambda: NOW)
    return [each.reference for each in await similar.find(ASKED, deadline_seconds=1, **asked)]


async def test_one_noisy_owner_fills_one_place() -> None:
    noisy = [
        hit("noisy", score=0.9 - 0.01 * i, fingerprint=f"f{i}", reference=f"shop/noisy-{i}")
        for i in range(5)
    ]
    assert await found(*noisy, hit("quiet", score=0.6)) == ["shop/noisy-0", "shop/quiet"]


async def test_failures_of_another_namespace_are_not_shown() -> None:
    assert await found(hit("web", score=0.9, namespace="eu"), hit("api", score=0.6)) == ["shop/api"]


async def test_failures_of_another_cluster_are_not_shown() -> None:
    assert await found(hit("web", score=0.9, cluster="prod")) == []


async def test_the_failure_itself_is_left_out() -> None:
    assert await found(candidate(ASKED, dense=1.0), hit("api", score=0.6)) == ["shop/api"]


async def test_another_failure_of_the_same_owner_is_shown() -> None:
    same = replace(ASKED, fingerprint="other", reference="shop/other")
    assert await found(candidate(same, dense=0.9)) == ["shop/other"]


async def test_what_is_less_alike_than_measured_is_not_shown() -> None:
    least = DEFAULT_MINIMUM_SCORE
    assert await found(hit("a", score=least), hit("b", score=least - 0.01)) == ["shop/a"]


async def test_words_in_common_alone_are_no_likeness() -> None:
    assert await found(hit("near", score=0.9), hit("words", score=None)) == ["shop/near"]


async def test_of_equals_the_latest_comes_first() -> None:
    hits = [hit("old", score=0.8, age_days=60), hit("new", score=0.8, age_days=1)]
    assert await found(*hits) == ["shop/new", "shop/old"]


async def test_what_helped_goes_before_what_is_as_alike() -> None:
    hits = [
        hit("plain", score=0.80),
        hit("helped", score=0.79, reward_sum=9.0, reward_count=9),
        hit("unlike", score=0.60, reward_sum=900.0, reward_count=900),
    ]
    assert await found(*hits) == ["shop/helped", "shop/plain", "shop/unlike"]


async def test_no_more_than_the_limit_are_shown() -> None:
    hits = [hit(f"w{i}", score=0.9 - i / 100) for i in range(6)]
    assert await found(*hits, limit=2) == ["shop/w0", "shop/w1"]


async def test_an_entry_says_how_alike_when_and_how_it_ended() -> None:
    ended = hit(
        "web", score=0.876, outcome="Resolved", resolution="raised the limit", cause="too little"
    )
    similar = SimilarFailures(memory=FakeMemory().knows(ended), now=lambda: NOW)
    [entry] = await similar.find(ASKED, deadline_seconds=1)
    assert (entry.score_percent, entry.when, entry.outcome) == (88, NOON, "Resolved")
    assert (entry.resolution, entry.cause) == ("raised the limit", "too little")


async def test_nothing_is_answered_from_a_cache() -> None:
    memory = FakeMemory().knows(hit("web", score=0.9))
    similar = SimilarFailures(memory=memory, now=lambda: NOW)
    await similar.find(ASKED, deadline_seconds=1)
    memory.knows(hit("api", score=0.95))
    assert len(await similar.find(ASKED, deadline_seconds=1)) == 2
