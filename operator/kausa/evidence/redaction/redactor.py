"""Hides every secret that the tables know, in a text or in a whole tree of values.

All spans are found on the same text and overlapping ones become one, so that no order of the
tables can leave half of a secret behind. What is left is looked at again until nothing changes:
that makes a second redaction change nothing, whatever the tables say. A text that doesn't settle
is withheld, like any text on which something raises or that takes too long.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from kausa.evidence.redaction.deadline import Deadline
from kausa.evidence.redaction.echoes import Losses
from kausa.evidence.redaction.finder import find
from kausa.evidence.redaction.personal import ADDRESSES, EMAILS
from kausa.evidence.redaction.placeholders import Placeholders, is_placeholder
from kausa.evidence.redaction.span import Span
from kausa.evidence.redaction.tracing import Replaced, trace
from kausa.evidence.redaction.values import is_not_secret
from kausa.evidence.redaction.walker import Walker

__all__ = ["WITHHELD", "Redacted", "RedactedText", "Redactor"]

T = TypeVar("T")

WITHHELD: Final = "[withheld: redaction failed]"
_WITHHELD_KIND: Final = "withheld"
_ROUNDS: Final = 5
_SECONDS: Final = 2.0
_SECONDS_A_CHARACTER: Final = 10e-6
"""CPU time of the thread that one look at a text may take; a clean one takes a hundredth of it."""


@dataclass(frozen=True, slots=True)
class RedactedText:
    """A text that may leave, and how many secrets of each kind it lost."""

    value: str
    counts: Mapping[str, int]
    hidden: tuple[Span, ...] = ()
    """Where they stood in the text as it was; empty where all of it is withheld."""


@dataclass(frozen=True, slots=True)
class Redacted(Generic[T]):
    """A value that may leave, and how many secrets of each kind it lost."""

    value: T
    counts: Mapping[str, int]


class Redactor:
    """Hides secrets; immutable, so that one is shared by everything that gathers evidence."""

    __slots__ = ("_clock", "_placeholders", "_switched_on")

    def __init__(
        self,
        *,
        key: bytes,
        emails: bool = False,
        addresses: bool = False,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        """Hide with placeholders under this key; e-mail and IP addresses only where switched on.

        Raises:
            ValueError: the key is empty.
        """
        self._placeholders = Placeholders(key=key)
        self._switched_on = (*(EMAILS if emails else ()), *(ADDRESSES if addresses else ()))
        self._clock = clock

    def text(self, value: str) -> RedactedText:
        """Return the text without its secrets; never raises."""
        losses = Losses()
        hidden: list[Span] = []
        clean = self._clean(value, losses, hidden)
        return RedactedText(clean, MappingProxyType(dict(losses.counts)), tuple(hidden))

    def tree(self, value: T) -> Redacted[T]:
        """Return an equal value in which every string went through `text`; never raises.

        A part that can't be walked or rebuilt is replaced by `WITHHELD`, even where its type
        says otherwise: what isn't understood doesn't leave.
        """
        losses = Losses()
        known_clean: set[str] = set()

        def clean_once(text: str) -> str:
            # Names, times and words such as True stand a hundred times in one tree.
            if text in known_clean:
                return text
            made = self._clean(text, losses)
            if made == text:
                known_clean.add(text)
            return made

        walker = Walker(
            clean=clean_once,
            conceal=lambda kind, text: self._conceal(kind, text, losses),
            find=self._spans,
            withhold=lambda: self._withhold(losses),
        )
        clean: T = walker.walk(value)
        if losses.has_echoes:
            again = Walker(
                clean=losses.without_echoes,
                conceal=lambda _, text: losses.without_echoes(text),
                find=lambda _: [],
                withhold=lambda: self._withhold(losses),
            )
            clean = again.walk(clean)
        return Redacted(clean, MappingProxyType(dict(losses.counts)))

    def _clean(self, value: str, losses: Losses, hidden: list[Span] | None = None) -> str:
        found: Counter[str] = Counter()
        replaced: list[Replaced] = []
        try:
            for _ in range(_ROUNDS):
                spans = self._spans(value)
                if not spans:
                    losses.counts.update(found)
                    if hidden is not None:
                        hidden.extend(each.was for each in replaced)
                    return value
                value, replaced = self._replace(value, spans, replaced, losses)
                found.update(span.kind for span in spans)
        except Exception:
            return self._withhold(losses)
        return self._withhold(losses)

    def _spans(self, text: str) -> list[Span]:
        allowed = _SECONDS + len(text) * _SECONDS_A_CHARACTER
        deadline = Deadline(at=self._clock() + allowed, clock=self._clock)
        return _merge(find(text, more=self._switched_on, deadline=deadline), text)

    def _conceal(self, kind: str, value: str, losses: Losses) -> str:
        """Hide a whole value, because of the name that it stands under."""
        try:
            if is_not_secret(value) or is_placeholder(value):
                return value
            hidden = self._placeholders.make(kind=kind, secret=value)
        except Exception:
            return self._withhold(losses)
        losses.counts[kind] += 1
        losses.lost(kind=kind, secret=value, placeholder=hidden)
        return hidden

    def _replace(
        self, text: str, spans: list[Span], before: list[Replaced], losses: Losses
    ) -> tuple[str, list[Replaced]]:
        new = [
            self._placeholders.make(kind=span.kind, secret=text[span.start : span.end])
            for span in spans
        ]
        parts: list[str] = []
        cursor = 0
        for span, placeholder in zip(spans, new, strict=True):
            parts += (text[cursor : span.start], placeholder)
            cursor = span.end
            secret = text[span.start : span.end]
            losses.lost(kind=span.kind, secret=secret, placeholder=placeholder)
        parts.append(text[cursor:])
        return "".join(parts), trace(spans, [len(each) for each in new], before)

    @staticmethod
    def _withhold(losses: Losses) -> str:
        losses.counts[_WITHHELD_KIND] += 1
        return WITHHELD


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
