"""Which generation of a resource each turn of the model is about, so that an old one is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kausa.controller.sightings import ResourceKey

__all__ = ["TurnsTaken"]


class TurnsTaken:
    """Bounded by the turns that are under way."""

    def __init__(self) -> None:
        self._turns: dict[ResourceKey, list[int]] = {}

    @contextmanager
    def about(self, key: ResourceKey, *, generation: int) -> Iterator[None]:
        """A turn is under way; each takes back its own note alone, however many there are."""
        turns = self._turns.setdefault(key, [])
        turns.append(generation)
        try:
            yield
        finally:
            turns.remove(generation)
            if not turns and self._turns.get(key) is turns:
                del self._turns[key]

    def is_outdated(self, key: ResourceKey, *, generation: int | None) -> bool:
        """Whether a turn is under way about another generation than this."""
        return any(each != generation for each in self._turns.get(key, ()))
