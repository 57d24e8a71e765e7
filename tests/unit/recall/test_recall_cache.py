from __future__ import annotations

from typing import Any

import pytest
from support.recall_memory import FakeMemory, candidate
from support.records import RECORD

from kausa.recall.cache import QueryCache
from kausa.recall.recall import Recall
from kausa.recall.requests import RecallFilters, SearchRequest


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_is_given_again_until_it_is_too_old() -> None:
    clock = Clock()
    cache: QueryCache[str] = QueryCache(most=2, seconds=30, clock=clock)
    assert cache.get("a") is None
    cache.put("a", "answer", generation=0)
    clock.now = 29.9
    assert cache.get("a") == "answer"
    clock.now = 30.0
    assert cache.get("a") is None
    assert (cache.hits, cache.misses, len(cache)) == (1, 2, 0)


def test_who_was_not_asked_for_longest_makes_room() -> None:
    cache: QueryCache[int] = QueryCache(most=2, seconds=30, clock=Clock())
    cache.put("a", 1, generation=0)
    cache.put("b", 2, generation=0)
    cache.get("a")
    cache.put("c", 3, generation=0)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


@pytest.mark.parametrize(("most", "seconds"), [(0, 30.0), (5, 0.0)])
def test_a_cache_of_nothing_keeps_nothing(most: int, seconds: float) -> None:
    cache: QueryCache[int] = QueryCache(most=most, seconds=seconds, clock=Clock())
    cache.put("a", 1, generation=0)
    assert cache.get("a") is None


def test_all_is_forgotten_at_once() -> None:
    cache: QueryCache[int] = QueryCache(most=5, seconds=30, clock=Clock())
    cache.put("a", 1, generation=cache.generation)
    cache.clear()
    assert cache.get("a") is None


def test_an_answer_that_was_on_its_way_when_all_was_forgotten_is_not_kept() -> None:
    cache: QueryCache[int] = QueryCache(most=5, seconds=30, clock=Clock())
    began = cache.generation
    cache.clear()
    cache.put("a", 1, generation=began)
    assert cache.get("a") is None
    cache.put("a", 2, generation=cache.generation)
    assert cache.get("a") == 2


async def test_a_search_in_flight_when_all_is_forgotten_is_not_answered_from_the_cache() -> None:
    memory = FakeMemory().knows(candidate(RECORD, dense=0.6))
    memory.reranker = "late"
    recall = Recall(memory=memory)
    request = SearchRequest(text="why", filters=RecallFilters(cluster="test"))
    search = memory.candidates

    async def overtaken(*args: Any, **given: Any) -> Any:
        found = await search(*args, **given)
        recall.cache.clear()
        return found

    memory.candidates = overtaken  # type: ignore[method-assign]
    old = await recall.failures(request)
    memory.candidates = search  # type: ignore[method-assign]
    new = await recall.failures(request)
    assert new is not old
    assert await recall.failures(request) is new


@pytest.mark.parametrize(("most", "seconds"), [(-1, 1.0), (1, -1.0), (1, float("nan"))])
def test_a_cache_below_nothing_is_refused(most: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="below 0"):
        QueryCache(most=most, seconds=seconds, clock=Clock())
