"""Out of memory: a container that reached its limit, or a node that had none left."""

from __future__ import annotations

from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.wording import ended_with, owner_reference
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk
from kausa.resources.evidence import EvidenceKind

__all__ = ["out_of_memory"]


def out_of_memory(dossier: Dossier) -> Finding | None:
    """The kernel killed a process of the container because memory ran out."""
    symptom = dossier.symptom
    if symptom is None or symptom.category is not Category.OOM_KILLED:
        return None
    container = dossier.container(symptom.container)
    limit = (container.resources.limits or {}).get("memory") if container is not None else None
    citations = (
        *dossier.cite(EvidenceKind.STATUS, containing="OOMKilled"),
        *dossier.cite(EvidenceKind.SPEC, containing=f"container {symptom.container}"),
    )
    killed = ended_with(symptom)
    if limit is None:
        return Finding(
            rule="memory.node-out-of-memory",
            category=Category.OOM_KILLED,
            summary=f"container {symptom.container} was killed for memory and has no memory limit",
            root_cause=(
                f"Container {symptom.container} has no memory limit of its own, and the kernel "
                f"killed it for memory ({killed}): the node or an enclosing limit ran out."
            ),
            explanation="Without a limit a container may use all of its node's memory; the kernel "
            "then kills the process that it holds to be the best victim.",
            confidence=80,
            citations=citations,
            fixes=(_measure(dossier, citations),),
        )
    return Finding(
        rule="memory.limit-reached",
        category=Category.OOM_KILLED,
        summary=f"container {symptom.container} reached its memory limit of {limit}",
        root_cause=(
            f"Container {symptom.container} needed more than its memory limit of {limit} and was "
            f"killed by the kernel (out of memory, {killed})."
        ),
        explanation=(
            f"The limit of {limit} is enforced by the kernel: a process that needs more is killed "
            "at once. Either the program needs more than that to work, or it leaks."
        ),
        confidence=97,
        citations=citations,
        fixes=(
            Fix(
                title=f"Raise the memory limit of container {symptom.container} above {limit}",
                rationale="It fails with the limit that it has; measure first what it needs.",
                command=_raise_limit(dossier, symptom.container or ""),
                risk=Risk.MEDIUM,
                citations=citations,
            ),
            _measure(dossier, citations),
        ),
    )


def _raise_limit(dossier: Dossier, container: str) -> str | None:
    owner = dossier.owner
    if owner.kind not in {"Deployment", "StatefulSet", "DaemonSet"}:
        return None
    return (
        f"kubectl -n {owner.namespace} set resources {owner_reference(owner)} "
        f"-c {container} --limits=memory=<NEW LIMIT>"
    )


def _measure(dossier: Dossier, citations: tuple[str, ...]) -> Fix:
    return Fix(
        title="Measure what the container uses",
        rationale="A number that grows without end is a leak, which no limit mends.",
        command=f"kubectl -n {dossier.owner.namespace} top pod {dossier.pod.metadata.name} "
        "--containers",
        citations=citations,
    )
