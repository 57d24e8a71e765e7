r"""The rest of a private key whose first line was cut off.

Logs are read from a point in time and texts are cut to a length, so that a key may begin in its
middle: nothing but lines of base64 and an end mark. From each end mark the lines before it are
taken for as long as they look like a key. No stretch is looked at twice, because the way back ends
at the mark before.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Final

from kausa.evidence.redaction.hints import Hints
from kausa.evidence.redaction.span import Span

__all__ = ["find_key_tails"]

_END: Final = re.compile(r"-----END[ +][A-Z0-9 +]{0,32}PRIVATE[ +]KEY(?:[ +]BLOCK)?-----")
_MAX: Final = 16_384
_WORD: Final = re.compile(r"(?:(?!\\{1,4}[rn])\S)++")
_BREAK: Final = re.compile(r"[\r\n]|\\{1,4}[rn]")
_BASE64: Final = string.ascii_letters + string.digits + "+/="
_FULL: Final = 20
_CERTAIN: Final = 40
"""So long a run behind other words on its line (a time, a pod's name) is still a line of a key."""
_MAX_BESIDE: Final = 8


def find_key_tails(hints: Hints) -> Iterator[Span]:
    """Yield each end of a private key, with its end mark."""
    if not hints.has("-----e"):
        return
    text = hints.text
    floor = 0
    for mark in _END.finditer(text):
        start = _tail(text, max(floor, mark.start() - _MAX), mark.start())
        floor = mark.end()
        if start < mark.start():
            yield Span(start, mark.end(), "private-key")


def _tail(text: str, floor: int, end: int) -> int:
    """Return where the lines of a key that end here begin."""
    start = below = end
    beside = 0
    for word in reversed(list(_WORD.finditer(text, floor, end))):
        breaks = _BREAK.search(text, word.end(), below) is not None
        stem = len(word[0].rstrip(_BASE64))
        run = len(word[0]) - stem
        short = run > 0 and breaks and (start == end or word.start() == 0)
        if run >= (_CERTAIN if beside else _FULL) or short:
            start = word.start() + stem
            beside = 0
            if stem:
                break
        elif start == end and run and not (stem or breaks):
            pass  # The short last line counts if a line of the key stands before it.
        elif breaks or beside == _MAX_BESIDE:
            break
        else:
            beside += 1
        below = word.start()
    return start
