"""All rules on one dossier; the surest finding wins, the others are alternatives.

The category of a diagnosis is that of its cause, which may be another than the symptom's: a crash
loop whose program lacks a variable is `Config`, one whose database refuses it is `Dependency`, one
that may not read a file is `Permission`. docs/rules.md has the whole convention.

Of two that are as sure, the rule that stands earlier in `RULES` wins: those that name a cause stand
before those that describe what is seen. What else fails in the same Pod, and what was changed right
before, is said behind the cause where there is room.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from kausa.diagnosis.finding import Diagnosis, Finding
from kausa.diagnosis.rules.application.questions import log_answers
from kausa.diagnosis.rules.application.told import program_says
from kausa.diagnosis.rules.besides import other_failures
from kausa.diagnosis.rules.changed import Changed, changed_before
from kausa.diagnosis.rules.config import configuration_missing
from kausa.diagnosis.rules.crash import crash_loop, runtime_cannot_start
from kausa.diagnosis.rules.healthy import nothing_fails, standing
from kausa.diagnosis.rules.hooks import ends_too_slowly, hook_fails
from kausa.diagnosis.rules.image import image_cannot_be_pulled, pull_behind_it
from kausa.diagnosis.rules.memory import out_of_memory
from kausa.diagnosis.rules.probes import killed_by_liveness_probe, probe_fails
from kausa.diagnosis.rules.repeats import says_again
from kausa.diagnosis.rules.rule import Rule
from kausa.diagnosis.rules.scheduling import no_node_fits
from kausa.diagnosis.rules.stated import kubernetes_states_it
from kausa.diagnosis.rules.surroundings_rules import RULES as SURROUNDINGS
from kausa.diagnosis.rules.wording import clip, plainly
from kausa.evidence.dossier import Dossier
from kausa.resources.diagnosis import DecidedBy
from kausa.resources.evidence import EvidenceKind
from kausa.resources.limits import CITATIONS

__all__ = ["LEAST_CONFIDENCE", "RULES", "Rule", "decide_by_rules", "find_all"]

RULES: tuple[Rule, ...] = (
    out_of_memory,
    image_cannot_be_pulled,
    pull_behind_it,
    configuration_missing,
    no_node_fits,
    runtime_cannot_start,
    hook_fails,
    ends_too_slowly,
    killed_by_liveness_probe,
    probe_fails,
    program_says,
    crash_loop,
    *SURROUNDINGS,
    kubernetes_states_it,
    log_answers,
    nothing_fails,
)
MOST_MISSING = 4
"""Of what could not be read, in a sentence: more is a wall of text."""
LEAST_CONFIDENCE = 50
"""Below this a finding is an alternative at best: a confident guess is a defect."""
SURE = 70
"""Nobody is said to be healthy of whom a failure is known as surely as this."""
HEALTHY = "healthy.nothing-fails"
ANSWERED = "application.question"
LONGEST_TOGETHER = 680
"""Characters of summary and root cause: what a person reads at a glance."""
LEAST_ADDED = 60


def find_all(dossier: Dossier) -> tuple[Finding, ...]:
    """Every finding that rests on evidence, the surest first, each cause once."""
    findings = [finding for rule in RULES if (finding := rule(dossier)) is not None]
    if any(each.confidence >= SURE or each.rule == ANSWERED for each in _failures(findings)):
        findings = _failures(findings)
    cited = sorted((each for each in findings if each.citations), key=lambda each: -each.confidence)
    return tuple(_once(cited))


def _failures(findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if each.rule != HEALTHY]


def _once(findings: list[Finding]) -> Iterator[Finding]:
    told: set[str] = set()
    for each in findings:
        if each.rule not in told and each.summary not in told:
            told.update((each.rule, each.summary))
            cause = plainly(each.root_cause)
            yield dataclasses.replace(
                each, summary=plainly(each.summary), root_cause=f"{cause[:1].upper()}{cause[1:]}"
            )


def decide_by_rules(dossier: Dossier) -> Diagnosis:
    """The rules' answer; undetermined, with what was seen, where no rule is sure enough."""
    findings = find_all(dossier)
    if not findings or findings[0].confidence < LEAST_CONFIDENCE:
        return _undetermined(dossier, alternatives=findings)
    best, *rest = findings
    others = [each for each in rest if not says_again(each, cause=best, dossier=dossier)]
    beside = tuple(_elsewhere(dossier, best))
    changed = changed_before(dossier, best.category)
    added = (
        changed.sentence if changed is not None else "",
        *(f"Besides, {each.summary}." for each in beside if each.summary not in best.root_cause),
    )
    return Diagnosis(
        category=best.category if best.rule != HEALTHY else None,
        summary=best.summary,
        root_cause=_with(best, added),
        explanation=" ".join((best.explanation, *(f"Besides: {each.summary}." for each in beside))),
        confidence=best.confidence,
        decided_by=DecidedBy.RULES,
        citations=_cited(best, changed, beside),
        fixes=best.fixes,
        alternatives=(*beside, *(each for each in others if each.summary not in _said(beside))),
    )


def _cited(best: Finding, changed: Changed | None, beside: tuple[Finding, ...]) -> tuple[str, ...]:
    found = (
        *best.citations,
        *(changed.citations if changed is not None else ()),
        *(id_ for each in beside for id_ in each.citations),
    )
    return tuple(dict.fromkeys(found))[:CITATIONS]


def _said(findings: tuple[Finding, ...]) -> frozenset[str]:
    return frozenset(each.summary for each in findings)


def _elsewhere(dossier: Dossier, best: Finding) -> Iterator[Finding]:
    """What else fails in the Pod: for each other symptom the surest that is sure enough."""
    for symptom in other_failures(dossier):
        found = find_all(dataclasses.replace(dossier, symptom=symptom))
        first = next(iter(found), None)
        if first is None or first.confidence < LEAST_CONFIDENCE or first.rule == HEALTHY:
            continue
        if first.summary != best.summary and first.rule != best.rule:
            yield first


def _with(best: Finding, added: tuple[str, ...]) -> str:
    """The cause, and behind it what else is to be said as far as there is room."""
    text = best.root_cause
    for sentence in added:
        room = LONGEST_TOGETHER - len(best.summary) - len(text) - 1
        if sentence and room >= min(len(sentence), LEAST_ADDED):
            text = f"{text} {clip(sentence, characters=room)}"
    return text


def _undetermined(dossier: Dossier, *, alternatives: tuple[Finding, ...]) -> Diagnosis:
    symptom = dossier.symptom
    seen = alternatives[0].summary if alternatives else _seen(dossier)
    missing = _missing(dossier)
    return Diagnosis(
        category=symptom.category if symptom is not None else None,
        summary=f"cause not determined: {seen}",
        root_cause=" ".join(
            (
                "What was read does not decide the cause.",
                *(each.root_cause for each in alternatives[:1]),
            )
        ),
        explanation=f"Seen: {seen}. "
        + (
            f"Could not be read: {missing}."
            if missing
            else "Nothing that was asked for is missing; what is needed is what the program said "
            "in the run that failed, or an Event that says why."
        ),
        confidence=0,
        decided_by=DecidedBy.RULES,
        citations=dossier.cite(EvidenceKind.STATUS, EvidenceKind.EVENT),
        determined=False,
        alternatives=alternatives,
    )


def _missing(dossier: Dossier) -> str:
    """What could not be read, in a line; all of it stands in the gaps."""
    told = [f"{clip(gap.what, characters=80)} ({gap.why})" for gap in dossier.gaps[:MOST_MISSING]]
    more = len(dossier.gaps) - len(told)
    return "; ".join((*told, f"{more} more") if more else told)


def _seen(dossier: Dossier) -> str:
    symptom = dossier.symptom
    if symptom is None:
        return clip(standing(dossier), characters=200)
    of = f" of container {symptom.container}" if symptom.container else ""
    return f"{symptom.reason}{of}"
