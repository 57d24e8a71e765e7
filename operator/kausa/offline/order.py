"""In which order many failures are told: what others follow from first, then those that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kausa.offline.answers import Answer

__all__ = ["Told", "in_order", "upstream_of"]

DEEPEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer, and how far below its first cause it stands."""

    answer: Answer
    depth: int = 0


def in_order(answers: tuple[Answer, ...]) -> tuple[Told, ...]:
    """Each answer once; those that follow from another under it, the gravest first."""
    told: list[Told] = []
    left = sorted(answers, key=_weight)
    roots = [each for each in left if upstream_of(each, answers) is None]
    for root in [*roots, *left]:
        _tell(root, answers=left, depth=0, told=told)
    return tuple(told)


def _tell(answer: Answer, *, answers: list[Answer], depth: int, told: list[Told]) -> None:
    if depth > DEEPEST or any(each.answer is answer for each in told):
        return
    told.append(Told(answer=answer, depth=depth))
    for each in answers:
        if upstream_of(each, answers) is answer:
            _tell(each, answers=answers, depth=depth + 1, told=told)


def upstream_of(answer: Answer, answers: Sequence[Answer]) -> Answer | None:
    """What is said of that which this one follows from; None where nothing is."""
    symptom = answer.subject.symptom
    above = symptom.caused_by if symptom is not None else None
    if above is None:
        return None
    return next(
        (
            each
            for each in answers
            if each is not answer
            and (each.subject.owner.kind, each.subject.owner.name) == (above.kind, above.name)
            and above.namespace in (None, each.subject.owner.namespace)
        ),
        None,
    )


def _weight(answer: Answer) -> tuple[bool, int, str, str, str]:
    """What fails now before what will fail, or was only asked about."""
    owner = answer.subject.owner
    later = answer.subject.early or answer.subject.symptom is None
    return (later, -len(answer.subject.pods), owner.namespace, owner.kind, owner.name)
