"""Which words of a claim name a fact of a failure, and what in the evidence bears them.

An explanation may link what was seen in plain English, but a word such as `password`, `disk` or
`deleted` says what happened: it has to stand in the evidence, or something that says the same
there, as `x509` does for a certificate. That a claim may speak of a database where the evidence has
port 5432 is the price of honest paraphrases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kausa.diagnosis.model.answer.fact_words import ACCUSING, DONE, ENDED, SAME, THEMSELVES
from kausa.diagnosis.model.answer.words import stem

__all__ = ["Facts", "needs_proof"]

_LONGEST_ENDING: Final = re.compile(r"(?:ations?|ions?|ances?|ences?|ments?|ers?|ors?|ity|ed|ing)$")
_LEAST_ROOT: Final = 4


def _pairs(table: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, re.Pattern[str]]]:
    for words, cue in table:
        compiled = re.compile(cue)
        for word in words.split():
            yield word, compiled


def _stems(word: str) -> set[str]:
    """Return what `stem` makes of the forms of a word; it takes `exceed` and `exceeded` apart."""
    bare = word.removesuffix("e")
    return {stem(each) for each in (word, f"{word}s", f"{bare}ed", f"{bare}ing")}


_ACCUSATIONS: Final = frozenset(each for word in ACCUSING.split() for each in _stems(word))
_PLAIN_FACTS: Final = frozenset(each for word in THEMSELVES.split() for each in _stems(word))
_BAD: Final = {each: cue for word, cue in _pairs(ENDED) for each in _stems(word)}
_CUES: Final = {each: cue for word, cue in _pairs(SAME) for each in _stems(word)} | _BAD
_FORMS: Final = dict(_pairs(DONE))


class Facts:
    """What the evidence of one failure says of facts; made once, asked for every claim."""

    def __init__(self, text: str) -> None:
        """`text`: all of it, in lower case."""
        self._text = text
        self._known: dict[str, bool] = {}

    def bears(self, word: str) -> bool:
        """Whether the word, in lower case, or what says the same stands in the evidence."""
        if word not in self._known:
            self._known[word] = self._looked_up(word)
        return self._known[word]

    def _looked_up(self, word: str) -> bool:
        cue = _FORMS.get(word) or _CUES.get(stem(word))
        if cue is not None and cue.search(self._text):
            return True
        root = _LONGEST_ENDING.sub("", word)
        root = root if len(root) >= _LEAST_ROOT else stem(word)
        return re.search(rf"(?<![^\W\d_]){re.escape(root)}", self._text) is not None


def needs_proof(word: str, *, proposed: bool = False) -> bool:
    """Whether a word in lower case says what happened, rather than explaining it.

    `proposed`: where nothing is claimed to be so, things may be named, but neither what went bad
    nor who is to blame.
    """
    root = stem(word)
    if root in _BAD or root in _ACCUSATIONS:
        return True
    return not proposed and (word in _FORMS or root in _CUES or root in _PLAIN_FACTS)
