"""Whether a model says more than is known without it; pure.

A small model likes to say again what it was told: the failure's own reason in other words (`caused
by a crash loop back-off`), a sentence of the rules, or the cause once more where a remedy is asked
for. None of it is wrong, and none of it is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Final

from kausa.diagnosis.matters import Matter
from kausa.diagnosis.model.answer.literals import normal, parts_of, sentences
from kausa.diagnosis.model.answer.words import GENERIC, stem
from kausa.diagnosis.model.protocol import ModelAnswer, ModelFix, ModelRequest
from kausa.resources.evidence import EvidenceKind

__all__ = ["is_only_the_cause", "known_by", "rests_on_the_question", "says_more"]

ALIKE: Final = 0.85
"""Of the words, in their order: from here on two texts say the same."""
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EDGE: Final = " .,;:!?\"'`"
_STARTS_AGAIN: Final = "back-off "
"""How the Event begins that tells of a crash loop: the same as its reason."""


def known_by(text: str) -> str:
    """The text as it is compared with others, so that nothing is said twice."""
    return normal(text).strip(_EDGE).removeprefix("the ")


def says_more(sentence: str, matters: Sequence[Matter]) -> bool:
    """Whether a sentence is more than a sentence of the rules, or than the failures' reasons.

    Of what does not fail anything may be said: that nothing does is an answer.
    Unlike `Corpus.says_why`, it takes a symptom that the reason does not tell for more: `the
    container exited` is an answer, though no cause.
    """
    by_rules = {
        known_by(each) for m in matters for text in (m.summary, m.cause) for each in sentences(text)
    }
    if known_by(sentence) in by_rules:
        return False
    if not matters or not all(each.fails for each in matters):
        return True
    parts = parts_of(sentence)
    about = [text for each in matters for text in _about(each)]
    own = {normal(each) for each in about}
    if any(normal(each) not in own for each in (*parts.quoted, *parts.numbers, *parts.names)):
        return True
    return bool(_stems([sentence]) - _stems(about) - GENERIC)


def rests_on_the_question(request: ModelRequest, citations: Sequence[str]) -> bool:
    """Whether nothing but the question bears it: what a person asks is no evidence for an answer.

    Where nothing is known to bear it, that is not known either.
    """
    asked = {each.id for each in request.evidence if each.kind == EvidenceKind.QUESTION}
    return bool(citations) and asked.issuperset(citations)


def is_only_the_cause(fix: ModelFix, answer: ModelAnswer) -> bool:
    """Whether a proposal only says what is wrong: nobody can do that."""
    if fix.command or fix.patch:
        return False
    label, colon, rest = fix.title.partition(": ")
    # `Root cause: ...`
    title = known_by(rest if colon and not _stems([label]) - GENERIC else fix.title)
    for text in (answer.root_cause, answer.summary):
        cause = known_by(text)
        alike = SequenceMatcher(a=title.split(), b=cause.split(), autojunk=False).ratio()
        if title and (alike >= ALIKE or f" {title} " in f" {cause} "):
            return True
    return False


def _about(matter: Matter) -> list[str]:
    """What anybody knows who knows that this fails: how, and what it is."""
    request = matter.request
    kind, _, name = request.target.partition("/")
    again = [e.text for e in request.evidence if e.text.lower().startswith(_STARTS_AGAIN)]
    return [
        *(request.reason, _HUMP.sub(" ", request.reason), kind, name, request.target),
        *(request.namespace, *matter.names, *again),
    ]


def _stems(texts: Iterable[str]) -> frozenset[str]:
    words = (word for text in texts for word in _WORD.findall(_HUMP.sub(" ", text)))
    return frozenset(stem(each) for each in words)
