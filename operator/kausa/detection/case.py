"""One Pod, what stands around it and the moment: what every detector looks at.

A detector is a pure function from a case to a verdict. HEALTHY says that it sees nothing; a verdict
with a time alone says that it may see something when a grace is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kausa.cluster.objects import (
    Container,
    ContainerStatus,
    OwnerReference,
    Pod,
    PodCondition,
    Terminated,
)
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict

__all__ = [
    "LONG_AGO",
    "PodCase",
    "credible",
    "earlier",
    "last_end",
    "later",
    "latest",
    "newest",
    "shows",
    "together",
    "waits",
]

EARLIEST_CREDIBLE_YEAR = 2000
"""`StartError` has startedAt 1970-01-01: such times say nothing."""
NEVER = datetime.max.replace(tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodCase:
    """What a detector of Pods is asked."""

    pod: Pod
    around: Surroundings
    now: datetime

    @property
    def begun(self) -> datetime | None:
        """Since when the kubelet knows the Pod, or the API server."""
        return self.pod.status.start_time or self.pod.metadata.creation_timestamp

    @property
    def controller(self) -> OwnerReference | None:
        """Who replaces the Pod when it ends."""
        for owner in self.pod.metadata.owner_references or ():
            if owner.controller:
                return owner
        return None

    @property
    def is_a_jobs(self) -> bool:
        """Whether a Job decides what this Pod's end means."""
        owner = self.controller
        return owner is not None and owner.kind == "Job" and owner.api_version.startswith("batch/")

    def condition(self, type_: str) -> PodCondition | None:
        """The Pod's condition of this type, where it has one."""
        for each in self.pod.status.conditions or ():
            if each.type == type_:
                return each
        return None

    def asked(self, status: ContainerStatus) -> Container | None:
        """What the container was asked to be."""
        for each in self.pod.spec.all_containers:
            if each.name == status.name:
                return each
        return None

    def is_sidecar(self, status: ContainerStatus) -> bool:
        """Whether it is an init container that runs as long as the Pod."""
        return any(
            each.name == status.name and each.restart_policy == "Always"
            for each in self.pod.spec.init_containers or ()
        )

    def has_run_out(self) -> bool:
        """Whether all main containers have ended and none is started again.

        The kubelet then ends the sidecars, in whatever way they let it.
        """
        statuses = self.pod.status.container_statuses or ()
        return len(statuses) >= max(1, len(self.pod.spec.containers or ())) and all(
            self._ended_for_good(each) for each in statuses
        )

    def _ended_for_good(self, status: ContainerStatus) -> bool:
        ended, restarts = status.state.terminated, self.restarts(status)
        if ended is None:
            return False
        return restarts == "Never" or (restarts == "OnFailure" and ended.exit_code == 0)

    def restarts(self, status: ContainerStatus) -> str:
        """Always, OnFailure or Never: whether the kubelet starts the container again."""
        asked = self.asked(status)
        return (asked.restart_policy if asked else None) or self.pod.spec.restart_policy

    def notes(self, reasons: Collection[str], *, container: str | None = None) -> list[Note]:
        """What Events say with one of these reasons; of this container only, where one is named."""
        return [
            note
            for note in self.around.notes
            if note.reason in reasons and (container is None or note.container == container)
        ]

    def grace(self, since: datetime | None, length: timedelta) -> datetime | None:
        """When the grace ends that began then; None where it is over, or nobody knows its begin."""
        if since is None:
            return None
        end = later(since, length)
        return end if end > self.now else None


def later(moment: datetime, length: timedelta) -> datetime:
    """So much later, at the end of time at the latest: a status may hold any year."""
    try:
        return moment + length
    except OverflowError:
        return NEVER


def earlier(moment: datetime, length: timedelta) -> datetime:
    """So much earlier, at the beginning of time at the earliest."""
    try:
        return moment - length
    except OverflowError:
        return LONG_AGO


def latest(*moments: datetime | None) -> datetime | None:
    """The last of those that are known."""
    return max((each for each in moments if each is not None), default=None)


def newest(notes: Iterable[Note]) -> Note | None:
    """The note that was seen last; the same one in whatever order they stand."""
    return max(
        notes,
        key=lambda note: (
            note.last_seen or LONG_AGO,
            note.count,
            note.reason,
            note.message,
            note.container or "",
            note.first_seen or LONG_AGO,
        ),
        default=None,
    )


def last_end(status: ContainerStatus) -> Terminated | None:
    """How it ended: now, or before it was started again."""
    return status.state.terminated or status.last_state.terminated


def credible(time: datetime | None) -> datetime | None:
    """The time, unless it is one that nobody set."""
    return time if time is not None and time.year >= EARLIEST_CREDIBLE_YEAR else None


def shows(symptom: Symptom, *, until: datetime | None = None) -> Verdict:
    """It fails; `until` where time alone ends that."""
    return Verdict(symptoms=(symptom,), look_again_at=until)


def waits(moment: datetime | None) -> Verdict:
    """Nothing yet; to be looked at again then."""
    return HEALTHY if moment is None else Verdict(look_again_at=moment)


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """All symptoms, and the first moment at which one of them may change."""
    told = [each for each in verdicts if each is not HEALTHY]
    if len(told) <= 1:
        return told[0] if told else HEALTHY
    return Verdict(
        symptoms=tuple(symptom for each in told for symptom in each.symptoms),
        look_again_at=min(
            (each.look_again_at for each in told if each.look_again_at is not None), default=None
        ),
    )
