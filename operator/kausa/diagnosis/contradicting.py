"""Whether a model's answer to a question contradicts what rules are sure of; pure.

Rules that are sure win: their cause was computed from facts. An answer agrees with a failure where
its category is the rules', or where it speaks of the same things: a name or number that isn't just
one of the object, or two telling words. A resource does not tell the category of its cause, so
there its words have to fit the category that the model chose. What says neither is shown all the
same, for a person may have asked for something else than the cause; but it says so, and is at most
as sure as rules leave room for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kausa.diagnosis.matters import FROM_MEMORY, Matter
from kausa.diagnosis.model.answer.categories import has_cue
from kausa.diagnosis.model.answer.literals import normal, parts_of, sentences
from kausa.diagnosis.model.answer.words import GENERIC, stem
from kausa.diagnosis.model.protocol import ModelAnswer, ModelRequest
from kausa.resources.category import Category

__all__ = ["contradicted", "with_room_for"]

_FEWEST_WORDS: Final = 2
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_APART: Final = re.compile(r"[\s/:=,@\"'`()\[\]]+")


def contradicted(
    matters: Sequence[Matter], request: ModelRequest, answer: ModelAnswer, *, guessed: bool = False
) -> tuple[Matter, ...]:
    """The failures whose sure rules say something else than the answer.

    None where it agrees with one of them, where rules are not sure of all of them, or where it
    rests on what memory holds, which is about other failures. `matters`: those it was told of.
    `guessed`: the model's own category had nothing to it, so this one tells nothing.
    """
    if not matters or not all(each.sure and each.fails for each in matters):
        return ()
    remembered = {each.id for each in request.evidence if each.kind in FROM_MEMORY}
    if remembered.intersection(answer.citations):
        return ()
    if guessed:
        answer = replace(answer, category=None)
    return () if any(_agrees(each, answer) for each in matters) else tuple(matters)


def with_room_for(matters: Sequence[Matter], answer: ModelAnswer) -> ModelAnswer:
    """The answer, no surer than the rules that it contradicts are unsure."""
    surest = max((each.confidence for each in matters), default=0)
    return replace(answer, confidence=min(answer.confidence, 100 - surest))


def _agrees(matter: Matter, answer: ModelAnswer) -> bool:
    ruling = matter.request.ruling
    ruled = ruling.category if ruling is not None else None
    chosen = answer.category
    by_rules = f"{matter.summary}. {matter.cause}"
    if chosen is not None and chosen is ruled:
        return True
    unknown = ruled is None and chosen is not None and chosen is not Category.OTHER
    if unknown and chosen is not None and has_cue(chosen, normal(by_rules)):
        return True
    about = (*matter.names, matter.request.namespace, matter.request.reason)
    names = frozenset(normal(each) for each in about)
    things, words = _told(by_rules, names)
    other_things, other_words = _told(f"{answer.summary}. {answer.root_cause}", names)
    return bool(things & other_things) or len(words & other_words) >= _FEWEST_WORDS


def _told(text: str, names: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """What a text names and counts, and the stems of its telling words."""
    things: set[str] = set()
    for sentence in sentences(text):
        parts = parts_of(sentence)
        things |= {normal(each) for each in (*parts.quoted, *parts.numbers, *parts.names)}
    # `Deployment/api` is only the object itself, and one digit stands everywhere.
    telling = {each for each in things if len(each) > 1 and not names & set(_APART.split(each))}
    own = {stem(word) for name in names for word in _WORD.findall(name)}
    words = {stem(each) for each in _WORD.findall(normal(text))}
    return frozenset(telling), frozenset(words - own - GENERIC)
