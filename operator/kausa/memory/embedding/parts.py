"""Many texts are several requests, each of a size that every server takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from kausa.memory.embedding.protocol import Kind
from kausa.memory.embedding.replies import TextsRefusedError
from kausa.memory.errors import InvalidRecordError

__all__ = ["in_parts", "own_fault", "slices"]

MOST_TEXTS = 32
"""What text-embeddings-inference takes in one request, unless it was told otherwise."""
MOST_CHARACTERS = 128 * 1024
"""About 33,000 tokens, which our worker's queue takes, and less than 1 MB of JSON."""
IN_FLIGHT = 4


async def in_parts(
    texts: Sequence[str], ask: Callable[[list[str]], Coroutine[Any, Any, list[list[float]]]]
) -> list[list[float]]:
    """The vectors of all texts, asked in several requests where they are too many for one."""
    turn = asyncio.Semaphore(IN_FLIGHT)

    async def in_turn(part: list[str]) -> list[list[float]]:
        async with turn:
            return await ask(part)

    parts = list(slices(texts))
    if len(parts) == 1:
        return await ask(parts[0])
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(in_turn(part)) for part in parts]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [vector for task in tasks for vector in task.result()]


def slices(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in order, in parts that one request takes each; a part has one text at least."""
    part: list[str] = []
    characters = 0
    for text in texts:
        if part and (len(part) == MOST_TEXTS or characters + len(text) > MOST_CHARACTERS):
            yield part
            part, characters = [], 0
        part.append(text)
        characters += len(text)
    if part:
        yield part


def own_fault(
    refused: TextsRefusedError, texts: Sequence[str], *, kind: Kind, works: bool
) -> InvalidRecordError | TextsRefusedError:
    """What it means that these texts were refused.

    A single passage is at fault itself, so that whoever keeps many can leave out that one; but not
    before the embedder has answered another (`works`): it may be one that takes no text of ours. A
    question is not kept.
    """
    if len(texts) == 1 and kind == "passage" and works:
        return InvalidRecordError(f"a text of {len(texts[0])} characters: {refused}")
    return refused
