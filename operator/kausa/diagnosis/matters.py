"""What a question may be about: failures, each with its evidence and what is said of it already.

They come from resources or from files, and are put together here into one request to a model: the
evidence of all is numbered anew, and what memory found is evidence too, so that it can be cited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.doubting import WENT_ON_SINCE, doubted, only_repeats
from kausa.diagnosis.model.prompt.building import by_weight
from kausa.diagnosis.model.protocol import (
    KnownObject,
    ModelRequest,
    NumberedEvidence,
    Ruling,
)
from kausa.diagnosis.model.requesting import request_from
from kausa.evidence.dossier import Dossier
from kausa.memory.records import FailureRecord, RunbookChunk
from kausa.recall.results import Scored
from kausa.resources.condition import MODEL_CONSULTED, RESOLVED, ConditionStatus, find_condition
from kausa.resources.diagnosis import DecidedBy
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.settings.model import SURE_RULES

__all__ = [
    "FROM_MEMORY",
    "Matter",
    "Step",
    "as_evidence",
    "matter_of_dossier",
    "matter_of_resource",
    "one_request",
]

MOST_MATTERS = 4
"""That a model is told of; a small one loses its way in more."""
MOST_EVIDENCE = 16
"""Pieces of all matters together; the prompt's budget cuts further."""
LONGEST_REMEMBERED = 600
NOTHING_FAILS = "no failure was detected"
NO_FAILURE = "no failure now"
_NOT_NEEDED = frozenset({"NotNeeded", "Disabled"})
FROM_MEMORY = ("Memory", "Runbook")
"""Kinds of evidence: of earlier failures, and of runbooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do, as it was proposed before."""

    title: str
    command: str = ""
    risk: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One failure, or one object that was asked about and does not fail."""

    request: ModelRequest
    """What a model would be told of it alone, without a question."""
    summary: str
    cause: str = ""
    confidence: int = 0
    """Whole percent."""
    determined: bool = False
    decided_by: str = ""
    sure: bool = False
    """Whether it was decided by rules that nobody may contradict."""
    repeats: bool = False
    """Whether rules only repeat what the program said, so that a model would repeat it as well."""
    citations: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    resolved: bool = False
    names: frozenset[str] = frozenset()
    """Names of the object itself, its Pods and containers."""

    @property
    def label(self) -> str:
        """`Kind namespace/name`."""
        kind, _, name = self.request.target.partition("/")
        where = f"{self.request.namespace}/" if self.request.namespace else ""
        return f"{kind} {where}{name}"

    @property
    def fails(self) -> bool:
        """Whether anything is wrong with it now."""
        return not self.resolved and self.request.reason != NOTHING_FAILS


def matter_of_dossier(dossier: Dossier, diagnosis: Diagnosis) -> Matter:
    """What was gathered just now, and what rules say of it."""
    names = {dossier.owner.name, dossier.shown_by.name}
    if dossier.has_pod:
        names.add(dossier.pod.metadata.name)
        names |= {each.name for each in dossier.pod.spec.all_containers}
    told = doubted(dossier, diagnosis)
    return Matter(
        request=request_from(dossier, told, None),
        summary=diagnosis.summary,
        cause=diagnosis.root_cause,
        confidence=diagnosis.confidence,
        determined=diagnosis.determined,
        decided_by=str(diagnosis.decided_by),
        sure=_sure(told),
        repeats=only_repeats(dossier, diagnosis),
        citations=diagnosis.citations,
        steps=tuple(
            Step(title=fix.title, command=fix.command or "", risk=str(fix.risk))
            for fix in diagnosis.fixes
        ),
        names=frozenset(names),
    )


def _sure(diagnosis: Diagnosis) -> bool:
    by_rules = diagnosis.determined and diagnosis.decided_by is DecidedBy.RULES
    return by_rules and diagnosis.confidence >= SURE_RULES


def matter_of_resource(resource: FailureDiagnosis) -> Matter | None:
    """What the operator published; None where it has published nothing yet."""
    status, target = resource.status, resource.spec.target
    if status is None or status.diagnosis is None or not status.evidence:
        return None
    said, failure = status.diagnosis, status.failure
    namespace = resource.metadata.namespace or ""
    pods = failure.pods if failure is not None else ()
    repeats = _repeats(resource)
    ruling = Ruling(
        # A resource tells how it fails, and not of which category its cause is.
        category=None,
        root_cause=said.root_cause or said.summary,
        confidence=said.confidence,
        citations=said.citations,
    )
    request = ModelRequest(
        reason=failure.reason if failure is not None else NOTHING_FAILS,
        target=f"{target.kind}/{target.name}",
        namespace=namespace,
        evidence=tuple(
            NumberedEvidence(
                id=each.id,
                kind=str(each.kind),
                source=(
                    f"{each.source.kind}/{each.source.name} {each.source.field_path or ''}".strip()
                    if each.source is not None
                    else ""
                ),
                text=each.text,
            )
            for each in status.evidence
        ),
        ruling=ruling if said.confidence and not repeats else None,
        images=tuple(
            each.before
            for each in status.changes or ()
            if each.before and each.path.endswith(".image") and ".template." in each.path
        ),
        rolled_out=any(
            ".template." in each.path or each.path.endswith(" revision")
            for each in status.changes or ()
        ),
        repairs=tuple(
            each.command
            for each in said.remediation
            if each.command and said.decided_by is DecidedBy.RULES
        ),
        objects=(
            KnownObject(
                kind=target.kind,
                name=target.name,
                namespace=namespace,
                api_version=target.api_version,
            ),
            *(
                KnownObject(kind="Pod", name=each.name, namespace=namespace, api_version="v1")
                for each in pods
            ),
        ),
    )
    condition = find_condition(status.conditions or (), RESOLVED)
    over = condition is not None and condition.status is ConditionStatus.TRUE
    if over and status.resolution is not None:
        ended = f"resolved {status.resolution.time:%Y-%m-%d %H:%M} UTC"
        request = replace(request, reason=f"{NO_FAILURE} (it was {request.reason}, {ended})")
    containers = {failure.container} if failure is not None and failure.container else set()
    return Matter(
        request=request,
        summary=said.summary,
        cause=said.root_cause or "",
        confidence=said.confidence,
        determined=said.confidence > 0,
        decided_by=str(said.decided_by),
        sure=(said.decided_by is DecidedBy.RULES and said.confidence >= SURE_RULES and not repeats),
        repeats=repeats,
        citations=said.citations,
        steps=tuple(
            Step(title=each.title, command=each.command or "", risk=str(each.risk))
            for each in said.remediation
        ),
        # After a relapse it still tells how it ended the time before.
        resolved=over,
        names=frozenset({target.name, *(each.name for each in pods), *containers}),
    )


def one_request(
    matters: Sequence[Matter], remembered: Sequence[Scored], *, question: str
) -> ModelRequest:
    """Put everything that a question is about into one request; its evidence is E1, E2 and on."""
    told = matters[:MOST_MATTERS]
    room = max(1, MOST_EVIDENCE // max(1, len(told)))
    evidence: list[NumberedEvidence] = []
    findings: list[str] = []
    ruling: Ruling | None = None
    for matter in told:
        renamed: dict[str, str] = {}
        for piece in _heaviest(matter)[:room]:
            renamed[piece.id] = f"E{len(evidence) + 1}"
            evidence.append(replace(piece, id=renamed[piece.id]))
        cited = [renamed[each] for each in matter.citations if each in renamed]
        findings += _finding(matter, cited, several=len(told) > 1)
        found = matter.request.ruling
        ruling = replace(found, citations=tuple(cited)) if found is not None else None
    for each in remembered:
        evidence.append(replace(as_evidence(each), id=f"E{len(evidence) + 1}"))
    only = told[0].request if len(told) == 1 else None
    return ModelRequest(
        reason=only.reason if only is not None else _reasons(told),
        target=only.target if only is not None else "the question",
        namespace=only.namespace if only is not None else "",
        question=question,
        evidence=tuple(evidence),
        findings=tuple(findings),
        # Of several failures each has its own category: what of the answer contradicts them all is
        # seen when it is there (`contradicting`).
        ruling=ruling if only is not None else None,
        objects=tuple(dict.fromkeys(each for matter in told for each in matter.request.objects)),
        images=tuple(dict.fromkeys(each for matter in told for each in matter.request.images)),
        rolled_out=only is not None and only.rolled_out,
        repairs=tuple(dict.fromkeys(each for matter in told for each in matter.request.repairs)),
    )


def as_evidence(found: Scored) -> NumberedEvidence:
    """What memory found, to be cited: an earlier failure or a passage of a runbook."""
    record = found.record
    if isinstance(record, FailureRecord):
        came = f"{record.outcome}: {record.resolution}" if record.resolution else record.outcome
        text = f"Failed before, {found.seen}: {found.title}. What came of it: {came}"
        return NumberedEvidence(
            id="", kind=FROM_MEMORY[0], source=found.source, text=text[:LONGEST_REMEMBERED]
        )
    kind = FROM_MEMORY[isinstance(record, RunbookChunk)]
    text = f"{found.title}: {found.passage}"
    return NumberedEvidence(id="", kind=kind, source=found.source, text=text[:LONGEST_REMEMBERED])


def _heaviest(matter: Matter) -> list[NumberedEvidence]:
    request = matter.request
    cited = Ruling(category=None, root_cause="", confidence=0, citations=matter.citations)
    return by_weight(replace(request, ruling=request.ruling or cited))


def _finding(matter: Matter, cited: Sequence[str], *, several: bool) -> list[str]:
    """What rules found: nothing where they found no cause, or only repeat words. Of several
    failures a model is to know each all the same, and is told how that one fails.
    """
    if matter.repeats or (matter.fails and not matter.determined):
        return [f"{matter.label}: {matter.request.reason}"] if several else []
    about = f"{matter.label}: " if several else ""
    basis = f" [{', '.join(cited)}]" if cited else ""
    return [f"{about}{matter.cause or matter.summary} ({matter.confidence} % sure){basis}"]


def _repeats(resource: FailureDiagnosis) -> bool:
    """Whether the operator doubted the rules: it says so, or they were sure and it asked."""
    status = resource.status
    said = status.diagnosis if status is not None else None
    if status is None or said is None or said.decided_by is not DecidedBy.RULES:
        return False
    if WENT_ON_SINCE in f"{said.root_cause} {said.explanation}":
        return True
    consulted = find_condition(status.conditions or (), MODEL_CONSULTED)
    # Before that is decided it tells nothing.
    if consulted is None or consulted.status is ConditionStatus.UNKNOWN:
        return False
    if resource.spec.question or said.confidence < SURE_RULES:
        return False
    return consulted.reason not in _NOT_NEEDED


def _reasons(matters: Sequence[Matter]) -> str:
    reasons = (each.request.reason for each in matters if each.fails)
    return ", ".join(dict.fromkeys(reasons)) or (NO_FAILURE if matters else "a question")
