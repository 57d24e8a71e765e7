"""Hides every secret that the tables know, in a text or in a whole tree of values.

All spans are found on the same text and overlapping ones become one, so that no order of the
tables can leave half of a secret behind. What is left is looked at again until nothing changes:
that makes a second redaction change nothing, whatever the tables say. A text that doesn't settle
is withheld, like any text on which something raises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from kausa.evidence.redaction.keytails import find_key_tails
from kausa.evidence.redaction.pairs import Span, find_pairs
from kausa.evidence.redaction.patterns import PATTERNS
from kausa.evidence.redaction.placeholders import Placeholders, is_placeholder
from kausa.evidence.redaction.spoken import find_spoken
from kausa.evidence.redaction.values import is_not_secret
from kausa.evidence.redaction.walker import Walker

__all__ = ["WITHHELD", "Redacted", "RedactedText", "Redactor"]

T = TypeVar("T")

WITHHELD: Final = "[withheld: redaction failed]"
_WITHHELD_KIND: Final = "withheld"
_ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class RedactedText:
    """A text that may leave, and how many secrets of each kind it lost."""

    value: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Redacted(Generic[T]):
    """A value that may leave, and how many secrets of each kind it lost."""

    value: T
    counts: Mapping[str, int]


class Redactor:
    """Hides secrets; immutable, so that one is shared by everything that gathers evidence."""

    __slots__ = ("_placeholders",)

    def __init__(self, *, key: bytes) -> None:
        self._placeholders = Placeholders(key=key)

    def text(self, value: str) -> RedactedText:
        """Return the text without its secrets; never raises."""
        counts: Counter[str] = Counter()
        return RedactedText(self._clean(value, counts), MappingProxyType(dict(counts)))

    def tree(self, value: T) -> Redacted[T]:
        """Return an equal value in which every string went through `text`; never raises.

        A part that can't be walked or rebuilt is replaced by `WITHHELD`, even where its type
        says otherwise: what isn't understood doesn't leave.
        """
        counts: Counter[str] = Counter()
        walker = Walker(
            clean=lambda text: self._clean(text, counts),
            conceal=lambda kind, text: self._conceal(kind, text, counts),
            withhold=lambda: self._withhold(counts),
        )
        clean: T = walker.walk(value)
        return Redacted(clean, MappingProxyType(dict(counts)))

    def _clean(self, value: str, counts: Counter[str]) -> str:
        found: Counter[str] = Counter()
        try:
            for _ in range(_ROUNDS):
                spans = _merge(_find(value), value)
                if not spans:
                    counts.update(found)
                    return value
                value = self._replace(value, spans)
                found.update(span.kind for span in spans)
        except Exception:
            return self._withhold(counts)
        return self._withhold(counts)

    def _conceal(self, kind: str, value: str, counts: Counter[str]) -> str:
        """Hide a whole value, because of the name that it stands under."""
        try:
            if is_not_secret(value) or is_placeholder(value):
                return value
            hidden = self._placeholders.make(kind=kind, secret=value)
        except Exception:
            return self._withhold(counts)
        counts[kind] += 1
        return hidden

    def _replace(self, text: str, spans: list[Span]) -> str:
        parts: list[str] = []
        cursor = 0
        for span in spans:
            parts.append(text[cursor : span.start])
            secret = text[span.start : span.end]
            parts.append(self._placeholders.make(kind=span.kind, secret=secret))
            cursor = span.end
        parts.append(text[cursor:])
        return "".join(parts)

    @staticmethod
    def _withhold(counts: Counter[str]) -> str:
        counts[_WITHHELD_KIND] += 1
        return WITHHELD


def _find(text: str) -> list[Span]:
    lowered = text.lower()
    spans = [
        Span(*found.span("secret"), pattern.kind)
        for pattern in PATTERNS
        if any(hint in lowered for hint in pattern.hints)
        for found in pattern.regex.finditer(text)
        if pattern.accept(found["secret"])
    ]
    spans.extend(find_pairs(text))
    spans.extend(find_spoken(text))
    spans.extend(find_key_tails(text))
    return spans


def _merge(spans: list[Span], text: str) -> list[Span]:
    """Join overlapping spans; the widest names the kind, then the first of the tables."""
    merged: list[Span] = []
    widest = 0
    for span in sorted(spans, key=lambda span: span.start):
        secret = text[span.start : span.end]
        if is_not_secret(secret) or is_placeholder(secret):
            continue
        width = span.end - span.start
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            kind = span.kind if width > widest else last.kind
            merged[-1] = Span(last.start, max(last.end, span.end), kind)
            widest = max(widest, width)
        else:
            merged.append(span)
            widest = width
    return merged
