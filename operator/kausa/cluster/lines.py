"""Lines out of chunks, without a limit on a line's length that is lower than the API server's."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from kausa.cluster.errors import UndecodableError

__all__ = ["split_lines"]

MAXIMUM_LINE_BYTES = 16 * 1024 * 1024


async def split_lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Every non-empty line of a stream of chunks; a last line without an end is dropped, because
    a watch that is cut inside of a change delivers that change again.

    Raises:
        UndecodableError: a line is longer than any object that etcd would take.
    """
    rest: list[bytes] = []
    size = 0
    async for chunk in chunks:
        head, *lines = chunk.split(b"\n")
        rest.append(head)
        size += len(head)
        if size > MAXIMUM_LINE_BYTES:
            raise UndecodableError("A line of the watch is longer than any Kubernetes object.")
        if not lines:
            continue
        first, rest, size = b"".join(rest), [lines[-1]], len(lines[-1])
        for line in (first, *lines[:-1]):
            if line.strip():
                yield line
