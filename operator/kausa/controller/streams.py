"""The streams: Pods and Warning Events in, one Pod at a time out to whoever records and answers.

One task reads each stream and only queues; workers look at one Pod at a time, level-triggered: what
they decide depends on the Pod as it is, never on the change that brought it.
"""

from __future__ import annotations

import asyncio

from kausa.cluster.errors import ClusterError
from kausa.cluster.objects import Event, Pod
from kausa.cluster.owners import OwnerResolver
from kausa.cluster.watch import ChangeType, Watcher
from kausa.controller.asking import Asking
from kausa.controller.looks import Looks
from kausa.controller.recorder import Recorder
from kausa.controller.workqueue import WorkQueue
from kausa.detection.events import detect_repeat
from kausa.detection.pods import detect_pod
from kausa.resources.group import DIAGNOSE_ANNOTATION
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["Streams"]

WORKERS = 8
FLUSH_EVERY_SECONDS = 0.5
OPTED_OUT = "false"
_logger = get_logger("kausa.controller.streams")


class Streams:
    """Reads both streams; `run` until cancelled."""

    def __init__(
        self,
        *,
        pods: Watcher[Pod],
        events: Watcher[Event],
        owners: OwnerResolver,
        recorder: Recorder,
        asking: Asking,
        looks: Looks,
        queue: WorkQueue[Pod],
    ) -> None:
        self._pods = pods
        self._events = events
        self._owners = owners
        self._recorder = recorder
        self._asking = asking
        self._looks = looks
        self._queue = queue
        self._recording = Trouble(
            _logger,
            failed="Could not record what fails, trying until it works",
            recovered="Recording works again",
        )
        self._repeating = Trouble(
            _logger,
            failed="Could not write repeats, trying until it works",
            recovered="Writing repeats works again",
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_pods(), name="stream of Pods")
            tasks.create_task(self._read_events(), name="stream of Events")
            tasks.create_task(self._write_repeats(), name="writer of repeats")
            for number in range(WORKERS):
                tasks.create_task(self._work(), name=f"worker {number}")

    def resource_deleted(self, *, namespace: str, name: str) -> None:
        """A resource of ours is gone; if its Pods still fail, it comes back."""
        for pod in self._recorder.sightings.forget_resource((namespace, name)):
            self._queue.put(pod.metadata.uid, pod)

    async def _read_pods(self) -> None:
        async for change in self._pods.changes():
            pod = change.object
            if change.type is ChangeType.DELETED or pod is None:
                self._forget(change.uid)
                continue
            if _annotation(pod) == OPTED_OUT:
                self._forget(change.uid)
                continue
            failing = bool(detect_pod(pod))
            if failing:
                self._recorder.sightings.failing_pods[change.uid] = pod
            else:
                # What waits in the queue stays there: it did fail, though it runs again by now.
                self._recorder.sightings.forget_pod(change.uid)
            # Cheap and first: most changes are of healthy Pods that nobody asked about.
            if failing or _annotation(pod):
                self._put(pod)

    def _forget(self, uid: str) -> None:
        self._recorder.sightings.forget_pod(uid)
        self._queue.forget(uid)
        self._recording.forget(uid)

    def _put(self, pod: Pod) -> None:
        before = self._queue.dropped
        self._queue.put(pod.metadata.uid, pod)
        if before == 0 and self._queue.dropped:
            _logger.error(
                "The queue of changed Pods is full, the oldest are dropped until they change again",
                raise_with="KAUSA_QUEUE_SIZE",
            )

    async def _read_events(self) -> None:
        async for change in self._events.changes():
            if change.object is None or change.type is ChangeType.DELETED:
                continue
            repeat = detect_repeat(change.object)
            if repeat is None:
                continue
            pod = self._recorder.sightings.remember_repeat(repeat)
            if pod is not None:
                self._put(pod)

    async def _work(self) -> None:
        while True:
            uid, pod = await self._queue.take()
            try:
                await self._look_at(pod)
            except ClusterError as error:
                name = f"{pod.metadata.namespace}/{pod.metadata.name}"
                self._recording.happened(error, pod=name, key=uid)
                self._queue.failed(uid, pod)
            except Exception:
                # One Pod of a shape that nobody thought of must not stop the others.
                _logger.exception("Could not look at a Pod", pod=pod.metadata.name)
                self._recording.forget(uid)
                self._queue.done(uid)
            else:
                self._recording.over(key=uid)
                self._queue.done(uid)

    async def _look_at(self, pod: Pod) -> None:
        owner = await self._owners.top_owner(pod)
        if owner is None:
            return
        symptoms = detect_pod(pod)
        question = _annotation(pod)
        for symptom in symptoms:
            name = await self._recorder.see(pod, symptom, owner=owner)
            if name:
                self._looks.seen((owner.namespace, name), symptom)
            if question and name:
                await self._asking.about_failing(
                    name, owner=owner, container=symptom.container, question=question
                )
        if not question or symptoms:
            return
        known = self._recorder.sightings.resources_of(pod.metadata.uid)
        for _, name in known:
            await self._asking.about_failing(name, owner=owner, container=None, question=question)
        if not known:
            await self._asking.about_healthy(pod, owner=owner, question=question)

    async def _write_repeats(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_SECONDS)
            written = await self._recorder.write_due()
            for namespace, name in written.gone:
                self.resource_deleted(namespace=namespace, name=name)
            if written.error is not None:
                self._repeating.happened(written.error)
            elif written.count:
                self._repeating.over()


def _annotation(pod: Pod) -> str | None:
    return (pod.metadata.annotations or {}).get(DIAGNOSE_ANNOTATION)
