"""Those that wait for a model, by rank and by key: each is found, and taken out, quickly."""

from __future__ import annotations

import bisect
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Order", "Waiting"]

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Generic[Key]):
    """One that waits."""

    key: Key
    since: float
    rank: tuple[float, int]
    """No two have the same; the lowest comes first."""
    attempts: int = 0


class Order(Generic[Key]):
    """In the order of their ranks."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Waiting[Key]] = {}
        self._keys: list[tuple[tuple[float, int], Key]] = []

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __iter__(self) -> Iterator[Waiting[Key]]:
        return (self._by_key[key] for _, key in self._keys)

    def get(self, key: Key) -> Waiting[Key] | None:
        """Return it, where it waits."""
        return self._by_key.get(key)

    def place(self, key: Key) -> int | None:
        """Return how many come before it; None where it does not wait."""
        waiting = self._by_key.get(key)
        return None if waiting is None else self._index(waiting)

    def put(self, waiting: Waiting[Key]) -> None:
        """Let it wait, in the place of what waited under its key."""
        self.take(waiting.key)
        self._by_key[waiting.key] = waiting
        bisect.insort(self._keys, (waiting.rank, waiting.key), key=lambda each: each[0])

    def take(self, key: Key) -> Waiting[Key] | None:
        """Let it wait no more."""
        waiting = self._by_key.get(key)
        if waiting is not None:
            del self._keys[self._index(waiting)]
            del self._by_key[key]
        return waiting

    def take_last(self) -> Waiting[Key]:
        """Take out who comes last; raises IndexError where nobody waits."""
        return self._by_key.pop(self._keys.pop()[1])

    def _index(self, waiting: Waiting[Key]) -> int:
        return bisect.bisect_left(self._keys, waiting.rank, key=lambda each: each[0])
