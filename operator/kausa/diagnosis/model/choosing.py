"""Which model answers: a small one what is plain, one that reasons what is hard.

How hard a failure is, is a number from 0 to 1 with its reasons. Every sign of trouble takes a share
of what is left to 1 (as independent risks add up), so that none decides alone, none ever makes a
failure easier, and the order does not matter. The shares are estimates by hand, not learnt: what
matters is their order, and that two or three signs together reach the threshold.

Pure: nothing is asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kausa.cluster.objects import ContainerStatus
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.protocol import ModelRequest
from kausa.evidence.dossier import Dossier

__all__ = ["Choice", "Complexity", "Role", "Sign", "choose", "complexity", "of_request", "weigh"]

SURE: Final = 80
"""Percent: rules that are as sure as this make nothing hard."""
CLOSE: Final = 15
"""Percent points between two causes that can't both be true, and either may be."""
LEAST_RIVAL: Final = 40
_LONG_WORDS, _VERY_LONG_WORDS = 25, 120
_MOST_READ: Final = 4_000
"""Characters of a question; the API takes fewer."""

_WORD: Final = re.compile(r"[\w'-]+")
_ANALYTIC: Final = re.compile(
    r"\b(?:why|how|explain|compare|differen(?:ce|t)|relat(?:e|ed|ion)|root cause|because)\b", re.I
)
_LOOK_UP: Final = re.compile(r"\b(?:what|which|who|when|where|is|are|does|did)\b", re.I)
_HEDGED: Final = re.compile(
    r"\b(?:maybe|perhaps|might|possibly|probably|seems?|somehow|sometimes|intermittent(?:ly)?|"
    r"random(?:ly)?|occasionally|sporadic(?:ally)?|not sure|unsure|i (?:think|guess)|unclear|"
    r"now and then|once in a while)\b",
    re.I,
)
_PART: Final = re.compile(
    r"\?(?=\s*\S)|;|\b(?:and|or|but)\s+(?:why|how|what|which|when|where|who|is|are|does|did)\b",
    re.I,
)
_BEGINS: Final = frozenset({"ContainerCreating", "PodInitializing"})


class Role(StrEnum):
    """As what a model was chosen; a closed list, for labels of metrics."""

    SIMPLE = "simple"
    REASONING = "reasoning"
    FORCED = "forced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One reason why a failure is hard."""

    share: float
    """0 to below 1: of what was left to 1."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complexity:
    """How hard a failure is."""

    score: float = 0.0
    """0 (plain) to 1."""
    reasons: tuple[str, ...] = ()
    """In words, what weighs most first."""

    @property
    def percent(self) -> int:
        """The score as the status shows it."""
        return round(self.score * 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which model is asked."""

    model: str
    role: Role
    why: str
    """One line for the status."""
    complexity: Complexity
    thinks: bool = False
    """Whether it is asked to think before it answers, where it can."""


_NO_RULE: Final = Sign(share=0.6, reason="no rule names a cause")
_TOGETHER: Final = 0.25
"""With no rule this reaches the usual threshold."""


def complexity(dossier: Dossier, by_rules: Diagnosis, *, question: str | None = None) -> Complexity:
    """Say how hard it is to tell why this fails, and to answer the question where there is one."""
    signs = [*_of_rules(by_rules), *_of_containers(dossier), *_of_question(question or "")]
    return weigh(signs)


def of_request(request: ModelRequest) -> Complexity:
    """Say the same of a question that a person asks, about what is published of some failures."""
    signs = [*_of_question(request.question or "")]
    several = len(request.findings)
    if several > 1:
        signs.append(Sign(share=_TOGETHER, reason=f"it is about {several} failures"))
    elif request.ruling is None and (several or request.objects):
        # A failure of which rules found nothing, or nothing that is told; what only memory knows
        # is about no object.
        signs.append(_NO_RULE)
    elif request.ruling is not None:
        signs += _of_confidence(request.ruling.confidence)
    return weigh(signs)


def weigh(signs: list[Sign]) -> Complexity:
    """Put the signs together."""
    left = 1.0
    for sign in signs:
        left *= 1.0 - sign.share
    ordered = sorted(signs, key=lambda each: -each.share)
    return Complexity(
        # Rounded, so that what comes to a threshold reaches it.
        score=round(min(1.0, max(0.0, 1.0 - left)), 6),
        reasons=tuple(each.reason for each in ordered),
    )


def choose(
    judged: Complexity, *, simple: str, reasoning: str, threshold: float, forced: str | None = None
) -> Choice:
    """Choose: who is forced, else the reasoning model at or above the threshold."""
    hard = judged.score >= threshold
    if forced is not None:
        # Thinking takes minutes: one that was named because it is small is not made to.
        thinks = hard or (forced == reasoning != simple)
        return Choice(
            model=forced,
            role=Role.FORCED,
            why="spec.model names it",
            complexity=judged,
            thinks=thinks,
        )
    said = f"complexity {judged.percent} %"
    if judged.reasons:
        said += f" ({'; '.join(judged.reasons)})"
    if hard:
        return Choice(
            model=reasoning, role=Role.REASONING, why=said, complexity=judged, thinks=True
        )
    return Choice(model=simple, role=Role.SIMPLE, why=said, complexity=judged)


def _of_rules(by_rules: Diagnosis) -> Iterator[Sign]:
    if by_rules.determined:
        yield from _of_confidence(by_rules.confidence)
    else:
        yield _NO_RULE
    causes = {
        each.category
        for each in by_rules.alternatives
        if each.confidence >= max(LEAST_RIVAL, by_rules.confidence - CLOSE)
    }
    if by_rules.determined and by_rules.category is not None:
        causes.add(by_rules.category)
    if len(causes) > 1:
        yield Sign(share=0.4, reason="the evidence speaks for more than one cause")


def _of_confidence(percent: int) -> Iterator[Sign]:
    if percent < SURE:
        doubt = (SURE - percent) / SURE
        yield Sign(share=round(0.8 * doubt, 4), reason=f"rules are only {percent} % sure")


def _of_containers(dossier: Dossier) -> Iterator[Sign]:
    failing = sum(1 for each in dossier.pod.status.all_container_statuses if _fails(each))
    if failing > 1:
        yield Sign(
            share=_TOGETHER if failing == 2 else 0.35, reason=f"{failing} containers fail together"
        )


def _fails(status: ContainerStatus) -> bool:
    if status.ready:
        return False
    waiting, ended = status.state.waiting, status.state.terminated
    if waiting is not None and waiting.reason and waiting.reason not in _BEGINS:
        return True
    last = ended or status.last_state.terminated
    return last is not None and last.exit_code != 0


def _of_question(question: str) -> Iterator[Sign]:
    text = question[:_MOST_READ]
    words = len(_WORD.findall(text))
    if not words:
        return
    if _ANALYTIC.search(text):
        yield Sign(share=0.15, reason="the question asks why or how")
    elif _LOOK_UP.search(text):
        yield Sign(share=0.05, reason="the question asks for a fact")
    parts = 1 + len(_PART.findall(text))
    if parts > 1:
        yield Sign(share=min(0.4, 0.15 * (parts - 1)), reason=f"the question has {parts} parts")
    if words > _LONG_WORDS:
        long = min(1.0, (words - _LONG_WORDS) / (_VERY_LONG_WORDS - _LONG_WORDS))
        yield Sign(share=round(0.1 + 0.2 * long, 4), reason=f"the question has {words} words")
    hedges = len({each.lower() for each in _HEDGED.findall(text)})
    if hedges:
        yield Sign(share=min(0.3, 0.12 * hedges), reason="the question is not sure of what it saw")
