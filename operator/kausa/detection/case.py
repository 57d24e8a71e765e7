"""One Pod, what stands around it and the moment: what every detector looks at.

A detector is a pure function from a case to a verdict. HEALTHY says that it sees nothing; a verdict
with a time alone says that it may see something when a grace is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

import msgspec

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
    "attempts",
    "credible",
    "earlier",
    "last_end",
    "last_heard",
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


class PodCase(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a detector of Pods is asked; of msgspec, because one is made for every change."""

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
        """The Pod's condition of this type, the first where there are several."""
        # There are five, and two or three are asked for: to make a mapping of them costs more.
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
        for each in self.pod.spec.init_containers or ():
            if each.name == status.name and each.restart_policy == "Always":
                return True
        return False

    def is_done(self, status: ContainerStatus) -> bool:
        """Whether the container has ended as it should: with success, and not to run on."""
        ended = status.state.terminated
        if ended is None or ended.exit_code != 0:
            return False
        first = any(each is status for each in self.pod.status.init_container_statuses or ())
        return (first and not self.is_sidecar(status)) or self.restarts(status) != "Always"

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
        if not self.around.notes:
            return []
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
    last = None
    for each in moments:
        if each is not None and (last is None or each > last):
            last = each
    return last


def last_heard(since: datetime | None, notes: Iterable[Note]) -> datetime | None:
    """When it was heard of last: in one of the notes, or when it began."""
    last = since
    for note in notes:
        if note.last_seen is not None and (last is None or note.last_seen > last):
            last = note.last_seen
    return last


def attempts(notes: Iterable[Note]) -> int:
    """How often the notes say that it was tried: each counts by itself, so the most of them; 1
    where there are none.
    """
    most = None
    for note in notes:
        if most is None or note.count > most:
            most = note.count
    return 1 if most is None else most


def newest(notes: Iterable[Note]) -> Note | None:
    """The note that was seen last; the same one in whatever order they stand."""
    those = tuple(notes)
    if len(those) <= 1:
        return those[0] if those else None
    return max(
        those,
        key=lambda note: (
            note.last_seen or LONG_AGO,
            note.count,
            note.reason,
            note.message,
            note.container or "",
            note.first_seen or LONG_AGO,
        ),
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
