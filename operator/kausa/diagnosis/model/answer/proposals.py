"""How much words may break that propose something to a person, who may do what they say.

A command can be held against a closed list, a title can't, so what isn't known to be harmless is
not called so: Low where it only looks at something, Medium where it begins with a word of plain
English, High where it speaks of deleting, stopping or forcing something, or begins with a word that
nobody here knows. That `Remove the typo` is High, too, is the price.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from kausa.diagnosis.model.answer.words import GENERIC, VOCABULARY, stem
from kausa.resources.diagnosis import Risk

__all__ = ["images_in", "mixes_alphabets", "proposes_harm", "risk_of"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


_LOOKS: Final = _stems(
    "check look see view read inspect review examine investigate verify confirm compare find "
    "search list show describe watch monitor observe diagnose troubleshoot debug identify "
    "determine trace understand measure recheck"
)
_KNOWN: Final = VOCABULARY | GENERIC | _LOOKS | _stems(
    "upgrade downgrade bump tweak contact refresh resync redeploy decrease lower enlarge adapt"
)  # fmt: skip
_HARMS: Final = _stems(
    "delete deletion remove removal erase erasure wipe purge truncate truncation destroy kill "
    "destruction terminate evict drain cordon force forcibly uninstall decommission dismantle nuke "
    "obliterate trash discard overwrite recreate prune shutdown revoke detach rm sigkill "
    "wiped nuked"
)
"""The last two, for `stem` takes the `e` only from longer words."""
_TOLD: Final = _words("sigkill rm")
"""Alone between two marks they tell what happened, or who complains."""
_HARMS_AT_FIRST: Final = _stems(
    "drop clear empty reset reformat format stop halt abort suspend pause flush disable end quit "
    "bypass unmount reinstall reinitialize reinitialise eviction termination cancel break"
)
"""Elsewhere they stand in honest titles: the empty variable, the format, a dropped packet."""
_DONE_TO_OTHERS: Final = (_HARMS | _HARMS_AT_FIRST | _stems("reboot")) - _stems("format")
_LEADS: Final = _words(
    "please then also first now next just simply you should must may might can could to we the "
    "operator team try consider start begin go and"
)
_ORDERS: Final = _words(
    "be being get gets have has must should need needs shall want let ensure make"
)
_ASKED: Final = re.compile(
    r"\b(?:should|must|needs? to|ha(?:s|ve) to|please|helps|fixes|solves|resolves|mends)\b", re.I
)
_TO_BE_DONE: Final = re.compile(
    r"\b(?:should|must|ought to|needs? to|ha(?:s|ve) to|is to|are to) be (\w+(?:ed|set))\b", re.I
)
"""`The queue has to be flushed`: what is told says `was`, and what it should be ends otherwise."""
_AVOIDS: Final = _words("avoid avoids prevent prevents against instead not never without why what")
_SEES_TO: Final = re.compile(r"(?:see|look) (?:to|that)\b")
"""`See to it that it is gone`, and whoever looks to delete something, does not only look."""
_ASKING: Final = _words("what why how which who whether when where if that")
_STOPPING: Final = _words("scale bring take reduce lower shrink shut tear turn switch get")
_DETERMINERS: Final = _words("it them the a an all every this that these those its their")
_CLAUSE: Final = re.compile(
    r"[,;:()]|[.!?](?:\s|$)|\s[-\u2013\u2014]+\s|\b(?:and|or|then|by|before|after|but)\b", re.I
)
_NOTHING: Final = re.compile(
    r"\b(?:scal\w*|replicas?|instances?|copies|bring\w*|reduc\w*|lower\w*|shrink\w*)\b[^;]*?"
    r"\b(?:to|at|of|is|with)\W{1,2}(?:zero|0|none|nothing|null)\b(?!\.\d)"
    r"|\b(?:zero|0|no)\W(?:replicas?|pods?|instances?|copies)\b|\breplicas?\W{1,3}(?:zero|0)\b"
    r"|\b(?:scal\w*|tak\w*|bring\w*|shut\w*|tear\w*)\b[^;]*?\b(?:down|offline|away)\b"
    r"(?! to [1-9])|\b(?:turn|switch)\w*\b[^;]*?\boff\b|\b(?:get\w*|rid) (?:rid )?of\b",
    re.I,
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_MICRO: Final = re.compile("[\u00b5\u03bc][smgAVFl]{1,2}")
_IMAGE: Final = re.compile(
    r"(?<![\w./:@-])[a-z0-9][a-z0-9._-]*(?::\d+)?(?:/[a-z0-9._-]+)+(?::\w[\w.-]*|@sha256:[0-9a-f]+)"
)
_NAMED_IMAGE: Final = re.compile(r"(?<![\w./:@-])[a-z0-9][a-z0-9._-]*[:/@][\w./:@-]*\w")


def risk_of(title: str, *, names: Iterable[str]) -> Risk:
    """How much a fix may break that says no more than its title; `names`: what exists."""
    known = {part.casefold() for name in names for part in re.split(r"[^\w]+", name)}
    risk, looking = Risk.LOW, False
    for place, clause in enumerate(_clauses(title)):
        words = [each.casefold() for each in _WORD.findall(clause)]
        first = words[0] if words else ""
        sees_to = _SEES_TO.match(" ".join(words)) is not None
        if sees_to and not _HARMS.isdisjoint(map(stem, words)):
            return Risk.HIGH
        if stem(first) in _LOOKS and not sees_to and not _NOTHING.search(clause):
            looking = True
            continue
        if looking and first in _DETERMINERS | _ASKING:
            continue
        if _harms(clause, words):
            return Risk.HIGH
        acts = len(words) > 1 and (words[1] in _DETERMINERS or words[1] in known)
        if looking and not acts:
            continue  # One more thing to look at.
        if not place and not _is_known(clause.split()[0], known):
            return Risk.HIGH
        if place and acts and stem(first) not in _KNOWN and first not in known:
            return Risk.HIGH
        risk = Risk.MEDIUM
    return risk


def proposes_harm(sentence: str) -> bool:
    """Whether a sentence asks for something destructive, and does not only tell of it."""
    for clause in _clauses(sentence):
        words = [each.casefold() for each in _WORD.findall(clause)]
        asked = _ASKED.search(clause) is not None
        while words and words[0] in _LEADS:
            words.pop(0)
        if (asked and _harms(clause, words)) or _orders_harm(words):
            return True
    return False


def _orders_harm(words: list[str]) -> bool:
    """Whether a clause begins with an order, and not with a noun or with what was done."""
    first, *rest = words or [""]
    if first.endswith(("ed", "s", "ing", "ion", "al")) or (first in _TOLD and not rest):
        return False
    if len(rest) == 1 and rest[0].endswith("ed"):
        return False  # "Shutdown completed."
    if first in _STOPPING and _NOTHING.match(" ".join(words)):
        return True
    return stem(first) in _HARMS or (
        stem(first) in _HARMS_AT_FIRST and bool(_DETERMINERS.intersection(rest[:1]))
    )


def images_in(text: str) -> tuple[str, ...]:
    """The images that a text names."""
    pattern = _NAMED_IMAGE if re.search(r"\bimages?\b", text, re.I) else _IMAGE
    return tuple(found[0] for found in pattern.finditer(text))


def mixes_alphabets(text: str) -> bool:
    """Whether a word has letters of several alphabets, and so may only look like what it says."""
    return any(
        not word.isascii()
        and not _MICRO.fullmatch(word)
        and len({unicodedata.name(each, "?").split()[0] for each in word}) > 1
        for word in _WORD.findall(text)
    )


def _clauses(text: str) -> Iterator[str]:
    for clause in _CLAUSE.split(unicodedata.normalize("NFKC", text)):
        bare = " ".join(clause.split()).strip(" \"'`*#-.")
        if bare:
            yield bare


def _is_known(first: str, known: set[str]) -> bool:
    """Whether a title may begin with the word: plain English, or what it is about."""
    bare = first.strip("\"'`*#.,:")
    if bare.isupper():
        return stem(bare) not in _HARMS
    if not bare.isalpha():
        return bool(re.search(r"[_/.=]", bare)) or all(
            stem(each) in _KNOWN or each.casefold() in known for each in _WORD.findall(bare)
        )
    return stem(bare) in _KNOWN or bare.casefold() in known


def _harms_at_first(words: list[str]) -> bool:
    return bool(words) and stem(words[0]) in _HARMS | _HARMS_AT_FIRST


def _is_to_be_done(clause: str) -> bool:
    done = (stem(each[1].casefold()) for each in _TO_BE_DONE.finditer(clause))
    return any(each in _DONE_TO_OTHERS for each in done)


def _harms(clause: str, words: list[str]) -> bool:
    if _NOTHING.search(clause) or _harms_at_first(words) or _is_to_be_done(clause):
        return True
    for place, word in enumerate(words):
        if stem(word) not in _HARMS or _AVOIDS.intersection(words[:place]):
            continue
        if not word.endswith("ed") or _ORDERS.intersection(words[:place]):
            return True
    return False
