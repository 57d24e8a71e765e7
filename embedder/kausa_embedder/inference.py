"""The asynchronous face of a model: one thread that loads it and runs it, one call at a time.

The thread is the lock: the session is created, used and dropped on it alone. A caller that
stops waiting takes its text out of the queue if it has not begun, and costs at most one batch if
it has; a load that outlasts its caller is kept for the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kausa_embedder.errors import EmbedderError
from kausa_embedder.models import ModelSpec
from kausa_embedder.session import Session, load

__all__ = ["Inference"]


class Inference:
    """Embeds texts with the model of one folder. Nothing is loaded before the first call."""

    def __init__(
        self,
        *,
        spec: ModelSpec,
        folder: Path,
        threads: int | None = None,
        load: Callable[..., Session] = load,
    ) -> None:
        self.spec = spec
        self._folder = folder
        self._threads = threads
        self._load = load
        self._session: Session | None = None
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")
        self._closed = False

    @property
    def dimensions(self) -> int:
        """The length of a vector; 0 as long as no model is loaded."""
        return self._session.dimensions if self._session else 0

    async def start(self) -> int:
        """Load the model now, rather than at the first text, and return its dimensions."""
        await self.embed([])
        return self.dimensions

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Turn each text into one unit vector, in order; the event loop stays free."""
        if self._closed:
            raise EmbedderError("the embedder is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._on_the_thread, list(texts))

    async def close(self) -> None:
        """Drop what is queued, let what runs finish (one call at most), end the thread."""
        self._closed = True
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)
        self._session = None

    def _on_the_thread(self, texts: list[str]) -> list[list[float]]:
        if self._session is None:
            self._session = self._load(spec=self.spec, folder=self._folder, threads=self._threads)
        return self._session.embed(texts)
