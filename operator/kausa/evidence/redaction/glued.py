r"""Secrets that hold a quote, as a shell writes them: `'--key=a'"'"'b'` is the word `--key=a'b`.

A finder that knows the quotes around a word stops at the first one that closes it. Where the word
goes on behind it, so does the secret, to the quote that closes it for good.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from kausa.evidence.redaction.span import Span

__all__ = ["glued"]

_GLUE: Final = re.compile(r"'(?:\\{0,32}\"'\\{0,32}\"|\\{1,32}')'")
_REST: Final = re.compile(r"[^'\r\n]*")


def glued(text: str, spans: Iterable[Span]) -> list[Span]:
    """The spans, each as far as the word goes that it ends in. Linear in the text."""
    ends: dict[int, int] = {}
    return [
        span if (end := _end(text, span.end, ends)) == span.end else replace(span, end=end)
        for span in spans
    ]


def _end(text: str, position: int, ends: dict[int, int]) -> int:
    """Where the word ends for good; every piece of it is read once for all spans."""
    passed: list[int] = []
    while position not in ends and (glue := _GLUE.match(text, position)):
        passed.append(position)
        rest = _REST.match(text, glue.end())
        position = rest.end() if rest is not None else glue.end()
    end = ends.get(position, position)
    ends.update(dict.fromkeys(passed, end))
    return end
