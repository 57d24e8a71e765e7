"""A question put into the words of what is searched.

Names and times are taken out: they are filters, and no runbook speaks of `web-app-123`. For BM25
the words that people shorten are written out, and Kubernetes' own are given whole and in parts,
because it compares words only: `crash loop back off` finds CrashLoopBackOff, and the other way
round.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kausa.recall.query.clues import Clue
from kausa.recall.query.thesaurus import THESAURUS, WORD_FORMS
from kausa.recall.query.vocabulary import ALIASES

__all__ = ["printed_words", "search_text", "search_words", "split_camel", "without_join"]

_CAMEL_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CAMEL = re.compile(r"\b[A-Za-z]*[a-z][A-Z][A-Za-z]*\b")
_WORD = re.compile(r"[A-Za-z0-9]+")
_WHOLE = frozenset({"namespace", "label", "after", "before"})
"""Clues whose every word is taken out; of the others the kind stays, and the name goes."""
_LEADING = re.compile(
    r"(?:\b(?:in|on|at|of|from|within|inside|with|the|our|my)\s+)+$", re.IGNORECASE
)
_BEFORE_NAME = 24
_SPACE = re.compile(r"\s+")
_JOIN = re.compile(r"^(?:and|also|but|then|plus|or)\b[\s,]*", re.IGNORECASE)


def _by_first_word() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for phrase, printed in THESAURUS.items():
        words = tuple(phrase.split())
        found.setdefault(words[0], []).append((words, printed))
    return found


_BY_FIRST = _by_first_word()


def search_text(text: str, clues: Iterable[Clue], *, start: int = 0, end: int | None = None) -> str:
    """The part of a question from `start` to `end`, without names and times."""
    end = len(text) if end is None else end
    pieces: list[str] = []
    place = start
    for clue in sorted((c for c in clues if c.names), key=lambda c: (c.start, c.end)):
        if clue.start < place or clue.end > end:
            continue
        before = text[place : clue.start]
        stays = _what_stays(text[clue.start : clue.end], clue)
        pieces += (_without_leading(before) if not stays else before, stays)
        place = clue.end
    pieces.append(text[place:end])
    joined = _SPACE.sub(" ", " ".join(pieces)).strip(" ,;:.?!")
    return without_join(joined)


def without_join(text: str) -> str:
    """Without the `and` that joins it to what stands before."""
    return _JOIN.sub("", text.strip())


def search_words(text: str, *, reasons: Sequence[str] = ()) -> str:
    """What BM25 is given for a text: the text, what it shortens, and what machines print of it."""
    words = [word.lower() for word in _WORD.findall(text)]
    there = set(words)
    added = [ALIASES[word] for word in dict.fromkeys(words) if word in ALIASES]
    added += [reason for reason in reasons if reason.lower() not in there]
    added += [split_camel(word) for word in dict.fromkeys(_CAMEL.findall(text))]
    return " ".join((text, *added, *printed_words(words)))


def printed_words(words: Sequence[str]) -> list[str]:
    """What machines print of what these words say, each word once, without those that are there."""
    plain = [WORD_FORMS.get(word, word) for word in words]
    found: dict[str, None] = {}
    for start, first in enumerate(plain):
        for phrase, printed in _BY_FIRST.get(first, ()):
            if _follows(plain, start, phrase):
                found |= dict.fromkeys(printed.split())
    there = set(words)
    return [word for word in found if word.lower() not in there]


def _follows(words: Sequence[str], start: int, phrase: tuple[str, ...]) -> bool:
    """Whether the phrase stands here, with at most one other word between two of its own."""
    place = start
    for wanted in phrase[1:]:
        nearby = words[place + 1 : place + 3]
        if wanted not in nearby:
            return False
        place += 1 + nearby.index(wanted)
    return True


def split_camel(word: str) -> str:
    """`CrashLoopBackOff` as `Crash Loop Back Off`.

    >>> split_camel("OOMKilled")
    'OOM Killed'
    """
    return " ".join(_CAMEL_PARTS.findall(word))


def _what_stays(words: str, clue: Clue) -> str:
    if clue.kind in _WHOLE or clue.left_out:
        return ""
    name = clue.value.rpartition("/")[2]
    head, _, tail = words.rpartition(name) if words.endswith(name) else words.partition(name)
    stays = _SPACE.sub(" ", f"{head} {tail}").strip(" /=")
    return without_join(stays.removesuffix(" called").removesuffix(" named"))


def _without_leading(before: str) -> str:
    """Without `in the`, `on` and the like at its end; only the end is looked at."""
    tail = before[-_BEFORE_NAME:]
    return before[: len(before) - len(tail)] + _LEADING.sub("", tail)
