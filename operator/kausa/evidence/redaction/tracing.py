"""Where what was hidden stood in the text as it came, whatever was hidden before it.

A text is looked at until nothing is found any more, so the later finds are made in a text that has
placeholders already and is longer or shorter than the first one.
"""

from __future__ import annotations

from dataclasses import dataclass

from kausa.evidence.redaction.span import Span

__all__ = ["Replaced", "trace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A placeholder in the text as it is now, and what it stands for in the text as it came."""

    start: int
    end: int
    was: Span


def trace(spans: list[Span], sizes: list[int], before: list[Replaced]) -> list[Replaced]:
    """All placeholders after these spans have given way to placeholders of these sizes, in order.

    A span that covers an earlier placeholder takes its place over.
    """
    after: list[Replaced] = []
    grown, was_grown = 0, 0
    rest = iter([*before, None])
    old = next(rest)
    for span, size in zip(spans, sizes, strict=True):
        while old is not None and old.end <= span.start:
            after.append(_moved(old, by=grown))
            was_grown = old.was.end - old.end
            old = next(rest)
        first = span.start + was_grown
        last = None
        while old is not None and old.start < span.end:
            first = min(first, old.was.start) if old.start <= span.start else first
            was_grown, last = old.was.end - old.end, old
            old = next(rest)
        end = max(span.end + was_grown, last.was.end if last is not None else 0)
        start = span.start + grown
        grown += size - (span.end - span.start)
        was = Span(first, end, span.kind)
        after.append(Replaced(start=start, end=start + size, was=was))
    while old is not None:
        after.append(_moved(old, by=grown))
        old = next(rest)
    return after


def _moved(each: Replaced, *, by: int) -> Replaced:
    return Replaced(start=each.start + by, end=each.end + by, was=each.was)
