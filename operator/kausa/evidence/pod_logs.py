"""Evidence from the log of the container that failed: its previous run first.

Two traps: right around a restart the API answers 200 with the runtime's apology as the log, and a
container that waits after its first crash has no previous run yet, only a current one.
"""

from __future__ import annotations

from kausa.cluster.errors import ApiError, ForbiddenError
from kausa.cluster.objects import ContainerStatus, Pod
from kausa.cluster.reader import ClusterReader
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Evidence, EvidenceGap, LogExcerpt, Source
from kausa.evidence.logs import decisive_line, is_runtime_excuse, tail
from kausa.evidence.reading import Reading
from kausa.resources.evidence import EvidenceKind

__all__ = ["gather_logs"]

TAIL_LINES = 200
LIMIT_BYTES = 64 * 1024
EXCERPT_CHARACTERS = 1000


async def gather_logs(reader: ClusterReader, *, pod: Pod, symptom: Symptom | None) -> Reading:
    """The log of the failing container, or of every container that ran where none is named.

    Raises:
        ForbiddenError: these credentials may not read logs.
    """
    evidence: list[Evidence] = []
    gaps: list[EvidenceGap] = []
    excerpts: list[LogExcerpt] = []
    for status in _wanted(pod, symptom):
        excerpt = await _excerpt(reader, pod=pod, status=status)
        if excerpt is None:
            gaps.append(
                EvidenceGap(
                    what=f"log of container {status.name} of Pod/{pod.metadata.name}",
                    why="the container runtime does not have it",
                )
            )
            continue
        excerpts.append(excerpt)
        evidence.extend(_evidence(excerpt, pod=pod))
    return Reading(evidence=tuple(evidence), gaps=tuple(gaps), logs=tuple(excerpts))


def _wanted(pod: Pod, symptom: Symptom | None) -> tuple[ContainerStatus, ...]:
    named = symptom.container if symptom is not None else None
    return tuple(
        each
        for each in pod.status.all_container_statuses
        if named in (None, each.name) and (each.image and _has_run(each))
    )


def _has_run(status: ContainerStatus) -> bool:
    return (
        status.state.running is not None
        or status.state.terminated is not None
        or status.last_state.terminated is not None
    )


async def _excerpt(
    reader: ClusterReader, *, pod: Pod, status: ContainerStatus
) -> LogExcerpt | None:
    """The log with words in it, else an empty one, else None: the runtime has none."""
    failed_before = status.last_state.terminated is not None and status.state.terminated is None
    empty: LogExcerpt | None = None
    for previous in (True, False) if failed_before else (False,):
        try:
            text = await reader.pod_log(
                namespace=pod.metadata.namespace,
                pod=pod.metadata.name,
                container=status.name,
                previous=previous,
                tail_lines=TAIL_LINES,
                limit_bytes=LIMIT_BYTES,
            )
        except ForbiddenError:
            raise
        except ApiError:
            continue
        if is_runtime_excuse(text):
            continue
        excerpt = LogExcerpt(
            container=status.name, previous=previous, text=text, decisive=decisive_line(text)
        )
        if text.strip():
            return excerpt
        empty = empty or excerpt
    return empty


def _evidence(excerpt: LogExcerpt, *, pod: Pod) -> tuple[Evidence, ...]:
    run = "previous run" if excerpt.previous else "current run"
    source = Source(
        kind="Pod",
        name=pod.metadata.name,
        field_path=f"log[{excerpt.container}, {run}]",
    )
    if not excerpt.text.strip():
        nothing = f"container {excerpt.container} wrote nothing to its log"
        return (Evidence(kind=EvidenceKind.LOG, source=source, text=nothing),)
    shown = tail(excerpt.text, characters=EXCERPT_CHARACTERS)
    pieces = [Evidence(kind=EvidenceKind.LOG, source=source, text=shown)]
    if excerpt.decisive and excerpt.decisive != shown.strip():
        pieces.insert(0, Evidence(kind=EvidenceKind.LOG, source=source, text=excerpt.decisive))
    return tuple(pieces)
