"""A stream of vectors out of an embedder that answers requests: several requests at a time.

Whatever waits is asked together, up to a bound, so that a slow source is not held up and a fast one
is not asked text by text. The bounds are small, and no text is lost: one whose vector is not out is
one that the caller still has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence

__all__ = ["stream_requests"]

Embed = Callable[[Sequence[str]], Awaitable[list[list[float]]]]
Answer = tuple[str, list[float]]


class _Ended:
    """The last thing in the queue of answers; with the error that ended it, if there was one."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


async def stream_requests(
    texts: AsyncIterable[tuple[str, str]], embed: Embed, *, together: int, in_flight: int
) -> AsyncGenerator[Answer, None]:
    """Yield the vector of every text under its id, in order of completion.

    `embed` has a deadline of its own. What it raises ends the stream, and so does what the source
    raises. Leaving the stream early cancels what is in flight.
    """
    answers: asyncio.Queue[Answer | _Ended] = asyncio.Queue(maxsize=together)

    async def work() -> None:
        try:
            await _work(texts, embed, answers, together=together, in_flight=in_flight)
        except BaseExceptionGroup as group:
            await answers.put(_Ended(group.exceptions[0]))
        else:
            await answers.put(_Ended())

    worker = asyncio.create_task(work(), name="embedding-stream")
    try:
        while not isinstance(answer := await answers.get(), _Ended):
            yield answer
        if answer.error is not None:
            raise answer.error
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def _work(
    texts: AsyncIterable[tuple[str, str]],
    embed: Embed,
    answers: asyncio.Queue[Answer | _Ended],
    *,
    together: int,
    in_flight: int,
) -> None:
    """Read, ask and answer until the source has ended and all of it is answered."""
    source: asyncio.Queue[tuple[str, str]] = asyncio.Queue(maxsize=together)

    async def ask() -> None:
        while True:
            batch = [await source.get()]
            while len(batch) < together and not source.empty():
                batch.append(source.get_nowait())
            vectors = await embed([text for _, text in batch])
            for (name, _), vector in zip(batch, vectors, strict=True):
                await answers.put((name, vector))
                source.task_done()

    async with asyncio.TaskGroup() as group:
        askers = [group.create_task(ask()) for _ in range(in_flight)]
        async for item in texts:
            await source.put(item)
        await source.join()
        for asker in askers:
            asker.cancel()
