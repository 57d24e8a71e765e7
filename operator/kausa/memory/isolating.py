"""Many records written at once, and one by one where one of them holds up the others.

A text that no embedder takes, a point that the store refuses or a defect of ours would else bring
the same batch back for ever. Halving finds the one in a few more writes; it is left out and told.
An embedder that fails with every text is away, whatever it says: then nothing is left out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from kausa.memory.embedding.protocol import Embedder
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.records import AnyRecord

__all__ = ["is_refusal", "write_apart"]

_HARMLESS = "ready"


async def write_apart(
    records: Sequence[AnyRecord],
    *,
    write: Callable[[Sequence[AnyRecord]], Awaitable[int]],
    left_out: Callable[[AnyRecord, Exception], None],
    embedder: Embedder,
    deadline_seconds: float,
) -> int:
    """The sum of what `write` answers; `left_out` is told of each record that cannot be written.

    Raises `MemoryUnavailableError`: none of the records is to blame.
    """
    try:
        return await write(records)
    except Exception as error:
        if isinstance(error, MemoryUnavailableError) and not is_refusal(error):
            raise
        why = error
    if is_refusal(why):
        await embedder.embed([_HARMLESS], priority="bulk", deadline_seconds=deadline_seconds)
    if len(records) == 1:
        left_out(records[0], why)
        return 0
    middle = len(records) // 2
    written = 0
    for part in (records[:middle], records[middle:]):
        written += await write_apart(
            part,
            write=write,
            left_out=left_out,
            embedder=embedder,
            deadline_seconds=deadline_seconds,
        )
    return written


def is_refusal(error: Exception) -> bool:
    """Whether the embedder answered, and did not embed what it was given."""
    return isinstance(error, MemoryUnavailableError) and error.reason == "EmbedderFailed"
