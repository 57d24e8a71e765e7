"""All that finds secrets in a text, in one call.

Every finder looks at the same text and says where; none changes anything. `find` is recursive: what
stands under a layer of writing is looked through in the same way, to a bounded depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from kausa.evidence.redaction.deadline import Deadline
from kausa.evidence.redaction.glued import glued
from kausa.evidence.redaction.hints import Hints
from kausa.evidence.redaction.keytails import find_key_tails
from kausa.evidence.redaction.labelled import find_labelled
from kausa.evidence.redaction.layers import find_layered
from kausa.evidence.redaction.manifests import find_manifests
from kausa.evidence.redaction.pairs import find_pairs
from kausa.evidence.redaction.pattern import Pattern
from kausa.evidence.redaction.patterns import PATTERNS
from kausa.evidence.redaction.span import Span
from kausa.evidence.redaction.spoken import find_spoken
from kausa.evidence.redaction.tokens import find_tokens

__all__ = ["find"]

_DEPTH: Final = 4
_SHORT: Final = 2048
"""Characters that no table can spend long on: to ask the clock costs more than to look."""
_PLAIN: Final = 12
"""No secret is known by itself that is so short and all letters, or all digits."""
_FINDERS: Final[tuple[Callable[[Hints], Iterable[Span]], ...]] = (
    find_tokens,
    find_manifests,
    find_pairs,
    find_labelled,
    find_spoken,
    find_key_tails,
)


def find(
    text: str, *, deadline: Deadline, more: tuple[Pattern, ...] = (), depth: int = _DEPTH
) -> list[Span]:
    """Return every stretch of the text that holds a secret, in no order; some may overlap.

    Raises:
        TimeoutError: the deadline is over.
    """
    if len(text) <= _PLAIN and (text.isalpha() or text.isdigit()):
        return []
    hints = Hints(text)
    spans: list[Span] = []
    timed = len(text) > _SHORT
    for pattern in (*PATTERNS, *more):
        spans.extend(_matches(hints, pattern))
        if timed:
            deadline.check()
    for finder in _FINDERS:
        spans.extend(finder(hints))
        if timed:
            deadline.check()

    def find_inside(inner: str) -> list[Span]:
        return find(inner, deadline=deadline, more=more, depth=depth - 1)

    if depth:
        spans.extend(find_layered(hints, find_inside))
    return glued(text, spans)


def _matches(hints: Hints, pattern: Pattern) -> Iterator[Span]:
    if pattern.hints and not hints.has(*pattern.hints):
        return
    everywhere = pattern.many_lines or not pattern.hints
    whole = ((0, len(hints.text)),)
    for start, end in whole if everywhere else hints.lines(*pattern.hints):
        for found in pattern.regex.finditer(hints.text, start, end):
            if pattern.accept(found["secret"]):
                yield Span(*found.span("secret"), pattern.kind)
