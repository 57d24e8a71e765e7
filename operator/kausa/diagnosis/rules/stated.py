"""Failures of which Kubernetes states the cause itself: it is read, and said with its names.

What the message does not say is not guessed: where it names nothing that is known here, the answer
repeats it with the confidence of a description.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.stated_claims import CLAIM_STATEMENTS
from kausa.diagnosis.rules.stated_jobs import JOB_STATEMENTS
from kausa.diagnosis.rules.stated_nodes import NODE_STATEMENTS
from kausa.diagnosis.rules.stated_probes import PROBE_STATEMENTS
from kausa.diagnosis.rules.stated_refusals import REFUSAL_STATEMENTS
from kausa.diagnosis.rules.stated_sandboxes import SANDBOX_STATEMENTS
from kausa.diagnosis.rules.stated_volumes import VOLUME_STATEMENTS
from kausa.diagnosis.rules.stated_workloads import WORKLOAD_STATEMENTS
from kausa.diagnosis.rules.statement import Statement, tell
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier, Evidence
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["STATEMENTS", "kubernetes_states_it"]

# The first that matches decides: within a category from what names the cause to what hints at it.
STATEMENTS: tuple[Statement, ...] = (
    *REFUSAL_STATEMENTS,
    *VOLUME_STATEMENTS,
    *CLAIM_STATEMENTS,
    *NODE_STATEMENTS,
    *SANDBOX_STATEMENTS,
    *PROBE_STATEMENTS,
    *JOB_STATEMENTS,
    *WORKLOAD_STATEMENTS,
)
_SPOKEN_OF = frozenset(
    {
        Category.QUOTA, Category.ADMISSION, Category.PERMISSION, Category.CONTROL_PLANE,
        Category.VOLUME, Category.STORAGE, Category.CONFIG, Category.SANDBOX, Category.NETWORK,
        Category.EVICTION, Category.NODE, Category.PROBE, Category.JOB, Category.ROLLOUT,
        Category.AUTOSCALING, Category.SERVICE, Category.OTHER,
    }
)  # fmt: skip
DESCRIPTION = 60
"""Kubernetes' words repeated: what is seen, and perhaps not why."""
_HARMLESS = re.compile(r"[\w./:=,@ -]*")
_LOWERED = frozenset({"probe", "step"})
LONGEST_READ = 4096
LONGEST_WORD = 200


def kubernetes_states_it(dossier: Dossier) -> Finding | None:
    """What Kubernetes says in its status or Events, where that is the cause."""
    symptom = dossier.symptom
    if symptom is None or (symptom.category is Category.CONFIG and symptom.container is not None):
        return None
    text = f"{symptom.reason}: {symptom.message}"[:LONGEST_READ]
    statement, found = _match(text, symptom, vague=True)
    told_by: Evidence | None = None
    if statement is None or statement.vague:
        for event in dossier.evidence:
            if event.kind is not EvidenceKind.EVENT:
                continue
            better, found_there = _match(event.text[:LONGEST_READ], symptom, vague=False)
            if better is not None:
                statement, found, told_by = better, found_there, event
                break
    citations = _citations(dossier, symptom, told_by=told_by)
    if statement is None or found is None:
        return _described(dossier, symptom, citations=citations)
    return _finding(statement, found, dossier, symptom, citations=citations)


def _match(
    text: str, symptom: Symptom, *, vague: bool
) -> tuple[Statement | None, re.Match[str] | None]:
    for statement in STATEMENTS:
        if symptom.category not in statement.of or (statement.vague and not vague):
            continue
        found = statement.pattern.search(text)
        if found is not None:
            return statement, found
    return None, None


def _finding(
    statement: Statement,
    found: re.Match[str],
    dossier: Dossier,
    symptom: Symptom,
    *,
    citations: tuple[str, ...],
) -> Finding:
    told = _words(dossier, symptom)
    for name, value in found.groupdict().items():
        word = clip(value or "", characters=LONGEST_WORD).strip(" .")
        told[name] = word.lower() if name in _LOWERED else word
    explanation = tell(statement.explanation, told)
    command = tell(f"<<{statement.command}>>", told) if statement.command is not None else ""
    describes = statement.rests_on_end and not told["ended"]
    return Finding(
        rule=statement.rule,
        category=symptom.category,
        summary=clip(tell(statement.summary, told), characters=220),
        root_cause=_sentence(clip(tell(statement.root_cause, told), characters=900)),
        explanation=explanation,
        confidence=min(DESCRIPTION, statement.confidence) if describes else statement.confidence,
        citations=citations,
        fixes=(
            Fix(
                title=clip(tell(statement.advice, told), characters=220),
                rationale=explanation,
                command=command if command and _HARMLESS.fullmatch(command) else None,
                citations=citations,
            ),
        ),
    )


def _described(dossier: Dossier, symptom: Symptom, *, citations: tuple[str, ...]) -> Finding | None:
    if symptom.category not in _SPOKEN_OF:
        return None
    told = _words(dossier, symptom)
    said = told["said"]
    return Finding(
        rule=f"stated.{symptom.category.value.lower()}",
        category=symptom.category,
        summary=clip(
            f"{told['subject']}: {symptom.reason}" + (f": {said}" if said else ""), characters=220
        ),
        root_cause=f"Kubernetes says of {told['subject']}: {symptom.reason}"
        + (f", {said}" if said else " and no more than that."),
        explanation="The message is Kubernetes' own and names none of the causes known here.",
        confidence=DESCRIPTION if said else 30,
        citations=citations,
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "…")) else f"{text}."


def _words(dossier: Dossier, symptom: Symptom) -> dict[str, str]:
    """What every text may name."""
    by, owner, pod = dossier.shown_by, dossier.owner, dossier.pod
    subject = f"{by.kind} {by.name}" if by.kind else f"{owner.kind} {owner.name}"
    upstream = symptom.caused_by
    if upstream is not None and upstream.kind == "Node":
        node = upstream.name
    elif by.kind == "Node":
        node = by.name
    else:
        node = pod.spec.node_name
    return {
        "subject": subject,
        "kind": (by.kind or owner.kind).lower(),
        "name": by.name or owner.name,
        "namespace": owner.namespace,
        "node": f"node {node}" if node else "the node",
        "Node": f"Node {node}" if node else "The node",
        "node_name": node,
        "container": symptom.container or "unknown",
        "reason": symptom.reason,
        "gates": ", ".join(each.name for each in pod.spec.scheduling_gates or ()) or "unknown",
        "upstream": f": {upstream.kind} {upstream.name} fails"
        + (f" ({upstream.reason})" if upstream.reason else "")
        if upstream is not None
        else "",
        "ended": _ended(dossier),
        "said": clip(symptom.message, characters=400).rstrip(" ."),
    }


def _ended(dossier: Dossier) -> str:
    """How a container of the Pod ended, and what it said last; empty where that is not known."""
    if dossier.symptom is not None and dossier.symptom.category is not Category.JOB:
        return ""
    for status in dossier.pod.status.all_container_statuses:
        ended = status.state.terminated or status.last_state.terminated
        if ended is None or ended.exit_code == 0:
            continue
        log = dossier.log(status.name)
        words = clip((log.decisive if log is not None else "") or ended.message, characters=120)
        how = f"exit code {ended.exit_code}"
        if ended.reason not in ("", "Error"):
            how += f", {ended.reason}"
        return f": container {status.name} ends with {how}" + (f": {words}" if words else "")
    return ""


def _citations(dossier: Dossier, symptom: Symptom, *, told_by: Evidence | None) -> tuple[str, ...]:
    beginning = " ".join(symptom.message.split())[:60].strip()
    found: Mapping[str, None] = dict.fromkeys(
        (
            *dossier.cite(EvidenceKind.STATUS, containing=symptom.reason),
            *(dossier.cite(EvidenceKind.STATUS, containing=beginning) if beginning else ()),
            *dossier.events_of(symptom.container, containing=symptom.reason),
            *((told_by.id,) if told_by is not None else ()),
            *(
                dossier.cite(EvidenceKind.STATUS, containing=f"container {symptom.container}:")
                if symptom.container is not None
                else ()
            ),
            *(
                dossier.cite(EvidenceKind.STATUS, containing="container ")
                if _ended(dossier)
                else ()
            ),
            *(dossier.cite(EvidenceKind.LOG) if _ended(dossier) else ()),
        )
    )
    return tuple(found)
