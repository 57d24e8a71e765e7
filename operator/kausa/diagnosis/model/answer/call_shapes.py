"""Where in a sentence a run of words looks like a call, and where it ends.

What is sure has an option, a setting, a path or an operator; what may be one is a word that is no
English and what it is told to do. Whether it may stand there is decided elsewhere.
"""

from __future__ import annotations

from typing import Final

from kausa.diagnosis.model.answer.asking_to_run import begins_clause
from kausa.diagnosis.model.answer.call_words import (
    is_act,
    is_english,
    is_finite,
    is_known_program,
    is_past,
    is_program,
    may_precede_option,
    names_harm,
    words_of,
)

__all__ = ["ARTICLES", "Sentence"]

ARTICLES: Final = frozenset(
    ("a", "an", "the", "its", "their", "his", "this", "that", "no", "each", "every")
)
_FARTHEST: Final = 3
"""Words from a program to the subcommand that does something."""
_CLAUSE: Final = 14
"""Words that are read for what is told of a call."""


class Sentence:
    """One sentence, word by word; a place is the number of a word.

    `names`: what exists, in lower case; they are no programs.
    """

    def __init__(self, text: str, *, names: frozenset[str]) -> None:
        self.text = text
        self.names = names
        self.words = words_of(text)
        self.low = [each.text.casefold() for each in self.words]
        following = [*(each.raw for each in self.words), ""][1:]
        self.ends = [
            each.end or ("(" if raw[0:1] == "(" else "")
            for each, raw in zip(self.words, following, strict=True)
        ]

    def strong(self, place: int) -> int:
        """Where a call ends that has an option, a setting, a path or an operator."""
        word = self.words[place]
        names = self.names
        rest = self.words[place + 1 :]
        if word.is_operator and (word.raw not in ("<", ">") or (rest and rest[0].is_place)):
            return self.end_of_run(place)
        if word.is_option or word.is_operator or word.is_setting or word.end or not rest:
            return 0
        program = is_program(word, names)
        following = rest[0]
        hit = 0
        if following.is_option and following.text[1:2].isdigit():
            hit = 1 if program else 0
        elif following.is_option:
            hit = 0 if may_precede_option(word) and not word.is_place else 1
        elif following.is_operator and following.raw not in ("<", ">"):
            hit = 1
        elif following.is_operator:
            hit = 1 if len(rest) > 1 and rest[1].is_place else 0
        elif program and following.is_setting:
            hit = 1
        elif program and not (is_english(word.text, names) and not self.opens(place)):
            hit = self._to_a_place(place)
        return self.end_of_run(place + hit) if hit else 0

    def weak(self, place: int) -> int:
        """Where a call ends that is a program and what it is told to do."""
        word, names = self.words[place], self.names
        known = is_known_program(word)
        if not (is_program(word, names) or self._is_capitalised(place)):
            return 0
        if word.is_script:
            return self.end_of_run(place)
        if known and word.text.isupper() and self._is_shouted(place + 1):
            return self.end_of_run(place + 1)
        if word.end:
            return 0
        for step, each in enumerate(self.words[place + 1 : place + 1 + _FARTHEST], 1):
            acts = is_act(each, names)
            if is_past(each) or not (each.is_plain or acts):
                return 0
            if (acts and not (known and is_finite(each))) or (step == 1 and names_harm(word)):
                return self.end_of_run(place + step)
            if each.end:
                return 0
        return 0

    def single(self, place: int) -> int:
        """Where one word ends that is told to be run, and is no English."""
        word = self.words[place]
        if word.is_function or word.is_option:
            return 0
        shouted = word.text.isupper() and len(word.text) > 3 and not word.end
        if is_known_program(word) and not word.end:
            behind = self.words[place + 1] if place + 1 < len(self.words) else None
            shouted = behind is None or behind.is_function or behind.text.isdigit()
        elif not is_program(word, self.names) and not word.is_place and not shouted:
            return 0
        return place + 1 if shouted or not is_known_program(word) or word.end else 0

    def end_of_run(self, place: int) -> int:
        """Where the operands end of a call that is sure up to there."""
        end = place + 1
        while end < len(self.words) and not self.ends[end - 1] and self._continues(end):
            end = self._end_of_quote(end) + 1
        return end

    def first_of(self, place: int) -> int:
        """Where the words begin that end in the call: `gcloud compute` of `... delete x -q`."""
        while place and not self.ends[place - 1]:
            before = self.words[place - 1]
            if before.is_function or is_past(before) or self.words[place].opens_quote:
                break
            place -= 1
        return place

    def is_determined(self, place: int) -> bool:
        """Whether an article before it makes it a part of a noun: `a writable /data`."""
        coded = self.words[place].raw[:1] == "`"
        follows = place > 0 and self.low[place - 1] in ARTICLES
        return follows and not self.ends[place - 1] and not coded

    def opens(self, place: int) -> bool:
        """Whether an order or a quotation may begin there."""
        quoted = self.words[place].opens_quote
        return quoted or bool(begins_clause(self.low, self.ends, place))

    def joined(self, place: int, end: int) -> str:
        """The words of a part, as they were written."""
        return " ".join(each.raw for each in self.words[place:end])

    def clause(self, place: int) -> str:
        """What stands there and behind it, as far as it may tell of the same."""
        return self.joined(place, place + _CLAUSE)

    def _to_a_place(self, place: int) -> int:
        for step, word in enumerate(self.words[place + 1 : place + 3], 1):
            if word.is_place:
                return step
            if word.end or word.is_function or is_finite(word):
                return 0
        return 0

    def _is_shouted(self, place: int) -> bool:
        return place < len(self.words) and self.words[place].text.isupper()

    def _is_capitalised(self, place: int) -> bool:
        """Whether it is a program's name with a capital, for a sentence begins with it."""
        text = self.words[place].text
        if place or not text[:1].isupper() or not text[1:].islower():
            return False
        return not is_english(text, self.names)

    def _continues(self, place: int) -> bool:
        """Whether a word is one more operand, and does not tell of the call."""
        word, before = self.words[place], self.words[place - 1]
        if word.is_option or word.is_setting or word.is_place or word.is_operator:
            return True
        if word.is_function or is_finite(word):
            return word.opens_quote
        awaited = before.is_operator or (before.is_option and "=" not in before.text)
        return awaited or not is_english(word.text, self.names)

    def _end_of_quote(self, place: int) -> int:
        """The word that closes the quotes that open there; itself where none do."""
        mark = self.words[place].raw[:1]
        if mark not in ("'", '"'):
            return place
        for at in range(place, len(self.words)):
            rest = self.words[at].raw[1:] if at == place else self.words[at].raw
            if rest.rstrip(".,;:!?)`").endswith(mark):
                return at
        return place
