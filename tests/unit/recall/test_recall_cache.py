from __future__ import annotations

import pytest

from kausa.recall.cache import QueryCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_is_given_again_until_it_is_too_old() -> None:
    clock = Clock()
    cache: QueryCache[str] = QueryCache(most=2, seconds=30, clock=clock)
    assert cache.get("a") is None
    cache.put("a", "answer")
    clock.now = 29.9
    assert cache.get("a") == "answer"
    clock.now = 30.0
    assert cache.get("a") is None
    assert (cache.hits, cache.misses, len(cache)) == (1, 2, 0)


def test_who_was_not_asked_for_longest_makes_room() -> None:
    cache: QueryCache[int] = QueryCache(most=2, seconds=30, clock=Clock())
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


@pytest.mark.parametrize(("most", "seconds"), [(0, 30.0), (5, 0.0)])
def test_a_cache_of_nothing_keeps_nothing(most: int, seconds: float) -> None:
    cache: QueryCache[int] = QueryCache(most=most, seconds=seconds, clock=Clock())
    cache.put("a", 1)
    assert cache.get("a") is None


def test_all_is_forgotten_at_once() -> None:
    cache: QueryCache[int] = QueryCache(most=5, seconds=30, clock=Clock())
    cache.put("a", 1)
    cache.clear()
    assert cache.get("a") is None


@pytest.mark.parametrize(("most", "seconds"), [(-1, 1.0), (1, -1.0), (1, float("nan"))])
def test_a_cache_below_nothing_is_refused(most: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="below 0"):
        QueryCache(most=most, seconds=seconds, clock=Clock())
