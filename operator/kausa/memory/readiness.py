"""Whether the memory's parts are there: loaded and opened at the first need, once for all who ask.

A part that is missing is not asked for again at once. While it is away each question would cost its
whole deadline, so for a pause that doubles from one second to a minute every question is answered
with the last error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from kausa.memory.embedding.protocol import Embedder
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.store import Schema, SparseVector, VectorStore

__all__ = ["Readiness", "SparseEncoder"]

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
_PROBE = "ready"


class SparseEncoder(Protocol):
    """Makes the sparse half of a point: `kausa.memory.sparse.Bm25Encoder`."""

    def encode_passage(self, text: str) -> SparseVector:
        """Of a text that is kept."""

    def encode_query(self, text: str) -> SparseVector:
        """Of a text that is looked for."""


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
        self._error: MemoryUnavailableError | None = None
        self._not_before = float("-inf")
        self._pause = FIRST_PAUSE_SECONDS
        self._closed = False

    @property
    def schema(self) -> Schema | None:
        """What was opened; None before."""
        return self._opened

    @property
    def error(self) -> MemoryUnavailableError | None:
        """Why it is not ready; None while it is, and before anybody asked."""
        return self._error

    async def ready(self, *, deadline_seconds: float, patient: bool = False) -> SparseEncoder:
        """Return once everything is there. `patient` asks again also within the pause.

        Raises `MemoryUnavailableError`.
        """
        if self._closed:
            raise MemoryUnavailableError("the memory is closed", reason="Closed")
        encoder = self._encoder
        if self._opened is not None and self._error is None and encoder is not None:
            return encoder
        async with self._lock:
            return await self._open(deadline_seconds=deadline_seconds, patient=patient)

    async def _open(self, *, deadline_seconds: float, patient: bool) -> SparseEncoder:
        if self._error is not None and not patient and self._clock() < self._not_before:
            raise MemoryUnavailableError(str(self._error), reason=self._error.reason)
        try:
            if self._encoder is None:
                # The engine's package is an extra, and heavy.
                from kausa.memory.sparse import Bm25Encoder

                self._encoder = Bm25Encoder()
            if not self._embedder.dimensions:
                await self._embedder.embed([_PROBE], deadline_seconds=deadline_seconds)
            if self._opened is None:
                schema = Schema(model=self._embedder.model, dimensions=self._embedder.dimensions)
                await self._store.open(schema, deadline_seconds=deadline_seconds)
                self._opened = schema
        except MemoryUnavailableError as error:
            self.failed(error)
            raise
        return self._encoder

    def failed(self, error: MemoryUnavailableError) -> None:
        """A call failed for want of a part; what is next asked within the pause fails as well."""
        if self._error is None:
            self._pause = FIRST_PAUSE_SECONDS
        elif self._clock() >= self._not_before:
            self._pause = min(LONGEST_PAUSE_SECONDS, 2 * self._pause)
        self._error = error
        self._not_before = self._clock() + self._pause

    def worked(self) -> None:
        """A call came through."""
        self._error = None

    def close(self) -> None:
        """Nothing is opened from now on."""
        self._closed = True
