from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kausa_embedder.caching import ENTRY_OVERHEAD, Cache, key_of


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 400)), max_size=60))
def test_it_never_holds_more_than_it_may(puts: list[tuple[int, int]]) -> None:
    cache: Cache[int] = Cache(capacity_bytes=2000)
    sizes: dict[int, int] = {}
    for key, size in puts:
        cache.put(bytes([key]), key, size=size)
        sizes[key] = size
        kept = [key for key in sizes if cache.get(bytes([key])) is not None]
        assert cache.statistics.used_bytes <= 2000
        assert cache.statistics.used_bytes == sum(sizes[key] + ENTRY_OVERHEAD for key in kept)
        assert cache.get(bytes([key])) == key


def test_what_was_used_last_stays() -> None:
    cache: Cache[str] = Cache(capacity_bytes=2 * (100 + ENTRY_OVERHEAD))
    for name in ("a", "b"):
        cache.put(key_of(name), name, size=100)
    assert cache.get(key_of("a")) == "a"
    cache.put(key_of("c"), "c", size=100)
    assert [cache.get(key_of(name)) for name in "abc"] == ["a", None, "c"]


def test_no_room_remembers_nothing() -> None:
    cache: Cache[str] = Cache(capacity_bytes=0)
    cache.put(key_of("a"), "a", size=1)
    assert cache.get(key_of("a")) is None


@given(st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_different_texts_have_different_keys(one: list[str], other: list[str]) -> None:
    assert (key_of(*one) == key_of(*other)) == (one == other)
