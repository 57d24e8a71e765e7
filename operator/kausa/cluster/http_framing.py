"""Where an HTTP/1.1 answer's head ends and what of the rest is its body: no I/O.

Only what an API server, or a proxy before it, sends in answer to a GET that asked for nothing
special: a body in chunks, of a stated length, or until the connection ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kausa.cluster.errors import UndecodableError

__all__ = ["Chunked", "Framing", "Head", "Plain", "framing_of", "read_head"]

LONGEST_CHUNK_HEAD = 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (?P<status>[1-5][0-9]{2})(?: (?P<reason>[^\r\n]*))?")
_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}")
_PREFIXES = (b"x", b"X")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What comes before the body."""

    status: int
    reason: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""


def read_head(head: bytes) -> Head:
    """The status line and the headers, without the empty line after them.

    Raises:
        UndecodableError: it is not HTTP/1.
    """
    first, *lines = head.split(b"\r\n")
    status = _STATUS.fullmatch(first)
    if status is None:
        raise UndecodableError(f"The API server does not answer in HTTP/1.1 ({first[:60]!r}).")
    headers = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
    return Head(
        status=int(status["status"]),
        reason=(status["reason"] or b"").decode("latin-1"),
        headers=headers,
    )


class Framing:
    """Takes a body out of what was received, piece by piece."""

    complete = False
    """Whether the whole body has come."""
    may_end_anywhere = False
    """Whether the end of the connection is the end of the body."""

    upto = 0
    """How far all is understood of what was taken last, once all its pieces were read."""

    def take(self, buffer: bytearray, start: int, end: int) -> Iterator[bytes]:
        """The pieces of the body between `start` and `end`, each made when it is asked for: what
        was copied just now is still in the processor's cache. To be read to their end.

        Raises:
            UndecodableError: this is no such framing.
        """
        raise NotImplementedError


class Chunked(Framing):
    """Sizes in between, which for a watch is one change a chunk."""

    def __init__(self) -> None:
        self._left = 0
        """Of the chunk that has begun, its line's end included."""

    def take(self, buffer: bytearray, start: int, end: int) -> Iterator[bytes]:
        """The chunks, also what has come of one that has begun."""
        view, left, find = memoryview(buffer), self._left, buffer.find
        while start < end and not self.complete:
            if not left:
                head_end = find(b"\r\n", start, end)
                if head_end < 0:
                    if end - start > LONGEST_CHUNK_HEAD:
                        raise UndecodableError("A chunk of the answer has no size.")
                    break
                size = _size(buffer[start:head_end])
                start = head_end + 2
                if not size:
                    self.complete = True
                    break
                left = size + 2
            stop = start + left
            if stop <= end:
                # Whole, as nearly all are; the last two bytes of a chunk are no part of it.
                if left > 2:
                    yield view[start : stop - 2].tobytes()
                left, start = 0, stop
                continue
            left = stop - end
            of_body = end - max(0, 2 - left)
            if of_body > start:
                yield view[start:of_body].tobytes()
            start = end
        self._left, self.upto = left, start


class Plain(Framing):
    """A body of a known length, or one that lasts until the connection ends (`length` is None)."""

    def __init__(self, length: int | None) -> None:
        self._left = length
        self.may_end_anywhere = length is None
        self.complete = length == 0

    def take(self, buffer: bytearray, start: int, end: int) -> Iterator[bytes]:
        """All that belongs to the body, as one piece."""
        stop = end if self._left is None else min(end, start + self._left)
        if self._left is not None:
            self._left -= stop - start
            self.complete = not self._left
        if stop > start:
            yield bytes(memoryview(buffer)[start:stop])
        self.upto = stop


def framing_of(head: Head) -> Framing:
    """How the body after this head is framed.

    Raises:
        UndecodableError: in a way that nobody asked for.
    """
    encoding = head.headers.get("content-encoding", "identity").lower()
    coding = head.headers.get("transfer-encoding", "identity").lower()
    if encoding != "identity" or coding not in {"identity", "chunked"}:
        raise UndecodableError(f"The answer is encoded as {encoding}, {coding}: not as asked for.")
    if coding == "chunked":
        return Chunked()
    length = head.headers.get("content-length")
    if length is None:
        return Plain(None)
    if not re.fullmatch("[0-9]{1,15}", length):
        raise UndecodableError(f"The length of the answer is no number ({length[:60]!r}).")
    return Plain(int(length))


def _size(head: bytearray) -> int:
    # A number with a prefix is one to Python and none to HTTP.
    if len(head) < 16 and head.isalnum() and head[1:2] not in _PREFIXES:
        try:
            return int(head, 16)
        except ValueError:
            pass
    plain = head.partition(b";")[0].strip()
    if _SIZE.fullmatch(plain) is None:
        raise UndecodableError(f"A chunk's size is no number ({bytes(plain[:60])!r}).")
    return int(plain, 16)
