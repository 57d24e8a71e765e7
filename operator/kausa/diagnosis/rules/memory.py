"""Out of memory: a container that reached its limit, or a node that had none left."""

from __future__ import annotations

import re

from kausa.cluster.objects import Terminated
from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.accounts import Account, events
from kausa.diagnosis.rules.application.saying import log_citations
from kausa.diagnosis.rules.application.subjects import failing_container, is_settled, last_end
from kausa.diagnosis.rules.runtime_heap import Heap, heap_of
from kausa.diagnosis.rules.telling import citing
from kausa.diagnosis.rules.wording import clip, ended_with, owner_reference, plural
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import rows, text
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk
from kausa.resources.evidence import EvidenceKind

__all__ = ["out_of_memory"]

_MAY_HIDE = frozenset({Category.CRASH_LOOP, Category.OTHER, Category.PROBE})
_CODES = (137,)
_REASONS = frozenset({"OOMKilling", "OOMKilled", "SystemOOM"})
_OUT_OF_MEMORY = re.compile(
    r"\bOOM-?Kill|\bout of memory\b|exceeded (?:its )?memory limit|memory cgroup out|oom_kill", re.I
)
AT_ONCE_SECONDS = 30
SLOWLY_SECONDS = 3600


def out_of_memory(dossier: Dossier) -> Finding | None:
    """The kernel killed a process of the container because memory ran out."""
    symptom = _killed(dossier)
    if symptom is None:
        return None
    container = dossier.container(symptom.container)
    limit = (container.resources.limits or {}).get("memory") if container is not None else None
    citations = _citations(dossier, symptom)
    if limit is None:
        return _without_limit(dossier, symptom, citations)
    heap = heap_of(dossier, symptom.container, limit=limit)
    grown = _grown(symptom, last_end(dossier.container_status(symptom.container)))
    cause = [
        f"Container {symptom.container} needed more than its memory limit of {limit} and was "
        f"killed by the kernel (out of memory, {_how(symptom)}).",
        *_heap_says(heap, str(limit)),
        *grown,
        *_memory_volumes(dossier, symptom.container),
        *_log_says(dossier, symptom.container),
    ]
    why = ""
    if heap is not None and heap.too_large:
        why = f": its {heap.runtime} heap ({heap.flag}) is larger than that"
    return Finding(
        rule="memory.limit-reached",
        category=Category.OOM_KILLED,
        summary=f"container {symptom.container} reached its memory limit of {limit}{why}",
        root_cause=" ".join(cause),
        explanation=(
            f"The limit of {limit} is enforced by the kernel: a process that needs more is killed "
            "at once, the main process or a child of it. Either the program needs more than that "
            "to work, or it leaks; files in an emptyDir of medium Memory count too."
        ),
        confidence=97,
        citations=citations,
        fixes=(
            *_lower_heap(heap, str(limit), citations),
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


def _killed(dossier: Dossier) -> Symptom | None:
    """The symptom, also where it is called otherwise and the last end or an Event tells it."""
    symptom = dossier.symptom
    if symptom is not None and symptom.category is Category.OOM_KILLED:
        return symptom
    if symptom is not None and (
        symptom.category not in _MAY_HIDE or symptom.exit_code not in (None, *_CODES)
    ):
        return None
    if is_settled(dossier) and not dossier.cite(EvidenceKind.QUESTION):
        return None
    name = symptom.container if symptom is not None and symptom.container else None
    by_status = next(
        (
            each
            for each in dossier.pod.status.all_container_statuses
            if name in (None, each.name)
            and (ended := last_end(each)) is not None
            and ended.reason == "OOMKilled"
        ),
        None,
    )
    told = None
    if not is_settled(dossier):
        told = next((each for each in reversed(events(dossier)) if _tells_of_memory(each)), None)
    if by_status is None and told is None:
        return None
    ended = last_end(by_status)
    return Symptom(
        category=Category.OOM_KILLED,
        reason="OOMKilled",
        reason_class="OOMKilled",
        detail="",
        message=told.message if told is not None else "",
        container=by_status.name if by_status is not None else name or failing_container(dossier),
        exit_code=ended.exit_code if ended is not None else None,
        signal=9 if ended is not None and ended.exit_code == _CODES[0] else None,
        occurrences=max(1, by_status.restart_count) if by_status is not None else 1,
    )


def _tells_of_memory(account: Account) -> bool:
    if account.kind != "Pod":
        return False
    return account.reason in _REASONS or _OUT_OF_MEMORY.search(account.message) is not None


def _without_limit(dossier: Dossier, symptom: Symptom, citations: tuple[str, ...]) -> Finding:
    return Finding(
        rule="memory.node-out-of-memory",
        category=Category.OOM_KILLED,
        summary=f"container {symptom.container} was killed for memory (out of memory) and has no "
        "memory limit",
        root_cause=(
            f"Container {symptom.container} has no memory limit of its own, and the kernel killed "
            f"it for memory (out of memory, {_how(symptom)}): the node's memory or an enclosing "
            f"limit was exhausted.{_said(symptom)}"
        ),
        explanation="Without a limit a container may use all of its node's memory; the kernel "
        "then kills the process that it holds to be the best victim.",
        confidence=80,
        citations=citations,
        fixes=(_measure(dossier, citations),),
    )


def _citations(dossier: Dossier, symptom: Symptom) -> tuple[str, ...]:
    found = (
        *dossier.cite(EvidenceKind.STATUS, EvidenceKind.EVENT, containing="OOMKill"),
        *dossier.cite(EvidenceKind.EVENT, containing="memory"),
        *dossier.cite(EvidenceKind.SPEC, containing=f"container {symptom.container}"),
    )
    return found or citing(dossier)


def _said(symptom: Symptom) -> str:
    said = clip(symptom.message, characters=160)
    return f' Kubernetes says: "{said}"' if said else ""


def _how(symptom: Symptom) -> str:
    ended = f"{ended_with(symptom)}, " if symptom.exit_code is not None else ""
    times = f", {plural(symptom.occurrences, 'time')}" if symptom.occurrences > 1 else ""
    return f"{ended}{symptom.reason}{times}"


def _heap_says(heap: Heap | None, limit: str) -> list[str]:
    if heap is None:
        return []
    if heap.too_large:
        return [
            f"Its {heap.runtime} may use a heap of {heap.size} ({heap.flag} in {heap.where}), "
            f"more than the limit of {limit} has room for."
        ]
    return [f"Its {heap.runtime} heap is set to {heap.size} ({heap.flag} in {heap.where})."]


def _grown(symptom: Symptom, ended: Terminated | None) -> list[str]:
    """Whether it was killed at once or after hours: too little from the start, or a leak."""
    if ended is None or ended.started_at is None or ended.finished_at is None:
        return []
    seconds = (ended.finished_at - ended.started_at).total_seconds()
    if 0 <= seconds <= AT_ONCE_SECONDS:
        return [f"It came that far within {plural(max(1, round(seconds)), 'second')}."]
    if seconds >= SLOWLY_SECONDS:
        return [f"It had run for {seconds / 3600:.0f} h before, so it may leak memory."]
    return []


def _memory_volumes(dossier: Dossier, container: str | None) -> list[str]:
    """Volumes in memory that the container mounts count against its limit."""
    pod = dossier.object("Pod", dossier.pod.metadata.name)
    in_memory = {
        text(each, "name")
        for each in rows(pod, "spec", "volumes")
        if text(each, "emptyDir", "medium") == "Memory"
    }
    mounted = [
        text(mount, "name")
        for each in rows(pod, "spec", "containers")
        if text(each, "name") == container
        for mount in rows(each, "volumeMounts")
        if text(mount, "name") in in_memory
    ]
    if not mounted:
        return []
    return [f"Its volume {mounted[0]} is in memory (emptyDir, medium Memory) and counts as well."]


def _log_says(dossier: Dossier, container: str | None) -> list[str]:
    log = dossier.log(container)
    if log is None or not log.decisive or not log_citations(dossier, container or ""):
        return []
    return [f'The last that its log tells: "{clip(log.decisive, characters=110)}".']


def _lower_heap(heap: Heap | None, limit: str, citations: tuple[str, ...]) -> list[Fix]:
    if heap is None or not heap.too_large:
        return []
    return [
        Fix(
            title=f"Set the {heap.runtime} heap ({heap.flag}) to at most three quarters of {limit}",
            rationale="A runtime needs memory beside its heap, and all of it must fit the limit.",
            risk=Risk.MEDIUM,
            citations=citations,
        )
    ]


def _raise_limit(dossier: Dossier, container: str) -> str | None:
    owner = dossier.owner
    if owner.kind not in {"Deployment", "StatefulSet", "DaemonSet"}:
        return None
    return (
        f"kubectl -n {owner.namespace} set resources {owner_reference(owner)} -c {container} "
        f"--limits=memory=<NEW LIMIT>"
    )


def _measure(dossier: Dossier, citations: tuple[str, ...]) -> Fix:
    return Fix(
        title="Measure what the container uses",
        rationale="A number that grows without end is a leak, which no limit mends.",
        command=f"kubectl -n {dossier.owner.namespace} top pod {dossier.pod.metadata.name} "
        "--containers",
        citations=citations,
    )
