"""The second reading: within its time and its share of new text, and the rest behind the answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from support.recall_memory import FakeMemory, candidate
from support.records import NOON, RECORD

from kausa.memory.errors import MemoryUnavailableError
from kausa.recall.behind import AT_ONCE, MOST_WAITING, Behind
from kausa.recall.ranking import Ranking
from kausa.recall.recall import Recall, RecallOptions
from kausa.recall.requests import RecallFilters, SearchRequest
from kausa.recall.rereading import LONGEST_REREAD, Rereader
from kausa.recall.similar import SimilarFailures


def memory_of(*passages: str) -> FakeMemory:
    """Failures that are the less alike the later they come, and an embedder that reads again."""
    memory = FakeMemory().knows(
        *(
            candidate(RECORD, dense=0.9 - place / 100, passage=passage, chunk=place)
            for place, passage in enumerate(passages)
        )
    )
    memory.reranker = "late"
    return memory


def recall(memory: FakeMemory, **options: Any) -> Recall:
    told: dict[str, Any] = {"behind_after_seconds": 0.0} | options
    return Recall(
        memory=memory, options=RecallOptions(**told), now=lambda: NOON + timedelta(hours=3)
    )


def request(text: str = "why", **more: Any) -> SearchRequest:
    return SearchRequest(text=text, filters=RecallFilters(cluster="test"), **more)


async def soon(what: Any) -> None:
    async with asyncio.timeout(5):
        while not what():
            await asyncio.sleep(0.001)


async def test_what_was_left_out_is_read_behind_the_answer_and_known_the_next_time() -> None:
    memory = memory_of("a", "b", "c")
    memory.known = set()
    asked = recall(memory)
    answer = await asked.failures(request())
    assert (answer.reranked, answer.unread, answer.notes) == (1, 2, ())
    await asked.idle()
    assert memory.rereads == [["a", "b", "c"], ["b", "c"]]
    assert memory.priorities == ["interactive", "bulk"]
    assert memory.most_new == [RecallOptions().rerank_new_tokens, None]
    again = await asked.failures(request())
    assert (again.reranked, again.unread) == (3, 0)
    assert await asked.failures(request()) is again, "only the whole answer is kept"
    await asked.close()


async def test_who_gives_it_seconds_waits_for_all_of_it() -> None:
    memory = memory_of("a", "b")
    memory.known = set()
    answer = await recall(memory, rerank_seconds=30.0).failures(request())
    assert (answer.reranked, memory.most_new) == (2, [None])


async def test_a_late_second_reading_is_not_waited_for() -> None:
    memory = memory_of("a")
    memory.rerank_seconds = 0.05
    asked = recall(memory, rerank_seconds=0.005)
    answer = await asked.failures(request())
    assert "took longer than 0.005 s" in answer.notes[0]
    assert len(answer.results) == 1
    await asked.close()


async def test_what_is_late_is_taken_back_and_read_after_all_that_somebody_waits_for() -> None:
    memory = memory_of("a")
    memory.rerank_seconds = 60.0
    asked = recall(memory, rerank_seconds=0.001)
    await asked.failures(request())
    await soon(lambda: len(memory.priorities) == 2)
    assert memory.priorities == ["interactive", "bulk"]
    assert memory.rereads[0] == memory.rereads[1]
    assert len(_readings()) == 1
    await asked.close()
    assert not _readings()


async def test_what_no_embedder_would_remember_is_not_read_behind() -> None:
    memory = memory_of("a")
    memory.remembers, memory.rerank_seconds = False, 60.0
    asked = recall(memory, rerank_seconds=0.001)
    await asked.failures(request())
    await asked.idle()
    assert memory.priorities == ["interactive"]


async def test_while_somebody_searches_nothing_is_read_behind_and_afterwards_it_is() -> None:
    memory = memory_of("a")
    memory.rerank_seconds = 60.0
    rereader = Rereader(reranker=memory, budget_seconds=0.5, behind_after_seconds=0.0)
    rereader.read_ahead(["known soon"])
    await soon(lambda: memory.rereads)
    with rereader.searching():
        await soon(lambda: not _readings())
        memory.rerank_seconds = 0.0
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(memory.rereads) == 1
    await rereader.idle()
    assert memory.rereads == [["known soon"], ["known soon"]], "what was taken back is read anew"
    await rereader.close()


async def test_it_waits_for_a_moment_in_which_nobody_searches() -> None:
    memory = memory_of("a")
    rereader = Rereader(reranker=memory, budget_seconds=0.5, behind_after_seconds=60.0)
    rereader.read_ahead(["x"])
    for _ in range(5):
        await asyncio.sleep(0)
    assert not memory.rereads
    await rereader.close()


async def test_runbooks_are_read_beforehand_as_they_will_be_read_again() -> None:
    memory = memory_of()
    asked = recall(memory)
    long = "x" * (LONGEST_REREAD + 1)
    [listener] = memory.listeners
    listener([long, *(str(number) for number in range(AT_ONCE))])
    await asked.idle()
    assert [len(each) for each in memory.rereads] == [AT_ONCE, 1]
    assert memory.rereads[0][0] == long[:LONGEST_REREAD]
    assert set(memory.priorities) == {"bulk"}
    memory.candidates_of["failures"].append(candidate(RECORD, dense=0.9, passage=long))
    await asked.failures(request())
    assert memory.rereads[-1] == [long[:LONGEST_REREAD]]


async def test_who_reads_nothing_again_is_not_told_of_runbooks() -> None:
    memory = memory_of()
    SimilarFailures(memory=memory)
    assert not memory.listeners


async def test_what_somebody_asked_for_is_read_before_runbooks_and_too_much_is_forgotten() -> None:
    order: list[str] = []

    async def read(query: str, passages: Any) -> None:
        order.append(passages[0])

    behind = Behind(read=read, after_seconds=0.0)
    behind.last(["runbook"] * AT_ONCE * (MOST_WAITING + 9))
    behind.next("why", ["asked"])
    await behind.idle()
    assert order == ["asked", *["runbook"] * (MOST_WAITING - 1)]


@pytest.mark.parametrize("error", [MemoryUnavailableError("away", reason="Closed"), OSError("bug")])
async def test_a_reading_behind_that_fails_does_not_end_the_later_ones(error: Exception) -> None:
    memory = memory_of()
    memory.rerank_error = error
    rereader = Rereader(reranker=memory, budget_seconds=0.5, behind_after_seconds=0.0)
    rereader.read_ahead(["a"])
    await rereader.idle()
    memory.rerank_error = None
    rereader.read_ahead(["b"])
    await rereader.idle()
    assert memory.rereads == [["a"], ["b"]]


async def test_a_search_that_is_cancelled_lets_readings_begin_again() -> None:
    memory = memory_of("a")
    memory.rerank_seconds = 60.0
    asked = recall(memory, rerank_seconds=2.0)
    search = asyncio.create_task(asked.failures(request(ranking=Ranking(rerank_best=1))))
    await soon(lambda: memory.rereads)
    search.cancel()
    await asyncio.wait((search,))
    memory.rerank_seconds = 0.0
    memory.listeners[0](["b"])
    await asked.idle()
    assert memory.rereads == [["a"], ["b"]]


def _readings() -> list[Any]:
    return [t for t in asyncio.all_tasks() if t.get_name() == "read-behind-the-answers"]
