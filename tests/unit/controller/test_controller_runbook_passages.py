"""Shown of runbooks is what is relevant, what its author means, and nothing that is no runbook."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from support.records import RECORD

from kausa.controller.runbook_passages import failing_of, runbook_passages
from kausa.memory.records import RunbookChunk
from kausa.recall.ranking import ScoreParts
from kausa.recall.results import Scored
from kausa.recall.runbook_match import Failing
from kausa.resources import limits

FAILING = Failing(
    reasons=("OOMKilled",), categories=("OOMKilled",), message="it ran out", labels=("app=api",)
)
PARTS = ScoreParts(
    dense=None,
    sparse=None,
    rerank=None,
    agreement=None,
    relevance=0.8,
    reward=0.5,
    age=1.0,
    rewarded=True,
    relevance_weight=0.6,
    reward_weight=0.4,
    total=0.68,
)


def found(*, relevance: float = 0.8, **changes: Any) -> Scored:
    chunk = RunbookChunk(
        cluster="c1",
        namespace="shop",
        name="memory",
        source="shop/memory",
        title="Memory",
        headings=("Memory", "Do"),
        text="Raise the limit.",
        position=0,
        count=1,
        last_seen=datetime(2026, 1, 1, tzinfo=UTC),
    )
    chunk = replace(chunk, **changes)
    return Scored(
        record=chunk,
        record_id=chunk.record_id,
        passage="",
        score=replace(PARTS, relevance=relevance),
        seen="",
    )


def sources(*results: Scored) -> list[str]:
    return [each.source for each in runbook_passages(results, failing=FAILING)]


def test_a_passage_says_where_it_stands_and_how_well_it_fits() -> None:
    (passage,) = runbook_passages([found()], failing=FAILING)
    assert passage.title == "Memory"
    assert passage.passage == "Do: Raise the limit."
    assert (passage.source, passage.score) == ("shop/memory", 80)


def test_what_fits_badly_is_not_shown() -> None:
    assert sources(found(relevance=0.2)) == []


def test_a_runbook_whose_author_excludes_the_failure_is_passed_over() -> None:
    excluded = [
        found(source="shop/a", labels=("app=other",)),
        found(source="shop/b", reasons=("Evicted",)),
        found(source="shop/c", message_pattern="disk full"),
    ]
    assert sources(*excluded, found(source="shop/d", message_pattern="ran out")) == ["shop/d"]


def test_of_what_comes_with_kausa_only_the_best_and_its_neighbours_are_shown() -> None:
    def ours(name: str, relevance: float) -> Scored:
        return found(namespace=None, source=f"builtin:{name}", relevance=relevance)

    assert sources(ours("a", 0.8), ours("b", 0.69), ours("c", 0.67)) == ["builtin:a", "builtin:b"]
    assert sources(ours("a", 0.49)) == []
    assert sources(ours("a", 0.8), found(relevance=0.4)) == ["builtin:a", "shop/memory"]


def test_what_comes_with_kausa_is_shown_by_relevance_alone() -> None:
    assert sources(found(namespace=None, source="builtin:x", reasons=("Evicted",))) == ["builtin:x"]


def test_logs_and_manifests_that_were_ingested_are_no_runbooks() -> None:
    ours = [
        found(namespace=None, source="file:notes/api.log"),
        found(namespace=None, source="file:notes/api.yaml#manifests/shop"),
        found(namespace=None, source="file:notes/Memory.MD"),
    ]
    assert sources(*ours) == ["file:notes/Memory.MD"]


def test_no_more_than_three_are_shown_and_long_ones_are_cut() -> None:
    many = [found(source=f"shop/{number}", text="word " * 2000) for number in range(5)]
    passages = runbook_passages(many, failing=FAILING)
    assert [each.source for each in passages] == ["shop/0", "shop/1", "shop/2"]
    assert len(passages[0].passage) <= limits.PASSAGE


def test_what_is_known_of_a_failure_is_what_its_record_says() -> None:
    record = replace(RECORD, labels=("app=api",), cause="its cause", text="its text")
    failing = failing_of(record)
    assert failing.reasons == (record.reason,)
    assert failing.labels == ("app=api",)
    assert failing.message == "its cause\nits text"
