"""The status as it grows: every step adds what it found, and says so in a condition.

Pure: it holds no connection. `status()` is always whole and true, at any point of the way, because
a server-side apply takes away what it leaves out.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from kausa.controller.diagnosis_documents import (
    change_parts,
    diagnosis_part,
    evidence_parts,
    model_part,
    similar_part,
)
from kausa.controller.runbook_passages import failing_of, runbook_passages
from kausa.diagnosis.consultation import Consultation
from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.prompt.screening import suspicion
from kausa.diagnosis.recollection import Recollection
from kausa.diagnosis.rules.wording import plural
from kausa.evidence.dossier import Dossier, EvidenceGap
from kausa.resources import diagnosis as resource_diagnosis
from kausa.resources.condition import (
    DIAGNOSED,
    EVIDENCE_GATHERED,
    MEMORY_RECALLED,
    MODEL_CONSULTED,
    RESOLVED,
    SUSPICIOUS_TEXT,
    Condition,
    ConditionStatus,
    find_condition,
    set_condition,
)
from kausa.resources.diagnosis import DecidedBy, Timings
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.status import FailureDiagnosisStatus

__all__ = ["SURE_BY_LOG", "SURE_BY_STATUS", "Report", "kept_diagnosis"]

OUR_CONDITIONS = (DIAGNOSED, EVIDENCE_GATHERED, MEMORY_RECALLED, MODEL_CONSULTED)
"""Those that every diagnosis sets."""
SURE_BY_STATUS, SURE_BY_LOG = 80, 60
"""From these confidences on, rules that know the status alone, or the log as well, may be heard
before the rest of the evidence is there. Of the recorded cases that are told so by the status, 110
of 117 come to the same category with all of the evidence; with the log 146 of 155."""
AWAITING = frozenset(
    {
        *("Queued", "QueueFull", "Unavailable", "CircuitOpen", "ModelMissing", "BudgetSpent"),
        *("DeadlineExceeded", "EvidenceMissing", "Disabled", "Refused"),
    }
)
"""Reasons why the model was not consulted that may be over by now."""
OUR_PARTS = (
    *("diagnosis", "evidence", "evidence_gaps", "changes", "redactions"),
    *("similar", "similar_count", "runbooks", "model"),
)


class Report:
    """What the diagnosis' field manager says of one resource."""

    def __init__(self, resource: FailureDiagnosis, *, clock: Callable[[], datetime]) -> None:
        self.resource = resource
        self.milliseconds_to_diagnosis: int | None = None
        self._clock = clock
        self._generation = resource.metadata.generation or 1
        # An apply takes away what it leaves out: what is known stays until it is replaced.
        self._parts: dict[str, Any] = {
            name: value
            for name in OUR_PARTS
            if (value := getattr(resource.status, name, None)) is not None
        }
        self._parts["target"] = resource.spec.target.label
        known = resource.status
        self._timings = (known.timings if known is not None else None) or Timings()
        before = resource.status.conditions if resource.status is not None else None
        self._conditions: tuple[Condition, ...] = tuple(
            each for each in before or () if each.type in (*OUR_CONDITIONS, SUSPICIOUS_TEXT)
        )
        self._already = self._conditions
        for type_ in OUR_CONDITIONS:
            # What an earlier generation was told stands until there is something newer.
            if find_condition(self._already, type_) is None:
                self._set(type_, ConditionStatus.UNKNOWN, "Gathering", "")

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.resource.metadata.namespace or "", self.resource.metadata.name

    def complete(self) -> bool:
        """Whether an earlier run finished for this generation and these questions."""
        done = (find_condition(self._already, type_) for type_ in OUR_CONDITIONS)
        return all(
            each is not None
            and each.status is not ConditionStatus.UNKNOWN
            and each.observed_generation == self._generation
            for each in done
        )

    @property
    def determined_before(self) -> bool:
        """Whether an earlier diagnosis named a cause."""
        before = find_condition(self._already, DIAGNOSED)
        return before is not None and before.status is ConditionStatus.TRUE

    @property
    def begun_before(self) -> bool:
        """Whether it says already that it is looked at."""
        return find_condition(self._already, DIAGNOSED) is not None

    @property
    def says_something(self) -> bool:
        """Whether it tells what fails already: by a glance, or an earlier look."""
        return "diagnosis" in self._parts

    @property
    def diagnosed_before(self) -> bool:
        """Whether there is a diagnosis of an earlier generation to be kept."""
        before = find_condition(self._already, DIAGNOSED)
        return before is not None and before.status is not ConditionStatus.UNKNOWN

    @property
    def confidence(self) -> int:
        """Of the diagnosis as it stands, in percent."""
        diagnosis = self._parts.get("diagnosis")
        return diagnosis.confidence if diagnosis is not None else 0

    @property
    def answered_digest(self) -> str:
        """Of the question that the model has answered in this status; empty where it has not."""
        consulted = find_condition(self._already, MODEL_CONSULTED)
        use = self.resource.status.model if self.resource.status is not None else None
        if use is None or consulted is None or consulted.status is not ConditionStatus.TRUE:
            return ""
        return use.digest or ""

    @property
    def refused(self) -> tuple[str, str]:
        """The digest of a question to which no answer held, and what was wrong; empty where one did
        or nobody was asked."""
        consulted = find_condition(self._already, MODEL_CONSULTED)
        use = self._parts.get("model")
        if use is None or consulted is None or consulted.reason != ModelInvalidAnswer.reason:
            return "", ""
        return use.digest or "", consulted.message

    @property
    def resolved(self) -> bool:
        """Whether the failure is over."""
        status = self.resource.status
        resolved = find_condition((status.conditions if status else None) or (), RESOLVED)
        return resolved is not None and resolved.status is ConditionStatus.TRUE

    @property
    def awaits_model(self) -> bool:
        """Whether an answer of the model is still to be had, as far as the status tells; where a
        person asks, also when the failure is over.
        """
        return self.says_it_waits and (not self.resolved or bool(self.resource.spec.question))

    @property
    def says_it_waits(self) -> bool:
        """Whether the condition says so."""
        consulted = find_condition(self._already, MODEL_CONSULTED)
        return (
            consulted is not None
            and consulted.status is ConditionStatus.FALSE
            and consulted.reason in AWAITING
        )

    @property
    def had_its_place(self) -> bool:
        """Whether an earlier look found that a model is needed."""
        consulted = find_condition(self._already, MODEL_CONSULTED)
        disabled = consulted is not None and consulted.reason == "Disabled"
        return self.awaits_model and not disabled

    @property
    def waited_seconds(self) -> float:
        """How long it has waited for the model, where it does."""
        consulted = find_condition(self._already, MODEL_CONSULTED)
        if consulted is None or not self.awaits_model:
            return 0.0
        return max(0.0, (self._clock() - consulted.last_transition_time).total_seconds())

    def suspended(self) -> None:
        """A person does not want it diagnosed."""
        for type_ in OUR_CONDITIONS:
            self._set(type_, ConditionStatus.UNKNOWN, "Suspended", "spec.suspend is true")

    def failed(self, error: Exception) -> None:
        """A defect of ours. An earlier answer stands; without one it is tried again."""
        if self.diagnosed_before:
            return
        message = f"Kausa failed ({type(error).__name__}); the operator's log has the details."
        for type_ in OUR_CONDITIONS:
            self._set(type_, ConditionStatus.UNKNOWN, "Failed", message)
        self._set(DIAGNOSED, ConditionStatus.FALSE, "Failed", message)

    def no_target(self) -> None:
        """There is nothing to look at."""
        target = self.resource.spec.target
        inside = f" with a container {target.container}" if target.container else ""
        message = (
            f"{target.label}{inside} does not exist in this namespace, or may not be read. "
            "Check the name, or delete this resource."
        )
        self._parts["diagnosis"] = resource_diagnosis.Diagnosis(
            summary=message, confidence=0, decided_by=DecidedBy.RULES
        )
        for type_ in (EVIDENCE_GATHERED, MEMORY_RECALLED, MODEL_CONSULTED):
            self._set(type_, ConditionStatus.FALSE, "NoTarget", message)
        self._set(DIAGNOSED, ConditionStatus.FALSE, "Undetermined", message)

    def gathered(self, dossier: Dossier, *, seconds: float) -> None:
        """Evidence, and what could not be read."""
        evidence, gaps, redactions = evidence_parts(dossier)
        self._withdraw_answer()
        self._parts |= {
            "evidence": evidence or None,
            "evidence_gaps": gaps or None,
            "changes": change_parts(dossier) or None,
            "redactions": redactions or None,
        }
        self._time(gather_milliseconds=round(seconds * 1000))
        missing = "; ".join(_said(gap) for gap in dossier.gaps)
        if missing:
            forbidden = any(gap.permission for gap in dossier.gaps)
            reason = "Forbidden" if forbidden else "Incomplete"
            self._set(EVIDENCE_GATHERED, ConditionStatus.FALSE, reason, missing)
        else:
            found = plural(len(evidence), "piece") + " of evidence"
            self._set(EVIDENCE_GATHERED, ConditionStatus.TRUE, "Complete", found)

    def _withdraw_answer(self) -> None:
        """The model was asked about something else: nobody is to take the rules' words for its
        answer, nor the status for complete, should this process end here.
        """
        consulted = find_condition(self._conditions, MODEL_CONSULTED)
        if consulted is not None and consulted.status is ConditionStatus.TRUE:
            message = "what the model was asked about has changed"
            self._parts.pop("model", None)
            self._set(MODEL_CONSULTED, ConditionStatus.UNKNOWN, "Gathering", message)

    def decided(self, diagnosis: Diagnosis, *, detected_at: float | None) -> None:
        """The answer, whoever gave it."""
        self._parts["diagnosis"] = diagnosis_part(diagnosis)
        if diagnosis.determined:
            reason = f"DecidedBy{diagnosis.decided_by}"
            self._set(DIAGNOSED, ConditionStatus.TRUE, reason, diagnosis.summary)
        else:
            self._set(DIAGNOSED, ConditionStatus.FALSE, "Undetermined", diagnosis.summary)
        first = self.milliseconds_to_diagnosis is None and not self.diagnosed_before
        if detected_at is not None and first:
            self.milliseconds_to_diagnosis = round((time.monotonic() - detected_at) * 1000)
            self._time(detected_to_diagnosed_milliseconds=self.milliseconds_to_diagnosis)

    def decided_at_a_glance(
        self, dossier: Dossier, diagnosis: Diagnosis, *, least: int, message: str
    ) -> bool:
        """What rules say before the rest of the evidence was read, where they are `least` percent
        sure, which is returned; it is not the diagnosis yet. `message`: what they know.
        """
        if not diagnosis.determined or diagnosis.confidence < least:
            return False
        evidence, _, _ = evidence_parts(dossier)
        self._parts |= {"evidence": evidence or None, "diagnosis": diagnosis_part(diagnosis)}
        self._set(DIAGNOSED, ConditionStatus.UNKNOWN, "Gathering", message)
        return True

    def checked(self, diagnosis: Diagnosis) -> None:
        """The same answer, once the API server was asked about its patches."""
        self._parts["diagnosis"] = diagnosis_part(diagnosis)

    def recalled(self, recollection: Recollection | None, *, seconds: float = 0.0) -> None:
        """Similar failures, or why there are none to be had."""
        self._time(recall_milliseconds=round(seconds * 1000))
        if recollection is None:
            self._parts["similar_count"] = 0
            why = "memory is switched off, or there is no failure to remember"
            self._set(MEMORY_RECALLED, ConditionStatus.FALSE, "NotNeeded", why)
            return
        if recollection.unavailable is not None:
            reason, message = recollection.unavailable
            self._set(MEMORY_RECALLED, ConditionStatus.FALSE, reason, message)
            return
        self._parts["similar"] = similar_part(recollection.similar) or None
        self._parts["similar_count"] = len(recollection.similar)
        record = recollection.record
        runbooks = (
            runbook_passages(recollection.runbooks, failing=failing_of(record)) if record else ()
        )
        self._parts["runbooks"] = runbooks or None
        found = plural(len(recollection.similar), "similar failure")
        if runbooks:
            found += f", {plural(len(runbooks), 'runbook')}"
        self._set(MEMORY_RECALLED, ConditionStatus.TRUE, "Recalled", found)

    def consulted(self, consultation: Consultation) -> None:
        """The model's part, or why it was not asked."""
        self._parts.pop("model", None)
        self._suspect(consultation)
        if consultation.diagnosis is None or consultation.reply is None:
            refused = model_part(consultation)
            if refused is not None:
                self._parts["model"] = refused
            self.waits(consultation.not_consulted)
            return
        self._parts["model"] = model_part(consultation)
        self._time(model_milliseconds=consultation.reply.milliseconds)
        self.decided(consultation.diagnosis, detected_at=None)
        self._set(MODEL_CONSULTED, ConditionStatus.TRUE, "Answered", consultation.reply.model)

    def waits(self, why: tuple[str, str]) -> None:
        """The model was not consulted, or not yet."""
        self._set(MODEL_CONSULTED, ConditionStatus.FALSE, *why)

    def kept(self) -> None:
        """What an earlier look said stands, for this generation as well."""
        for each in self._conditions:
            if each.status is not ConditionStatus.UNKNOWN:
                self._set(each.type, each.status, each.reason, each.message)

    def _suspect(self, consultation: Consultation) -> None:
        """Somebody who writes instructions for a model into a log wants something."""
        if consultation.suspicious:
            message = suspicion(consultation.suspicious)
            self._set(SUSPICIOUS_TEXT, ConditionStatus.TRUE, "InstructionsSeen", message)
        elif consultation.reply is not None and find_condition(self._conditions, SUSPICIOUS_TEXT):
            self._set(SUSPICIOUS_TEXT, ConditionStatus.FALSE, "NoneSeen", "")

    def version(self) -> str:
        """A short hash of the answer: the same answer is announced once."""
        diagnosis = self._parts.get("diagnosis")
        words = f"{self._generation} {diagnosis.summary if diagnosis else ''}"
        return hashlib.blake2b(words.encode(errors="replace"), digest_size=5).hexdigest()

    def status(self) -> FailureDiagnosisStatus:
        """Everything that is known now."""
        return FailureDiagnosisStatus(
            observed_generation=self._generation,
            conditions=self._conditions,
            # An empty object in a server-side apply over a filled one becomes null, and is refused.
            timings=self._timings if self._timings.to_dict() else None,
            **self._parts,
        )

    def _time(self, **milliseconds: int) -> None:
        self._timings = self._timings.model_copy(update=milliseconds)

    def _set(self, type_: str, status: ConditionStatus, reason: str, message: str) -> None:
        self._conditions = set_condition(
            self._conditions,
            type=type_,
            status=status,
            reason=reason,
            message=message,
            now=self._clock(),
            observed_generation=self._generation,
        )


def _said(gap: EvidenceGap) -> str:
    needed = f" (needs the permission to {gap.permission})" if gap.permission else ""
    return f"{gap.what}: {gap.why}{needed}"


def kept_diagnosis(resource: FailureDiagnosis, by_rules: Diagnosis) -> Diagnosis:
    """The diagnosis of an earlier look as it stands in the status, for the memory."""
    known = resource.status.diagnosis if resource.status is not None else None
    if known is None:
        return by_rules
    before = resource.status.conditions if resource.status is not None else None
    diagnosed = find_condition(before or (), DIAGNOSED)
    return replace(
        by_rules,
        summary=known.summary,
        root_cause=known.root_cause or "",
        explanation=known.explanation or "",
        confidence=known.confidence,
        decided_by=known.decided_by,
        determined=diagnosed is not None and diagnosed.status is ConditionStatus.TRUE,
    )
