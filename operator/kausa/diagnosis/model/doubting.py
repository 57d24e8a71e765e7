"""Whether rules go by words that need not be why a program ended.

Where no rule knows a program's last words, the rules still quote them, which is the best that can
be said without understanding them. Or they know a complaint that the program got over: it went on,
and did not complain again. Both were seen for sure and are no cause for sure; so a model is asked.
Of the cases that were recorded or published (docs/evaluation.md) none rests on such words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.prompt.lines import WENT_ON, is_log, went_on
from kausa.diagnosis.model.protocol import NumberedEvidence
from kausa.diagnosis.rules.application.told import WENT_ON as WENT_ON_SINCE
from kausa.diagnosis.rules.engine import LONGEST_TOGETHER
from kausa.evidence.dossier import Dossier, LogEntry, LogExcerpt
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy
from kausa.settings.model import SURE_RULES

__all__ = ["WENT_ON_SINCE", "cautious", "doubted", "in_question", "only_repeats"]

_AS_SURE_AS: Final = {Category.CRASH_LOOP: 75, Category.JOB: 88}
"""Percent: no rule that describes an end by its last words is surer; those that know it are."""
_BY_ITSELF: Final = range(1, 126)
"""Exit codes that a program chooses; the others say by themselves what happened."""
_OF_THE_PROGRAM: Final = frozenset({"Status", "Change", "Spec", "Question"})
_OF_THE_WHOLE: Final = "condition "
_LOOKED_AT: Final = 200
"""Lines behind a complaint: who works writes a few of them soon."""
_TELLING: Final = 50
"""Characters by which an entry is known in what rules quote."""
_LEAST_TELLING: Final = 20
"""Fewer stand in many a sentence."""


def only_repeats(dossier: Dossier, by_rules: Diagnosis) -> bool:
    """Whether the rules' diagnosis is a quotation that need not be the cause."""
    symptom = dossier.symptom
    if symptom is None or not by_rules.determined or by_rules.decided_by is not DecidedBy.RULES:
        return False
    if symptom.exit_code is not None and symptom.exit_code not in _BY_ITSELF:
        return False
    logs = [each for each in dossier.logs if symptom.container in (None, "", each.container)]
    told = [each for each in logs if each.text.strip()]
    if not told or any(map(_ends_with_a_complaint, told)):
        return False
    most = _AS_SURE_AS.get(by_rules.category, -1) if by_rules.category is not None else -1
    return by_rules.confidence <= most or any(_rests_on_survived(by_rules, each) for each in told)


def cautious(dossier: Dossier, by_rules: Diagnosis) -> Diagnosis:
    """The diagnosis as it is published: not sure of a complaint that the program got over."""
    if by_rules.confidence < SURE_RULES or not only_repeats(dossier, by_rules):
        return by_rules
    if not any(_rests_on_survived(by_rules, each) for each in dossier.logs):
        return by_rules
    told = f"{by_rules.root_cause} {WENT_ON_SINCE}".strip()
    room = len(by_rules.summary) + len(told) <= LONGEST_TOGETHER
    most = SURE_RULES - 1
    return replace(
        by_rules,
        confidence=most,
        root_cause=told if room else by_rules.root_cause,
        explanation=f"{WENT_ON_SINCE} {by_rules.explanation}".strip(),
        # They were less sure than the cause, and are not to be surer than it now.
        alternatives=tuple(
            replace(each, confidence=min(each.confidence, most)) for each in by_rules.alternatives
        ),
    )


def doubted(dossier: Dossier, by_rules: Diagnosis) -> Diagnosis:
    """The diagnosis as somebody is asked about it: undecided, where it only repeats."""
    if not only_repeats(dossier, by_rules):
        return by_rules
    return replace(
        by_rules,
        determined=False,
        confidence=min(by_rules.confidence, SURE_RULES - 1),
        # They repeat the same, or tell what follows from it.
        alternatives=(),
    )


def in_question(evidence: Sequence[NumberedEvidence]) -> tuple[NumberedEvidence, ...]:
    """What a model reads of a failure that only the log explains: the end of the log, and neither
    what follows from the failure nor what the program got over, which a small one takes for it."""
    logs = [each for each in evidence if is_log(each)]
    ends = {each.source: each.id for each in logs}
    return tuple(
        each
        for each in evidence
        if (each.id == ends.get(each.source) if is_log(each) else each.kind in _OF_THE_PROGRAM)
        and not each.text.startswith(_OF_THE_WHOLE)
    )


def _ends_with_a_complaint(log: LogExcerpt) -> bool:
    """Whether the program itself calls what it ended with a failure."""
    return any(
        entry.level == "fatal" or (entry.level == "error" and not _got_over(entry, log))
        for entry in log.entries
    )


def _rests_on_survived(by_rules: Diagnosis, log: LogExcerpt) -> bool:
    return any(
        _got_over(entry, log) and _is_quoted(entry, by_rules.root_cause) for entry in log.entries
    )


def _is_quoted(entry: LogEntry, cause: str) -> bool:
    """Whether it is what rules quote, with the time and the level in front of it or without."""
    line, message = (" ".join(each.split())[:_TELLING] for each in (entry.text, entry.message))
    return line in cause or (len(message) >= _LEAST_TELLING and message in cause)


def _got_over(entry: LogEntry, log: LogExcerpt) -> bool:
    behind = log.lines - entry.last_line
    return behind >= WENT_ON and went_on(log.text.split("\n")[-min(behind, _LOOKED_AT) :])
