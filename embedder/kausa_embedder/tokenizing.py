"""Texts become tokens on a thread of their own, as soon as they arrive.

What arrives while the thread is busy goes through it together the next time, so that many small
requests cost few hops. A round is bounded in characters and takes interactive texts first: one
with 256 long texts must not hold up a short question. A short question alone is tokenised where it
stands: that takes less of the event loop's time than going to a thread and coming back.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from kausa_embedder.backends.base import Encoded
from kausa_embedder.errors import BrokenError
from kausa_embedder.queueing import Priority

__all__ = ["ROUND_CHARACTERS", "Tokenizing"]

ROUND_CHARACTERS = 65_536
"""Of one round; some 20 ms of work."""
INLINE_CHARACTERS = 400
"""Up to here the event loop does it itself, in less than 0.1 ms."""


Encode = Callable[[Sequence[str]], list[Encoded]]


@dataclass(slots=True, eq=False, kw_only=True)
class _Job:
    texts: Sequence[str]
    encode: Encode
    beside: int
    """Characters that are read again with each text."""
    answer: asyncio.Future[list[Encoded]]
    done: list[Encoded] = field(default_factory=list)


class Tokenizing:
    """A queue before the tokenizer. Used on the event loop only."""

    def __init__(
        self,
        *,
        encode: Callable[..., list[Encoded]],
        executor: ThreadPoolExecutor,
        on_error: Callable[[BaseException], None],
        on_round: Callable[[float, int], None],
    ) -> None:
        self._plain: Encode = partial(encode, words=False)
        self._worded: Encode = partial(encode, words=True)
        self._executor = executor
        self._on_error = on_error
        self._on_round = on_round
        self._lines: dict[Priority, deque[_Job]] = {"interactive": deque(), "bulk": deque()}
        self._busy = False

    async def encode(
        self, texts: Sequence[str], *, words: bool, priority: Priority
    ) -> list[Encoded]:
        """Tokenise; a caller that is cancelled costs at most the round that has begun."""
        encode = self._worded if words else self._plain
        return await self._through(texts, encode=encode, beside=0, priority=priority)

    async def encode_pairs(
        self,
        query: str,
        documents: Sequence[str],
        *,
        encode: Callable[[str, Sequence[str]], list[Encoded]],
        priority: Priority,
    ) -> list[Encoded]:
        """The query with each document, for a cross-encoder, whose tokenizer is given; in rounds,
        as all else.
        """
        return await self._through(
            documents, encode=partial(encode, query), beside=len(query), priority=priority
        )

    async def _through(
        self, texts: Sequence[str], *, encode: Encode, beside: int, priority: Priority
    ) -> list[Encoded]:
        if not texts:
            return []
        if not self._busy and sum(map(len, texts)) + beside * len(texts) <= INLINE_CHARACTERS:
            return self._encode_here(texts, encode=encode)
        answer: asyncio.Future[list[Encoded]] = asyncio.get_running_loop().create_future()
        self._lines[priority].append(_Job(texts=texts, encode=encode, beside=beside, answer=answer))
        self._pump()
        return await answer

    def _encode_here(self, texts: Sequence[str], *, encode: Encode) -> list[Encoded]:
        began = time.perf_counter()
        try:
            encoded = encode(texts)
        except Exception as error:
            self._on_error(error)
            raise BrokenError(f"the tokenizer died ({error!r})") from error
        self._on_round(time.perf_counter() - began, len(encoded))
        return encoded

    def fail(self, error: BaseException) -> None:
        """Answer everything that waits with this error."""
        for line in self._lines.values():
            for job in line:
                if not job.answer.done():
                    job.answer.set_exception(error)
            line.clear()

    def _pump(self) -> None:
        if self._busy:
            return
        jobs, texts = self._next_round()
        if not jobs:
            return
        encode = jobs[0][0].encode
        self._busy = True
        began = time.perf_counter()
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._executor, encode, texts)
        working.add_done_callback(lambda done: self._finish(done, jobs, began))

    def _next_round(self) -> tuple[list[tuple[_Job, int]], list[str]]:
        """Jobs of one kind with how many of their texts are taken, and those texts."""
        jobs: list[tuple[_Job, int]] = []
        texts: list[str] = []
        room = ROUND_CHARACTERS
        for line in self._lines.values():
            while line and room > 0:
                job = line[0]
                if job.answer.done():
                    line.popleft()
                    continue
                if jobs and job.encode is not jobs[0][0].encode:
                    return jobs, texts
                taken = 0
                rest = job.texts[len(job.done) :]
                while taken < len(rest) and room > 0:
                    room -= len(rest[taken]) + job.beside + 1
                    taken += 1
                texts += rest[:taken]
                jobs.append((job, taken))
                if taken < len(rest):
                    return jobs, texts
                line.popleft()
        return jobs, texts

    def _finish(
        self,
        working: asyncio.Future[list[Encoded]],
        jobs: list[tuple[_Job, int]],
        began: float,
    ) -> None:
        self._busy = False
        if working.cancelled():
            return
        if (error := working.exception()) is not None:
            broken = BrokenError(f"the tokenizer died ({error!r})")
            broken.__cause__ = error
            for job, _ in jobs:
                if not job.answer.done():
                    job.answer.set_exception(broken)
            self._on_error(error)
            return
        encoded = working.result()
        self._on_round(time.perf_counter() - began, len(encoded))
        place = 0
        for job, taken in jobs:
            job.done += encoded[place : place + taken]
            place += taken
            if len(job.done) == len(job.texts) and not job.answer.done():
                job.answer.set_result(job.done)
        self._pump()
