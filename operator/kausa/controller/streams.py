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
RETRY_SECONDS = 2.0
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
        queue_size: int,
    ) -> None:
        self._pods = pods
        self._events = events
        self._owners = owners
        self._recorder = recorder
        self._asking = asking
        self._queue: WorkQueue[Pod] = WorkQueue(size=queue_size)
        self._trouble = Trouble(
            _logger,
            failed="Could not record what fails, trying until it works",
            recovered="Recording works again",
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_pods(), name="stream of Pods")
            tasks.create_task(self._read_events(), name="stream of Events")
            tasks.create_task(self._write_repeats(), name="writer of repeats")
            for number in range(WORKERS):
                tasks.create_task(self._work(), name=f"worker {number}")

    async def resource_deleted(self, *, namespace: str, name: str) -> None:
        """A resource of ours is gone; if its Pods still fail, it comes back."""
        for pod in self._recorder.sightings.forget_resource((namespace, name)):
            await self._queue.put(pod.metadata.uid, pod)

    async def _read_pods(self) -> None:
        async for change in self._pods.changes():
            if change.type is ChangeType.DELETED or change.object is None:
                self._recorder.sightings.forget_pod(change.uid)
            elif self._matters(change.object):
                await self._queue.put(change.uid, change.object)

    def _matters(self, pod: Pod) -> bool:
        """Cheap and first: most changes are of healthy Pods that nobody asked about."""
        annotation = _annotation(pod)
        if annotation != OPTED_OUT and (annotation or detect_pod(pod)):
            return True
        self._recorder.sightings.forget_pod(pod.metadata.uid)
        return False

    async def _read_events(self) -> None:
        async for change in self._events.changes():
            if change.object is None or change.type is ChangeType.DELETED:
                continue
            repeat = detect_repeat(change.object)
            if repeat is None:
                continue
            pod = self._recorder.sightings.remember_repeat(repeat)
            if pod is not None:
                await self._queue.put(pod.metadata.uid, pod)

    async def _work(self) -> None:
        while True:
            uid, pod = await self._queue.take()
            try:
                await self._look_at(pod)
                self._trouble.over()
            except ClusterError as error:
                self._trouble.happened(error)
                await asyncio.sleep(RETRY_SECONDS)
                await self._queue.put(uid, pod)
            except Exception:
                # One Pod of a shape that nobody thought of must not stop the others.
                _logger.exception("Could not look at a Pod", pod=pod.metadata.name)
            finally:
                await self._queue.done(uid)

    async def _look_at(self, pod: Pod) -> None:
        owner = await self._owners.top_owner(pod)
        if owner is None:
            return
        symptoms = detect_pod(pod)
        question = _annotation(pod)
        if symptoms:
            self._recorder.sightings.failing_pods[pod.metadata.uid] = pod
        for symptom in symptoms:
            name = await self._recorder.see(pod, symptom, owner=owner)
            if question and name:
                await self._asking.about_failing(
                    name, owner=owner, container=symptom.container, question=question
                )
        if question and not symptoms:
            await self._asking.about_healthy(pod, question=question)

    async def _write_repeats(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_SECONDS)
            try:
                gone = await self._recorder.write_due()
            except ClusterError as error:
                self._trouble.happened(error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for namespace, name in gone:
                await self.resource_deleted(namespace=namespace, name=name)


def _annotation(pod: Pod) -> str | None:
    return (pod.metadata.annotations or {}).get(DIAGNOSE_ANNOTATION)
