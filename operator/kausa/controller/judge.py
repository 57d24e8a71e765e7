"""What becomes of every change: remembered, judged, and queued where it is worth a worker's look.

Everything here is quick and does no I/O, because it is done for every change of a cluster. The
verdict depends on the object, what stands around it and the time, never on the change that brought
it; whatever time alone may change is judged again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from kausa.cluster.objects import Event, Pod
from kausa.cluster.workloads import CronJob, Job, Node, PersistentVolumeClaim, Service, Workload
from kausa.controller.found import Found, Watched
from kausa.controller.observed import Observed
from kausa.controller.rechecks import Rechecks
from kausa.controller.scope import Scope, opted_out
from kausa.controller.sightings import Sightings
from kausa.controller.workqueue import WorkQueue
from kausa.detection.case import waits
from kausa.detection.events import note_of
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Note
from kausa.detection.tellings import is_of_pod
from kausa.detection.unheard import remembered_until
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.claims import claim_state
from kausa.detection.workloads.detect import detect_workload
from kausa.detection.workloads.nodes import node_state
from kausa.detection.workloads.others import detect_notes
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger
from kausa.telemetry.metrics import Metrics

__all__ = ["Judge"]

MOST_AT_ONCE = 1_000
"""Judged again in one go: some 15 ms, which the streams wait for."""
_logger = get_logger("kausa.controller.judge")


class Judge:
    """Takes in changes, for one event loop."""

    def __init__(
        self,
        *,
        scope: Scope,
        observed: Observed,
        sightings: Sightings,
        queue: WorkQueue[Found],
        metrics: Metrics,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._scope = scope
        self._watches = scope.watches
        self._observed = observed
        self._sightings = sightings
        self._queue = queue
        self._symptom_seen = metrics.symptom_seen
        self._clock = clock
        self._changed_nodes: set[str] = set()
        self._changed_claims: set[tuple[str, str]] = set()
        self._being_read: set[str] = set()
        """Of what is being read just now, that of which nothing was heard meanwhile."""
        self.rechecks: Rechecks[Watched] = Rechecks()

    @property
    def dropped(self) -> int:
        """How many objects found no room, to be recorded or to be judged again."""
        return self._queue.dropped + self.rechecks.dropped

    def __len__(self) -> int:
        return len(self._queue)

    # -- changes ---------------------------------------------------------------------------------

    def pod(self, pod: Pod) -> None:
        """A Pod was listed or has changed."""
        meta = pod.metadata
        annotations, labels = meta.annotations, meta.labels
        # Our own word: one object in thousands has it, but all are asked.
        speaks = (annotations is not None and annotations.diagnose is not None) or (
            labels is not None and labels.diagnose is not None
        )
        if not self._watches(meta.namespace) or (speaks and opted_out(meta)):
            self.left_out(meta.uid)
            return
        around, now = self._observed.around_pod(pod), self._clock()
        verdict = detect_pod(pod, around=around, now=now)
        if verdict is HEALTHY:
            remembered = remembered_until(pod, around=around, now=now)
            if remembered is not None:
                verdict = waits(remembered)
        self._take(meta.uid, pod, verdict)

    def workload(self, found: Workload) -> None:
        """A workload, claim or node was listed or has changed."""
        meta = found.metadata
        self._being_read.discard(meta.uid)
        if not self._scope.watches(meta.namespace) or opted_out(meta):
            if isinstance(found, Node):
                self.node_gone(meta.name)  # What is said of it no more can stand for no Pod.
            elif isinstance(found, PersistentVolumeClaim):
                self.claim_gone(namespace=meta.namespace, name=meta.name)
            self.left_out(meta.uid)
            self._sightings.leave_owner(meta.uid)
            return
        if isinstance(found, Node):
            if self._observed.node(node_state(found)):
                self._changed_nodes.add(meta.name)
        elif isinstance(found, PersistentVolumeClaim):
            self._claim(found)
        elif isinstance(found, CronJob):
            self._cron_job(found)
        around = self._observed.around(meta, failing_pods=self._sightings.failing_pods_of(meta.uid))
        self._take(meta.uid, found, detect_workload(found, around=around, now=self._clock()))

    def service(self, service: Service, verdict: Verdict) -> None:
        """A Service was looked at, with the Pods behind it."""
        if opted_out(service.metadata):
            self.left_out(service.metadata.uid)
            return
        self._take(service.metadata.uid, service, verdict)

    def event(self, event: Event) -> None:
        """A Warning Event was listed or has changed."""
        note = note_of(event)
        if note is None or not self._scope.watches(note.namespace):
            return
        if not self._observed.note(note):
            return
        failing = self._sightings.failing.get(note.uid)
        known = failing.object if failing is not None else self.rechecks.get(note.uid)
        if known is not None:
            self._again(note if isinstance(known, Note) else known)
        elif note.kind != "Pod" or (note.api_version != "v1" and not is_of_pod(note)):
            # A Pod that an Event may make fail is among the rechecks, or comes; of others this may
            # be all.
            self._queue.put(note.uid, Found(object=note, read_at=time.monotonic()))

    def unwatched(self, note: Note) -> None:
        """An Event speaks of an object that nobody watches: what Events say is all there is."""
        # Where too many objects are spoken of, those are forgotten that are silent longest.
        notes = self._observed.notes_of(note.uid) or (note,)
        self._take(note.uid, note, detect_notes(notes, now=self._clock()))

    def reads(self, uid: str) -> None:
        """Somebody begins to read an object, to have it judged."""
        self._being_read.add(uid)

    def has_read(self, uid: str) -> bool:
        """It was read; False where the object has changed or gone meanwhile, so that what was read
        is older than what is known.
        """
        if uid not in self._being_read:
            return False
        self._being_read.discard(uid)
        return True

    def gone(self, uid: str) -> None:
        """An object was deleted."""
        self._forget(uid)
        self._sightings.works(uid)

    def left_out(self, uid: str) -> None:
        """An object asks to be left alone: its failure is not over, nobody speaks of it."""
        self._forget(uid)
        self._sightings.leave(uid)

    def _forget(self, uid: str) -> None:
        self._being_read.discard(uid)
        self.rechecks.forget(uid)
        self._observed.forget_notes(uid)
        self._observed.forget_success(uid)
        self._queue.forget(uid)

    def node_gone(self, name: str) -> None:
        """A node was deleted."""
        self._observed.forget_node(name)
        self._changed_nodes.add(name)

    def due(self) -> None:
        """Judge again what time alone may have changed, and whom a node or a claim may fail."""
        if self._changed_nodes or self._changed_claims:
            # Once for all of them: a zone that is lost changes hundreds of nodes at a time.
            nodes, self._changed_nodes = self._changed_nodes, set()
            claims, self._changed_claims = self._changed_claims, set()
            self._judge_again(lambda pod: pod.spec.node_name in nodes or _mounts(pod, claims))
        for found in self.rechecks.due(self._clock(), most=MOST_AT_ONCE):
            self._again(found)

    def put_back(self, found: tuple[Found, ...]) -> None:
        """Have objects recorded anew, because their resource is gone."""
        for each in found:
            self._put(each.shown_by.uid, replace(each, read_at=time.monotonic()))

    # -- judging ---------------------------------------------------------------------------------

    def _again(self, found: Watched) -> None:
        if isinstance(found, Pod):
            self.pod(found)
        elif isinstance(found, Note):
            self.unwatched(found)
        elif not isinstance(found, Service):  # the sweep looks at those by itself
            self.workload(found)

    def _judge_again(self, concerned: Callable[[Pod], bool]) -> None:
        """The Pods that may fail for what has just changed."""
        known = [each.object for each in self._sightings.failing.values()]
        for found in (*known, *self.rechecks.all()):
            if isinstance(found, Pod) and concerned(found):
                self.pod(found)

    def _claim(self, claim: PersistentVolumeClaim) -> None:
        meta = claim.metadata
        state = claim_state(claim, self._observed.notes_of(meta.uid))
        if self._observed.claim(namespace=meta.namespace, name=meta.name, state=state):
            self._changed_claims.add((meta.namespace, meta.name))

    def _cron_job(self, found: CronJob) -> None:
        """A run that succeeded ends the failures of those before it."""
        uid = found.metadata.uid
        if not self._observed.success(uid, found.status.last_successful_time):
            return
        for each in tuple(self._sightings.failing.values()):
            if isinstance(each.object, Job) and _is_of(each.object, uid):
                self.workload(each.object)

    def claim_gone(self, *, namespace: str, name: str) -> None:
        """A claim was deleted."""
        self._observed.claim(namespace=namespace, name=name, state=None)

    def _take(self, uid: str, found: Watched, verdict: Verdict) -> None:
        """Act on a verdict; most are of healthy objects that nobody asked about."""
        self.rechecks.set(uid, found, verdict.look_again_at)
        symptoms = verdict.symptoms
        if symptoms:
            item = Found(object=found, symptoms=symptoms, now=symptoms, read_at=time.monotonic())
            self._sightings.fails(uid, item)
            for symptom in symptoms:
                self._symptom_seen(symptom.category)
            self._put(uid, item)
            return
        if uid in self._sightings.failing:
            # What waits in the queue stays there: it did fail, though it works by now.
            self._sightings.works(uid)
        marks = found.metadata.annotations if not isinstance(found, Note) else None
        if marks is not None and marks.diagnose:
            self._put(uid, Found(object=found, read_at=time.monotonic()))

    def _put(self, uid: str, found: Found) -> None:
        queue = self._queue
        before = queue.dropped
        queue.put(uid, found)
        if before == 0 and queue.dropped:
            _logger.error(
                "The queue of failing objects is full, the oldest are dropped until the next list",
                raise_with="KAUSA_QUEUE_SIZE",
            )


def _is_of(job: Job, cron_job: str) -> bool:
    return any(each.uid == cron_job for each in job.metadata.owner_references or ())


def _mounts(pod: Pod, claims: set[tuple[str, str]]) -> bool:
    namespace = pod.metadata.namespace
    return bool(claims) and any(
        each.persistent_volume_claim is not None
        and (namespace, each.persistent_volume_claim.claim_name) in claims
        for each in pod.spec.volumes or ()
    )
