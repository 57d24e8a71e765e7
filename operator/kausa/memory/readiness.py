"""Whether the memory's parts are there: loaded and opened at the first need, once for all who ask.

A part that is missing is not asked for again at once. While it is away each question would cost its
whole deadline, so for a pause that doubles from one second to a minute every question that needs it
is answered with the last error. Embedder and store are kept apart: who needs no vector is not
refused for want of an embedder, and what the store answers says nothing of the embedder.

Only what says that a part is gone counts as that. Who is overloaded or full answers others, and one
missed deadline may be the caller's own; several in a row are not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol, TypeAlias

from kausa.memory.embedding.protocol import Embedder
from kausa.memory.errors import MemoryUnavailableError, UnavailableReason
from kausa.memory.store import Schema, SparseVector, VectorStore

__all__ = ["Part", "Readiness", "SparseEncoder"]

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
DEADLINES = 3
"""Missed in a row by calls of one kind, until a part counts as gone."""
_PROBE = "ready"
_GONE: Final[frozenset[UnavailableReason]] = frozenset(
    {
        *("EmbedderMissing", "EmbedderUnavailable"),
        *("StoreCorrupt", "StoreLocked", "StoreUnauthorized", "StoreUnavailable"),
        *("DimensionMismatch", "ModelMismatch", "SchemaMismatch"),
    }
)
Part: TypeAlias = Literal["embedder", "store"]


class SparseEncoder(Protocol):
    """Makes the sparse half of a point: `kausa.memory.sparse.Bm25Encoder`."""

    def encode_passage(self, text: str) -> SparseVector:
        """Of a text that is kept."""

    def encode_query(self, text: str) -> SparseVector:
        """Of a text that is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Away:
    """A part that is gone: why, and until when it is not asked for."""

    error: MemoryUnavailableError
    pause: float
    not_before: float


class Readiness:
    """Opens the store with what the embedder says it is."""

    def __init__(
        self,
        *,
        embedder: Embedder,
        store: VectorStore,
        encoder: SparseEncoder | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._embedder = embedder
        self._store = store
        self._encoder = encoder
        self._clock = clock
        self._lock = asyncio.Lock()
        self._opened: Schema | None = None
        self._away: dict[Part, _Away] = {}
        self._missed: dict[Part, int] = {"embedder": 0, "store": 0}
        self._closed = False

    @property
    def schema(self) -> Schema | None:
        """What was opened; None before."""
        return self._opened

    @property
    def error(self) -> MemoryUnavailableError | None:
        """Why it is not ready; None while it is, and before anybody asked."""
        return next((each.error for each in self._away.values()), None)

    async def ready(
        self, *, deadline_seconds: float, patient: bool = False, embeds: bool = True
    ) -> SparseEncoder:
        """Return once everything is there. `patient` asks again also within the pause; who does
        not embed is not refused for want of an embedder, once the store is open.

        Raises `MemoryUnavailableError`.
        """
        if self._closed:
            raise MemoryUnavailableError("the memory is closed", reason="Closed")
        encoder = self._encoder
        if self._opened is not None and encoder is not None and not self._refusals(embeds=embeds):
            return encoder
        async with self._lock:
            return await self._open(
                deadline_seconds=deadline_seconds, patient=patient, embeds=embeds
            )

    async def _open(self, *, deadline_seconds: float, patient: bool, embeds: bool) -> SparseEncoder:
        for away in self._refusals(embeds=embeds):
            if not patient and self._clock() < away.not_before:
                raise MemoryUnavailableError(str(away.error), reason=away.error.reason)
        asked: Part = "embedder"
        try:
            if self._encoder is None:
                # The engine's package is an extra, and heavy.
                from kausa.memory.sparse import Bm25Encoder

                self._encoder = Bm25Encoder()
            if not self._embedder.dimensions:
                await self._embedder.embed([_PROBE], deadline_seconds=deadline_seconds)
                self.worked("embedder")
            if self._opened is None:
                asked = "store"
                schema = Schema(model=self._embedder.model, dimensions=self._embedder.dimensions)
                await self._store.open(schema, deadline_seconds=deadline_seconds)
                self._opened = schema
        except MemoryUnavailableError as error:
            # Also what is no sign of absence elsewhere: every question would open it again.
            if error.reason != "DeadlineExceeded":
                self._is_away(asked, error)
            raise
        return self._encoder

    def _refusals(self, *, embeds: bool) -> list[_Away]:
        """What stands against a call."""
        needed = embeds or self._opened is None
        return [each for part, each in self._away.items() if needed or part == "store"]

    def failed(self, error: MemoryUnavailableError, *, embeds: bool = True) -> None:
        """A call failed. Where a part is gone, what needs it fails as well within the pause."""
        part: Part = "embedder" if embeds else "store"
        if error.reason == "DeadlineExceeded":
            self._missed[part] += 1
            if self._missed[part] < DEADLINES:
                return
        elif error.reason not in _GONE:
            return
        elif any(each.error.reason == error.reason for each in self._away.values()):
            # Told already by who knows which part it is, or the refusal of a call within the pause.
            part = next(
                part for part, each in self._away.items() if each.error.reason == error.reason
            )
        elif error.reason.startswith("Store"):
            part = "store"
        elif error.reason.startswith("Embedder"):
            part = "embedder"
        self._is_away(part, error)

    def _is_away(self, part: Part, error: MemoryUnavailableError) -> None:
        known, now = self._away.get(part), self._clock()
        if known is not None and now < known.not_before:
            # Within the pause: who is refused, or asks for all that, does not make it longer.
            self._away[part] = replace(known, error=error)
            return
        pause = FIRST_PAUSE_SECONDS
        if known is not None:
            pause = min(LONGEST_PAUSE_SECONDS, 2 * known.pause)
        self._away[part] = _Away(error=error, pause=pause, not_before=now + pause)

    def worked(self, part: Part) -> None:
        """A part did what it was asked for."""
        self._away.pop(part, None)

    def came_through(self, *, embeds: bool = True) -> None:
        """A call came to its end, which no call does without the store."""
        self.worked("store")
        self._missed["store"] = 0
        if embeds:
            self._missed["embedder"] = 0

    def close(self) -> None:
        """Nothing is opened from now on."""
        self._closed = True
