"""What was computed lately, by the exact text: failures repeat their messages by the thousand.

Texts are kept as hashes, so that no text of a user lies in memory longer than its request. What is
remembered is bounded in bytes, because token vectors differ in size by two orders of magnitude.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

__all__ = ["ENTRY_OVERHEAD", "Cache", "Statistics", "key_of"]

Value = TypeVar("Value")

ENTRY_OVERHEAD = 250
"""Bytes that an entry takes beside its value: the key, the dictionary's slot, the objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How a cache does."""

    hits: int
    misses: int
    entries: int
    used_bytes: int


def key_of(*texts: str) -> bytes:
    """A key that different texts do not share."""
    digest = blake2b(digest_size=16)
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.digest()


class Cache(Generic[Value]):
    """The values that were used last, up to so many bytes; 0 remembers nothing."""

    def __init__(self, *, capacity_bytes: int) -> None:
        self._capacity = capacity_bytes
        self._entries: OrderedDict[bytes, tuple[Value, int]] = OrderedDict()
        self._used = 0
        self._hits = 0
        self._misses = 0

    def get(self, key: bytes) -> Value | None:
        """The value, which is now the youngest."""
        entry = self._entries.get(key)
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: bytes, value: Value, *, size: int) -> None:
        """Remember a value of so many bytes, and forget the oldest ones for it."""
        cost = size + ENTRY_OVERHEAD
        if cost > self._capacity:
            return
        if (old := self._entries.pop(key, None)) is not None:
            self._used -= old[1]
        self._entries[key] = (value, cost)
        self._used += cost
        while self._used > self._capacity:
            _, (_, freed) = self._entries.popitem(last=False)
            self._used -= freed

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._used = 0

    @property
    def statistics(self) -> Statistics:
        """What it did until now."""
        return Statistics(
            hits=self._hits,
            misses=self._misses,
            entries=len(self._entries),
            used_bytes=self._used,
        )
