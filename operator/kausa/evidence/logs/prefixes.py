"""What others wrote around a program's own words: the container runtime, the kubelet, terminals."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

__all__ = ["Bare", "bare", "shortened", "unstamped"]

_ANSI: Final = re.compile(rb"\x1b(?:\[[0-9;:?]{0,32}[@-~]|[@-Z\\-_])")
_STAMP: Final = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
_CRI: Final = re.compile(_STAMP + rb" (?:stdout|stderr) ([FP])(?::\w+)? ?")
_KUBELET: Final = re.compile(_STAMP + rb" ")
_DOCKER: Final = b'{"log":"'
_NO_MORE: Final = b" [...]"


class Bare(NamedTuple):
    """A line without what the runtime put before it."""

    line: bytes
    partial: bool = False
    """The runtime has split a long line, and more of it follows."""


class _Docker(msgspec.Struct):
    log: str = ""


def bare(line: bytes) -> Bare:
    """The line without prefixes of the runtime and without colours."""
    if b"\x1b" in line:
        line = _ANSI.sub(b"", line)
    if line.startswith(_DOCKER):
        try:
            line = msgspec.json.decode(line, type=_Docker).log.rstrip("\r\n").encode()
        except (msgspec.MsgspecError, UnicodeError):
            return Bare(line)
    found = _CRI.match(line) if line[:2] == b"20" else None
    return Bare(line) if found is None else Bare(line[found.end() :], partial=found[1] == b"P")


def unstamped(line: bytes) -> bytes:
    """The line without a time as the kubelet writes it, which may be the program's own as well.

    So it is only taken off to see what a line is; what is kept of a log keeps it.
    """
    found = _KUBELET.match(line) if line[:2] == b"20" else None
    return line if found is None else line[found.end() :]


def shortened(line: bytes, maximum: int) -> bytes:
    """The line, cut between two words where it is longer than that: half a secret is a secret."""
    if len(line) <= maximum:
        return line
    head = line[:maximum]
    end = max(head.rfind(mark) for mark in (b" ", b"\t", b",", b";", b"&"))
    return head[: max(end, 0)] + _NO_MORE
