"""Evidence from the log of the container that failed: its previous run first.

A log is redacted as a whole before anything is picked or cut out of it: half a secret is known by
nobody any more, and still a secret.

Two traps: right around a restart the API answers 200 with the runtime's apology as the log, and a
container that waits after its first crash has no previous run yet, only a current one.
"""

from __future__ import annotations

from collections import Counter

from kausa.cluster.errors import ApiError
from kausa.cluster.objects import ContainerStatus, Pod
from kausa.cluster.reader import ClusterReader
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Evidence, EvidenceGap, LogExcerpt, Source
from kausa.evidence.logs import decisive_line, is_runtime_excuse, tail
from kausa.evidence.reading import Reading
from kausa.evidence.redaction import Redactor
from kausa.resources.evidence import EvidenceKind
from kausa.resources.limits import EVIDENCE_TEXT
from kausa.resources.shortening import wire_length

__all__ = ["gather_logs"]

TAIL_LINES = 200
LIMIT_BYTES = 64 * 1024
EXCERPT_CHARACTERS = 1000
NO_SUCH_LOG = frozenset({400, 404})
"""What the API server answers where there is no such log; all else may be better a moment later."""


async def gather_logs(
    reader: ClusterReader, *, pod: Pod, symptom: Symptom | None, redactor: Redactor
) -> Reading:
    """The log of the failing container, or of every container that ran where none is named.

    Raises:
        ClusterError: the logs cannot be read at all, or not now.
    """
    evidence: list[Evidence] = []
    gaps: list[EvidenceGap] = []
    excerpts: list[LogExcerpt] = []
    redactions: Counter[str] = Counter()
    for status in _wanted(pod, symptom):
        excerpt = await _excerpt(
            reader, pod=pod, status=status, redactor=redactor, redactions=redactions
        )
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
    return Reading(
        evidence=tuple(evidence),
        gaps=tuple(gaps),
        logs=tuple(excerpts),
        redactions=redactions,
    )


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
    reader: ClusterReader,
    *,
    pod: Pod,
    status: ContainerStatus,
    redactor: Redactor,
    redactions: Counter[str],
) -> LogExcerpt | None:
    """The log with words in it, else an empty one, else None: the runtime has none."""
    failed_before = status.last_state.terminated is not None and status.state.terminated is None
    empty: LogExcerpt | None = None
    for previous in (True, False) if failed_before else (False,):
        try:
            raw = await reader.pod_log(
                namespace=pod.metadata.namespace,
                pod=pod.metadata.name,
                container=status.name,
                previous=previous,
                tail_lines=TAIL_LINES,
                limit_bytes=LIMIT_BYTES,
            )
        except ApiError as error:
            if error.status not in NO_SUCH_LOG:
                raise
            continue
        if is_runtime_excuse(raw):
            continue
        redacted = redactor.text(raw)
        text = redacted.value
        excerpt = LogExcerpt(
            container=status.name, previous=previous, text=text, decisive=decisive_line(text)
        )
        if text.strip():
            redactions.update(redacted.counts)
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
    while wire_length(shown) > EVIDENCE_TEXT and len(shown) > 1:
        # The end decides; the resource would cut there.
        shown = tail(shown, characters=len(shown) * 3 // 4)
    pieces = [Evidence(kind=EvidenceKind.LOG, source=source, text=shown)]
    if excerpt.decisive and excerpt.decisive != shown.strip():
        pieces.insert(0, Evidence(kind=EvidenceKind.LOG, source=source, text=excerpt.decisive))
    return tuple(pieces)
