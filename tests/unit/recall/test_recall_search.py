"""One search from end to end, over a memory that gives known scores."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.recall_memory import FakeMemory, candidate
from support.records import NOON, RECORD

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import Absent, OneOf
from kausa.memory.records import FailureRecord, RolloutRecord, RunbookChunk
from kausa.recall.ranking import Ranking
from kausa.recall.recall import Recall, RecallOptions
from kausa.recall.requests import RecallFilters, SearchRequest
from kausa.recall.results import spoken_time

NOW = NOON + timedelta(hours=3)
FILTERS = RecallFilters(cluster="test")


def failure(name: str, **more: Any) -> FailureRecord:
    return replace(RECORD, owner_name=name, fingerprint=name, reference=f"shop/{name}", **more)


def runbook(name: str, position: int = 0, **more: Any) -> RunbookChunk:
    values: dict[str, Any] = {
        "cluster": "test",
        "name": name,
        "source": f"builtin:{name}",
        "title": name.title(),
        "text": f"what {name} says in {position}",
        "position": position,
        "count": 9,
        "last_seen": NOON,
    }
    return RunbookChunk(**(values | more))


def recall(memory: FakeMemory, **options: Any) -> Recall:
    return Recall(memory=memory, options=RecallOptions(**options), now=lambda: NOW)


def request(text: str = "why", **more: Any) -> SearchRequest:
    values: dict[str, Any] = {"text": text, "filters": FILTERS}
    return SearchRequest(**(values | more))


async def test_the_most_relevant_comes_first_with_its_whole_record() -> None:
    near, far = failure("near"), failure("far")
    memory = FakeMemory().knows(candidate(far, dense=0.3), candidate(near, dense=0.7, sparse=9.0))
    answer = await recall(memory).failures(request())
    assert [each.record for each in answer.results] == [near, far]
    assert answer.results[0].source == "shop/near"
    assert answer.results[0].score.sparse == 9.0
    assert answer.results[0].seen == "2026-03-01 12:05 UTC (2 hours ago)"
    assert answer.results[0].to_builtins()["record"]["owner_name"] == "near"


async def test_passages_of_one_record_are_one_result_with_the_best_of_each_score() -> None:
    memory = FakeMemory().knows(
        candidate(runbook("a"), dense=0.6, passage="first"),
        candidate(runbook("a", 1), sparse=30.0, dense=0.2, passage="second", chunk=1),
        candidate(runbook("b"), dense=0.55, passage="third"),
    )
    answer = await recall(memory).runbooks(request())
    assert [each.record.headline for each in answer.results] == ["A", "B"]
    assert (answer.results[0].score.dense, answer.results[0].score.sparse) == (0.6, 30.0)


async def test_one_owner_is_answered_once_where_that_is_asked() -> None:
    first = failure("web", container="a", last_seen=NOON)
    second = replace(first, fingerprint="other", container="b")
    memory = FakeMemory().knows(candidate(first, dense=0.9), candidate(second, dense=0.8))
    by_record = await recall(memory).failures(request())
    by_owner = await recall(memory).failures(request(one_per="owner"))
    assert len(by_record.results) == 2
    assert [each.record for each in by_owner.results] == [first]


async def test_the_second_reading_overrules_the_first_impression() -> None:
    memory = FakeMemory().knows(
        candidate(failure("one"), dense=0.60, passage="alpha"),
        candidate(failure("two"), dense=0.58, passage="beta"),
    )
    memory.reranker, memory.reread = "late", {"beta": 0.9}
    answer = await recall(memory).failures(request())
    assert [each.source for each in answer.results] == ["shop/two", "shop/one"]
    assert answer.reranked == 2
    assert answer.notes == ()


async def test_only_the_best_are_read_again() -> None:
    memory = FakeMemory().knows(
        *(candidate(failure(f"n{i}"), dense=i / 10, passage=f"p{i}") for i in range(8))
    )
    memory.reranker = "late"
    await recall(memory).failures(request(ranking=Ranking(rerank_best=3)))
    assert memory.rereads == [["p7", "p6", "p5"]]


async def test_praise_has_no_say_in_what_is_read_again() -> None:
    praised = failure("praised", reward_sum=90.0, reward_count=90)
    memory = FakeMemory().knows(
        candidate(praised, dense=0.50, passage="praised"),
        candidate(failure("plain"), dense=0.51, passage="plain"),
    )
    memory.reranker = "late"
    await recall(memory).failures(request(ranking=Ranking(rerank_best=1)))
    assert memory.rereads == [["plain"]]


async def test_words_are_what_is_read_again_with_and_text_what_is_embedded() -> None:
    memory = FakeMemory().knows(candidate(failure("one"), dense=0.6))
    await recall(memory).failures(request("a question", words="a question with OOMKilled"))
    assert memory.searches[0][1:3] == ("a question", "a question with OOMKilled")


async def test_without_a_reranker_the_answer_says_so() -> None:
    memory = FakeMemory().knows(candidate(failure("one"), dense=0.6))
    answer = await recall(memory).failures(request())
    assert len(answer.results) == 1
    assert "has no reranker" in answer.notes[0]
    silent = await recall(memory).failures(request(rerank=False))
    assert silent.notes == ()


@pytest.mark.parametrize("scores", [[], [float("nan")], [None]])
async def test_a_reranker_that_answers_nonsense_is_not_believed(
    scores: list[float | None],
) -> None:
    class Nonsense(FakeMemory):
        async def rerank(self, *_: Any, **__: Any) -> list[float | None]:
            return scores

    memory = Nonsense().knows(candidate(failure("one"), dense=0.6))
    memory.reranker = "late"
    answer = await recall(memory).failures(request())
    assert answer.results[0].score.rerank is None
    assert answer.notes


async def test_a_reranker_that_fails_does_not_fail_the_search() -> None:
    memory = FakeMemory().knows(candidate(failure("one"), dense=0.6))
    memory.reranker = "late"
    memory.rerank_error = MemoryUnavailableError("it is busy", reason="EmbedderOverloaded")
    answer = await recall(memory).failures(request())
    assert "it is busy (EmbedderOverloaded)" in answer.notes[0]
    assert len(answer.results) == 1


async def test_a_memory_that_is_away_is_an_error() -> None:
    memory = FakeMemory()
    memory.error = MemoryUnavailableError("away", reason="StoreUnavailable")
    with pytest.raises(MemoryUnavailableError, match="away"):
        await recall(memory).failures(request())


async def test_a_malformed_record_is_left_out_and_told() -> None:
    memory = FakeMemory().knows(
        candidate(failure("broken"), dense=0.9, occurrences="many"),
        candidate(failure("whole"), dense=0.6),
    )
    answer = await recall(memory).failures(request(limit=1))
    assert [each.source for each in answer.results] == ["shop/whole"]
    assert "1 records could not be read" in answer.notes[-1]


async def test_more_candidates_are_asked_for_where_more_is_answered() -> None:
    memory = FakeMemory()
    await recall(memory).failures(request(limit=5))
    await recall(memory).failures(request(limit=40))
    assert memory.limits == [50, 200]


async def test_nothing_found_is_an_empty_answer() -> None:
    assert (await recall(FakeMemory()).failures(request())).results == ()


async def test_every_filter_reaches_the_store() -> None:
    memory = FakeMemory()
    filters = RecallFilters(
        cluster="test",
        namespaces=("shop", "pay"),
        owners=("Deployment/web",),
        containers=("api",),
        nodes=("n1",),
        categories=("Probe",),
        reasons=("Unhealthy",),
        exit_code=137,
        outcomes=("Resolved",),
        labels=("app=web", "tier=front"),
        after=NOON,
        before=NOW,
        exclude_record="it",
    )
    await recall(memory).failures(request(filters=filters))
    [[where]] = [search[3] for search in memory.searches]
    fields = [condition.field for condition in where.must]
    several = ("cluster", "kind", "namespace", "owner", "container", "node", "category", "reason")
    assert sorted(fields) == sorted(
        (*several, "exit_code", "outcome", "labels", "labels", "last_seen")
    )
    assert where.must_not == (OneOf("record_id", ("it",)),)


async def test_a_name_alone_is_the_owner_of_any_kind() -> None:
    memory = FakeMemory().knows(
        candidate(failure("web"), dense=0.5), candidate(failure("other"), dense=0.9)
    )
    filters = replace(FILTERS, owners=("web",))
    answer = await recall(memory).failures(request(filters=filters))
    assert [each.source for each in answer.results] == ["shop/web"]


async def test_runbooks_of_another_namespace_are_not_answered() -> None:
    memory = FakeMemory().knows(
        candidate(runbook("mine", namespace="shop"), dense=0.5),
        candidate(runbook("theirs", namespace="pay"), dense=0.9),
        candidate(runbook("everybodys", namespace="kausa"), dense=0.4),
        candidate(runbook("builtin"), dense=0.3),
    )
    filters = replace(FILTERS, namespaces=("shop",), everywhere=("kausa",), outcomes=("Open",))
    answer = await recall(memory).runbooks(request(filters=filters))
    assert [each.record.headline for each in answer.results] == ["Mine", "Everybodys", "Builtin"]
    assert Absent("namespace") in memory.searches[0][3][1].must


async def test_another_clusters_records_are_never_answered() -> None:
    memory = FakeMemory().knows(candidate(failure("web", cluster="prod"), dense=0.9))
    assert (await recall(memory).failures(request())).results == ()
    with pytest.raises(ValueError, match="cluster"):
        RecallFilters(cluster="")


async def test_rollouts_are_found_apart_from_failures() -> None:
    rollout = RolloutRecord(
        cluster="test",
        namespace="shop",
        owner_kind="Deployment",
        owner_name="web",
        revision="7",
        outcome="SUCCEEDED",
        first_seen=NOON,
        last_seen=NOON,
    )
    memory = FakeMemory().knows(candidate(rollout, dense=0.5), candidate(failure("web"), dense=0.9))
    filters = replace(FILTERS, exit_code=1, outcomes=("Resolved", "SUCCEEDED"))
    answer = await recall(memory).rollouts(request(filters=filters))
    assert [each.record for each in answer.results] == [rollout]
    assert answer.results[0].source == "shop/Deployment/web"


async def test_a_runbook_that_is_written_for_the_failure_goes_before_a_likelier_one() -> None:
    memory = FakeMemory().knows(
        candidate(runbook("other", reasons=("ImagePullBackOff",)), dense=0.52),
        candidate(runbook("right", reasons=("OOMKilled",), categories=("OOMKilled",)), dense=0.50),
    )
    answer = await recall(memory).runbooks_for(RECORD)
    assert [each.record.headline for each in answer.results] == ["Right", "Other"]
    assert answer.results[0].score.agreement == pytest.approx(0.88)


async def test_the_same_question_within_the_time_to_live_is_answered_from_the_cache() -> None:
    memory = FakeMemory().knows(candidate(failure("one"), dense=0.6))
    memory.reranker = "late"
    clock = [0.0]
    asked = Recall(
        memory=memory,
        options=RecallOptions(cache_seconds=30),
        now=lambda: NOW,
        clock=lambda: clock[0],
    )
    first = await asked.failures(request())
    assert await asked.failures(request()) is first
    await asked.failures(request(filters=replace(FILTERS, namespaces=("shop",))))
    assert len(memory.searches) == 2
    clock[0] = 30.0
    await asked.failures(request())
    assert len(memory.searches) == 3


async def test_what_was_done_worse_than_it_could_be_is_not_kept() -> None:
    memory = FakeMemory().knows(candidate(failure("one"), dense=0.6))
    asked = recall(memory)
    await asked.failures(request())
    await asked.failures(request())
    assert len(memory.searches) == 2


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 101}, {"text": "  "}])
def test_a_request_out_of_bounds_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"limit|empty"):
        request(**wrong)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        RecallFilters(cluster="test", after=datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("ago", "spoken"),
    [
        (timedelta(seconds=3), "(just now)"),
        (timedelta(minutes=1), "(1 minute ago)"),
        (timedelta(days=2, hours=5), "(2 days ago)"),
    ],
)
def test_times_are_written_and_spoken(ago: timedelta, spoken: str) -> None:
    assert spoken_time(NOW - ago, now=NOW).endswith(spoken)
    assert spoken_time(NOW + ago, now=NOW) == f"{(NOW + ago).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
