"""The rule: what the failing container said last, where that is an idea known here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.application.catalogue import IDEAS
from kausa.diagnosis.rules.application.idea import Idea, Told
from kausa.diagnosis.rules.application.saying import Saying, Trust, sayings
from kausa.diagnosis.rules.application.subjects import last_end
from kausa.diagnosis.rules.statement import tell
from kausa.diagnosis.rules.telling import LONGEST_SUMMARY, citing, subject
from kausa.diagnosis.rules.wording import clip, ending, quoted, sentence
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["OVERCOME", "Heard", "hear", "program_says", "words_of"]

_EXPLAINED = frozenset(
    {Category.CRASH_LOOP, Category.JOB, Category.ROLLOUT, Category.OTHER, Category.SERVICE}
)
"""Failures that a program's words explain; the others are explained by what Kubernetes says."""
_LESS = {Trust.LAST: 0, Trust.EARLIER: 12, Trust.EVENT: 6}
"""How much less sure it is that words are the cause, the further they are from the end."""
SURVIVED = 70
"""What was said before a fatal entry that tells its own reason: less than repeating that entry."""
OVERCOME = 59
"""What the program says itself that it got over: not sure enough to be believed unasked."""
WENT_ON = "The program went on with its work after that, so it need not be the cause."
_FINISHED = 0
MOST_SAYINGS = 80
LONGEST_WORD = 160
LONGEST_CAUSE = 330
LONGEST_QUOTE = 180
_AROUND = re.compile(r"^(?:[ ,;:]|\.(?![A-Za-z_/]|\./))+|[ .,;:]+$")
"""A dot in front belongs to a file such as `.env`."""
_HARMLESS = re.compile(r"[\w./:=,@{}\[\]* -]*")


class _Words(dict[str, str]):
    """What nobody told is empty."""

    def __missing__(self, key: str) -> str:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An idea, what it was known by, and who said it."""

    idea: Idea
    told: Told
    saying: Saying

    @property
    def confidence(self) -> int:
        """How sure it is that this is the cause."""
        sure = self.idea.confidence - _LESS[self.saying.trust]
        if self.saying.overcome:
            return min(sure, OVERCOME)
        return min(sure, SURVIVED) if self.saying.before_the_end else sure


def program_says(dossier: Dossier) -> Finding | None:
    """The cause that the program names itself, with how it ended and its own words."""
    symptom = dossier.symptom
    if symptom is None or symptom.category not in _EXPLAINED:
        return None
    heard = hear(dossier)
    if heard is None:
        return None
    finished = symptom.category is Category.CRASH_LOOP and symptom.exit_code == _FINISHED
    if finished and (heard.idea.weak or heard.saying.trust is not Trust.LAST):
        return None
    return _finding(heard, dossier, symptom)


def hear(dossier: Dossier) -> Heard | None:
    """The first strong idea in the last words, else before them, else a weak one; what the program
    got over comes after all else."""
    said = list(_bounded(dossier))
    troubles = [each for each in said if not each.overcome]
    return _first(troubles, dossier) or _first([each for each in said if each.overcome], dossier)


def _first(texts: Sequence[Saying], dossier: Dossier) -> Heard | None:
    for weak in (False, True):
        for saying in texts:
            for idea in IDEAS:
                if idea.weak is not weak or (weak and saying.harmless):
                    continue
                heard = _in(saying, idea, dossier)
                if heard is not None:
                    return heard
    return None


def _bounded(dossier: Dossier) -> Iterator[Saying]:
    for number, saying in enumerate(sayings(dossier)):
        if number >= MOST_SAYINGS:
            return
        yield saying


def _in(saying: Saying, idea: Idea, dossier: Dossier) -> Heard | None:
    told = idea.look(saying.text)
    if told is not None:
        told = idea.complete(told, dossier)
    return None if told is None else Heard(idea=idea, told=told, saying=saying)


def words_of(heard: Heard, dossier: Dossier) -> _Words:
    """Everything that the idea's texts may name."""
    container = dossier.container(heard.saying.container)
    told = _Words(
        {
            "container": heard.saying.container or "of the Pod",
            "image": container.image if container is not None else "",
            "command": " ".join((container.command if container is not None else ()) or ()),
            "pod": dossier.pod.metadata.name,
            "subject": subject(dossier),
            "namespace": dossier.owner.namespace,
        }
    )
    for name, value in heard.told.items():
        told[name] = _AROUND.sub("", clip(value, characters=LONGEST_WORD))
    return told


def _finding(heard: Heard, dossier: Dossier, symptom: Symptom) -> Finding:
    idea, told = heard.idea, words_of(heard, dossier)
    cause = clip(tell(idea.cause, told), characters=LONGEST_CAUSE)
    status = dossier.container_status(heard.saying.container)
    how = ending(symptom, last_end(status), container=heard.saying.container)
    citations = _citations(heard, dossier, symptom)
    explanation = tell(idea.explanation, told)
    if heard.saying.overcome:
        explanation = f"{WENT_ON} {explanation}"
    return Finding(
        rule=idea.rule,
        category=idea.category or symptom.category,
        summary=clip(tell(idea.summary, told), characters=LONGEST_SUMMARY),
        root_cause=" ".join(
            (sentence(cause), how, quoted(heard.saying.text, characters=LONGEST_QUOTE))
        ),
        explanation=explanation,
        confidence=heard.confidence,
        citations=citations,
        fixes=(_fix(idea, told, rationale=explanation, citations=citations),),
    )


def _fix(idea: Idea, told: _Words, *, rationale: str, citations: tuple[str, ...]) -> Fix:
    command = tell(f"<<{idea.command}>>", told) if idea.command is not None else ""
    return Fix(
        title=clip(tell(idea.advice, told), characters=LONGEST_SUMMARY),
        rationale=rationale,
        command=command if command and _HARMLESS.fullmatch(command) else None,
        risk=idea.risk if idea.risk_of is None else idea.risk_of(told),
        citations=citations,
    )


def _citations(heard: Heard, dossier: Dossier, symptom: Symptom) -> tuple[str, ...]:
    container = f"container {heard.saying.container}:"
    found = dict.fromkeys(
        (
            *heard.saying.citations,
            *dossier.cite(EvidenceKind.STATUS, containing=container),
            *dossier.cite(EvidenceKind.REFERENCE, containing=heard.told.get("service") or "\0"),
        )
    )
    return tuple(found)[:8] or citing(dossier)
