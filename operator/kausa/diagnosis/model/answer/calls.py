"""What a text spells out to be run, and whether it may stand there.

People do what they read, so it is an allow-list: only a `kubectl` command that the judge of
commands approves. Any other run of words that looks like a call (a program with an option, a path,
an operator or a subcommand) may stand only where a program was seen to run or to print exactly
that, and where the sentence tells so and does not ask for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from kausa.diagnosis.model.answer.asking_to_run import (
    asks,
    begins_clause,
    orders_run,
    reports,
    tells_of_trouble,
)
from kausa.diagnosis.model.answer.call_shapes import ARTICLES, Sentence
from kausa.diagnosis.model.answer.call_words import (
    is_act,
    is_english,
    is_finite,
    is_known_program,
    is_past,
    is_program,
)
from kausa.diagnosis.model.answer.naming import is_kind

__all__ = ["Seen", "spelled_out"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KUBECTL: Final = re.compile(
    r"(?<![\w./-])kubectl\s+(?!(?:to|and|or|for|commands?|outputs?|is|with)\b)", re.IGNORECASE
)
_PROSE: Final = re.compile(
    r"`|[\"']?\s(?:to|for|and|in order|so|which|then|that|but|or|fixes|helps|shows)\s"
    r"|[.,:!?][\"'`)]*(?:\s|$)",
    re.IGNORECASE,
)
_HYPHENS: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2212\ufe63\uff0d"), "-")
_APPROVED: Final = "This"
"""Stands for a command that may be shown: a word of English that begins nothing."""
_MARKS: Final = re.compile(r"[\s\"'`\[\](){},;:]+")
_STATEMENT: Final = re.compile(
    r"\b(?:(?:drop|truncate|alter|create)\s+(?:table|database|schema|index|user|role|view|column)|"
    r"delete\s+from|insert\s+into|update\s+\S+\s+set|"
    r"(?:grant|revoke)\s+\S+\s+(?:on|to|from)|truncate\s+\w+)\b",
    re.IGNORECASE,
)
_SOFT: Final = _words("use using try trying with via through call calling apply do by")
_FILLERS: Final = _words(
    "the this following command commands one-liner statement query script again e.g like"
)
_THINGS: Final = _words(
    "command args argument arguments entrypoint probe process program line message error statement"
)
_MENTIONS: Final = _words(
    "in of fix correct change check adjust rewrite misspells because for runs ran see"
)
"""Before `the command x` they make it no order to run it."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen, to tell a quotation from an invention."""

    texts: tuple[str, ...]
    """What programs ran or printed."""
    names: frozenset[str]
    """What exists, in lower case."""

    @cached_property
    def _all(self) -> str:
        # Of a container Kausa writes `command a; args b`, and it runs `a b`.
        told = (*self.texts, *(each.replace("; args ", " ") for each in self.texts))
        return " \n ".join(f" {_normal(each)} " for each in told)

    def holds(self, text: str) -> bool:
        """Whether it stands there word for word."""
        return f" {_normal(text)} " in self._all


def spelled_out(
    text: str, *, seen: Seen, approves: Callable[[str], bool], proposes: bool = False
) -> str:
    """Return the first thing that may not stand there; empty where nothing is wrong.

    `approves`: whether a kubectl command may be shown. `proposes`: whether the whole text is a
    proposal, as a title is.
    """
    text = unicodedata.normalize("NFKC", text).translate(_HYPHENS)
    masked = []
    end = 0
    for start, stop in _kubectl_calls(text):
        command = text[start:stop].strip(" `'\".,;:!?)")
        if not approves(command):
            return command
        masked += [text[end:start], _APPROVED]
        end = stop
    masked.append(text[end:])
    return _Reading(text="".join(masked), seen=seen, proposes=proposes).found()


def _kubectl_calls(text: str) -> Iterator[tuple[int, int]]:
    starts = [each.start() for each in _KUBECTL.finditer(text)]
    for start, following in zip(starts, [*starts, len(text)][1:], strict=True):
        prose = _PROSE.search(text, start, following)
        yield start, prose.start() if prose else following


def _normal(text: str) -> str:
    words = (each.rstrip(".!?") for each in _MARKS.split(text))
    return " ".join(each for each in words if each).casefold()


class _Reading:
    """One sentence, word by word."""

    def __init__(self, *, text: str, seen: Seen, proposes: bool) -> None:
        self._seen = seen
        self._said = Sentence(text, names=seen.names)
        self._asks = proposes or asks(text)

    def found(self) -> str:
        for statement in _STATEMENT.finditer(self._said.text):
            place = len(self._said.text[: statement.start()].split())
            if self._is_wrong_statement(statement[0], place):
                return statement[0]
        for place in range(len(self._said.words)):
            end = self._wrong(place)
            if end:
                return " ".join(each.raw for each in self._said.words[place:end]).strip(
                    "`'\".,;:!?"
                )
        return ""

    def _wrong(self, place: int) -> int:
        """Return where a call that begins there ends; 0 where none does, or where it may stand."""
        if not self._said.words[place].text and not self._said.words[place].is_operator:
            return 0
        after = self._after_run(place)
        strong = self._said.strong(place)
        if after:
            return strong or self._said.weak(place) or self._said.single(place)
        if self._said.is_determined(place):
            return 0
        soft = place > 0 and self._said.low[place - 1] in _SOFT and not self._said.ends[place - 1]
        quoted = self._said.words[place].opens_quote
        begins = begins_clause(self._said.low, self._said.ends, place)
        weak = 0 if strong else self._said.weak(place) or self._in_code(place)
        if self._asks and weak and (soft or self._is_order(place, weak)) and not begins:
            return weak
        if soft and self._asks and self._is_quoted_act(place):
            return place + 1
        if (begins or quoted) and weak and not self._is_told(place, weak, begins, quoted):
            return weak
        if strong and not self._may_stand(place, strong):
            return strong
        return 0

    def _is_order(self, place: int, end: int) -> bool:
        """Whether in a sentence that asks a program is told what to do, wherever it stands."""
        words = self._said.words
        if end < place + 2 or is_known_program(words[place]) or is_finite(words[place + 1]):
            return False
        if not self._seen.holds(self._said.joined(place, end)):
            return True
        # `Look at "rpc error: code = Unavailable"` repeats what went wrong.
        return not (self._is_mentioned(place) or tells_of_trouble(self._said.clause(place)))

    def _in_code(self, place: int) -> int:
        """Where a call ends that a proposal marks as code, or has alone behind a colon."""
        word = self._said.words[place]
        coded = word.raw.lstrip("(*")[:1] == "`"
        alone = place > 0 and self._said.ends[place - 1] in (":", "(")
        english = is_english(word.text, self._seen.names)
        if word.end or english or not self._asks or not (coded or alone):
            return 0
        if not is_program(word, self._seen.names) or place + 1 >= len(self._said.words):
            return 0
        following = self._said.words[place + 1]
        if "`" in word.raw.lstrip("(*`") or following.is_function or is_past(following):
            return 0
        end = self._said.end_of_run(place + 1)
        return 0 if tells_of_trouble(self._said.joined(place, end)) else end

    def _is_quoted_act(self, place: int) -> bool:
        """Whether it is one word in quotes that does something: `reboot`."""
        word = self._said.words[place]
        return word.opens_quote and is_known_program(word) and is_act(word, self._seen.names)

    def _is_wrong_statement(self, text: str, place: int) -> bool:
        """Whether a statement of SQL is no quotation; in lower case it may be English."""
        if self._asks:
            return True
        first = self._said.first_of(place)
        begins = begins_clause(self._said.low, self._said.ends, first)
        told = tells_of_trouble(self._said.clause(first)) or self._is_reported(first)
        if begins and not told:
            return True
        return text.isupper() and not self._seen.holds(text)

    def _after_run(self, place: int) -> bool:
        at = place - 1
        while at > 0 and self._said.low[at] in _FILLERS:
            at -= 1
        return at >= 0 and orders_run(self._said.low, self._said.ends, at)

    def _is_told(self, place: int, end: int, begins: str, quoted: bool) -> bool:
        """Whether what looks like a program and a subcommand is a subject and what is told of it.

        In a list (`..., redis sentinel`) a noun stands beside a noun.
        """
        behind = self._said.words[place + 1 : end + 5]
        if not behind:
            return False
        if begins == "part" and not quoted:
            trouble = tells_of_trouble(self._said.clause(place))
            noun = end == place + 2 and is_kind(self._said.low[place])  # `to node n1`
            return noun or not self._asks or trouble or any(map(is_past, behind))
        if self._asks:
            run = self._said.joined(place, end)
            return tells_of_trouble(run) or (self._is_mentioned(place) and self._seen.holds(run))
        third = self._said.words[place + 2 : place + 3]
        if is_past(behind[0]) or tells_of_trouble(self._said.clause(place)):
            return True
        if is_finite(behind[0]) and not any(is_act(each, self._seen.names) for each in third):
            return True
        run = self._said.joined(place, end)
        return self._seen.holds(run) and (self._is_reported(place) or (quoted and not begins))

    def _is_mentioned(self, place: int) -> bool:
        """Whether it is named as what has to be mended: `fix the command x`."""
        if not place or self._said.low[place - 1] not in _THINGS:
            return False
        at = place - 2
        while at >= 0 and (self._said.low[at] in ARTICLES or self._said.low[at] in _FILLERS):
            at -= 1
        return at >= 0 and self._said.low[at] in _MENTIONS

    def _is_reported(self, place: int) -> bool:
        """Whether the words before say that what follows was printed."""
        if not place:
            return False
        announced = (
            self._said.joined(0, place) if self._said.ends[place - 1] else self._said.low[place - 1]
        )
        return self._said.ends[place - 1] in ("", ":") and reports(announced)

    def _may_stand(self, place: int, end: int) -> bool:
        """Whether a sure call is one that was seen, and the sentence only tells of it."""
        if not self._seen.holds(self._said.joined(place, end)):
            return False
        if self._asks:
            return self._is_mentioned(place)
        first = self._said.first_of(place)
        if not begins_clause(self._said.low, self._said.ends, first) or self._is_reported(first):
            return True
        behind = self._said.words[end : end + 2]
        told = any(
            is_finite(each) and not each.end for each in behind[: len(self._said.words) - end - 1]
        )
        return told or tells_of_trouble(self._said.clause(first))
