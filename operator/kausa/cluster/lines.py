"""Lines out of pieces, without a limit on a line's length that is lower than the API server's.

Nearly always a piece is one line: the API server sends each change as an HTTP chunk of its own. It
is passed on as it is, and so a change is copied once on its way. Otherwise lines are cut out one
at a time, each when it is asked for: cutting all of them at once takes four times as long, because
they fall out of the processor's cache before anybody reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kausa.cluster.errors import UndecodableError

__all__ = ["LineSplitter"]

MAXIMUM_LINE_BYTES = 16 * 1024 * 1024


class LineSplitter:
    """Takes the pieces of one stream in turn; what follows the last line's end is kept.

    A last line without an end never comes out: a watch that is cut inside of a change delivers that
    change again.
    """

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._size = 0
        self.bytes_read = 0
        """Of all pieces, once they were read to their end."""

    def feed(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Every line that ends in these pieces and is not blank, its end included; to be read to
        the end before the next.

        Raises:
            UndecodableError: a line is longer than any object that etcd would take.
        """
        for piece in pieces:
            size = len(piece)
            self.bytes_read += size
            end = piece.find(b"\n") + 1
            if end == size and not self._rest:
                if not piece.isspace():
                    yield piece
            elif not end:
                self._keep(piece)
            else:
                yield from self._cut(piece, end)

    def _cut(self, piece: bytes, end: int) -> Iterator[bytes]:
        """The lines of a piece of which the first ends at `end`."""
        self._keep(piece[:end])
        line = b"".join(self._rest)
        self._rest.clear()
        self._size = 0
        while True:
            if not line.isspace():
                yield line
            start, end = end, piece.find(b"\n", end) + 1
            if not end:
                break
            line = piece[start:end]
        if start < len(piece):
            self._keep(piece[start:])

    def _keep(self, part: bytes) -> None:
        self._rest.append(part)
        self._size += len(part)
        if self._size > MAXIMUM_LINE_BYTES:
            raise UndecodableError("A line of the watch is longer than any Kubernetes object.")
