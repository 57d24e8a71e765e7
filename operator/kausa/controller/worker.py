"""What a worker does with one object that was found in a symptom: owner, record, upstream, answer.

Level-triggered: what it does depends on what the object showed, never on the change that brought
it, and every step can be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping

from kausa.cluster.client import KubernetesClient
from kausa.cluster.errors import ClusterError, NotFoundError
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.cluster.workload_surroundings import Node
from kausa.cluster.workloads import WORKLOADS, Workload, is_watched
from kausa.controller.asking import Asking
from kausa.controller.errors import UpstreamPendingError
from kausa.controller.found import Found
from kausa.controller.judge import Judge
from kausa.controller.looks import Looks
from kausa.controller.recorder import Recorder
from kausa.controller.scope import says_no
from kausa.controller.sightings import ResourceKey, Sightings
from kausa.controller.upstreams import CONSEQUENCES, quota_symptom
from kausa.controller.workqueue import WorkQueue
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.telemetry.logs import get_logger
from kausa.telemetry.metrics import Metrics
from kausa.telemetry.trouble import Trouble

__all__ = ["Worker"]

_logger = get_logger("kausa.controller.worker")
_SymptomKey = tuple[str, str | None, str]


class Worker:
    """Works through the queue; any number of `run` share one."""

    def __init__(
        self,
        *,
        client: KubernetesClient,
        queue: WorkQueue[Found],
        owners: OwnerResolver,
        judge: Judge,
        recorder: Recorder,
        sightings: Sightings,
        asking: Asking,
        looks: Looks,
        metrics: Metrics,
    ) -> None:
        self._client = client
        self._metrics = metrics
        self._queue = queue
        self._owners = owners
        self._judge = judge
        self._recorder = recorder
        self._sightings = sightings
        self._asking = asking
        self._looks = looks
        self._recording = Trouble(
            _logger,
            failed="Could not record what fails, trying until it works",
            recovered="Recording works again",
        )
        queue.on_forget = self._recording.forget

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            uid, found = await self._queue.take()
            try:
                await self._look_at(uid, found)
            except UpstreamPendingError:
                self._queue.failed(uid, found)
            except ClusterError as error:
                by = found.shown_by
                name = f"{by.kind} {by.namespace}/{by.name}"
                self._recording.happened(error, object=name, key=uid)
                self._again_later(uid, found)
            except Exception:
                # One object of a shape that nobody thought of must not stop the others.
                # Not by its name either, which is read from that shape.
                _logger.exception("Could not look at an object", uid=uid)
                self._recording.forget(uid)
                self._queue.done(uid)
            else:
                self._recording.over(key=uid)
                self._queue.done(uid)

    def _again_later(self, uid: str, found: Found) -> None:
        self._metrics.work_retried()
        self._queue.failed(uid, found)

    async def _look_at(self, uid: str, found: Found) -> None:
        if isinstance(found.object, Note) and not found.symptoms:
            await self._read(found.object)
            return
        owner = await self._owners.top_owner(found.shown_by, meta=found.meta)
        if owner is None:
            return
        if says_no(owner.marked):
            self._sightings.leave(uid)
            self._sightings.leave_owner(owner.uid)
            return
        watched = is_watched(owner.api_version, owner.kind)
        if isinstance(found.object, Note) and watched and owner.uid != uid:
            return  # The workload above says it itself.
        keys: dict[_SymptomKey, tuple[ResourceKey, ...]] = {}
        try:
            for symptom in found.symptoms:
                keys[_key(symptom)] = await self._record(found, symptom, owner=owner)
        except BaseException:
            # What is recorded counts at once, and what was before goes on until the next try.
            self._note(uid, keys, owner=owner, before=self._sightings.resources_of(uid))
            raise
        self._note(uid, keys, owner=owner)
        if found.marked:
            await self._answer(found, owner=owner, question=found.marked)

    def _note(
        self,
        uid: str,
        keys: Mapping[_SymptomKey, tuple[ResourceKey, ...]],
        *,
        owner: Owner,
        before: tuple[ResourceKey, ...] = (),
    ) -> None:
        """Note under which failures the object fails now.

        The state that was read last may be another by now; what it shows is recorded in its turn.
        """
        now = self._sightings.failing.get(uid)
        shown = {each for one in (now.now if now else ()) for each in keys.get(_key(one), ())}
        self._sightings.recorded(uid, shown | set(before), owner=owner)
        self._sightings.seen(key for every in keys.values() for key in every)

    async def _record(
        self, found: Found, symptom: Symptom, *, owner: Owner
    ) -> tuple[ResourceKey, ...]:
        """Record one symptom, and what it follows from where nobody else would."""
        upstream = symptom.caused_by
        if upstream is not None and upstream.stands_for_all:
            if not self._shows_now(found, symptom):
                return ()  # What it fails for now must not wait for what is over.
            return (self._recorder.follow(found, symptom),)
        by = found.shown_by
        if symptom.category in CONSEQUENCES and is_watched(by.api_version, by.kind):
            if not self._sightings.knows_what_was_left:
                raise UpstreamPendingError(owner.name)
            of_pods = self._sightings.of_pods(owner.uid)
            if of_pods:
                return of_pods  # It goes on for as long as this does, and is the same failure.
        above: tuple[ResourceKey, ...] = ()
        if upstream is not None and upstream.kind == "ResourceQuota":
            above, symptom = await self._record_quota(found, symptom, namespace=owner.namespace)
        key = await self._recorder.see(found, symptom, owner=owner)
        if key is None:
            return above
        self._looks.seen(key, symptom)
        return (key, *above)

    def _shows_now(self, found: Found, symptom: Symptom) -> bool:
        """Whether the object shows this in the state that was read last."""
        last = self._sightings.failing.get(found.shown_by.uid)
        return last is not None and any(_key(each) == _key(symptom) for each in last.now)

    async def _record_quota(
        self, found: Found, symptom: Symptom, *, namespace: str
    ) -> tuple[tuple[ResourceKey, ...], Symptom]:
        """A quota is no failure by itself; it is one for whom it keeps from running."""
        upstream = symptom.caused_by
        if upstream is None:
            return (), symptom
        quota = await self._owners.find(
            api_version="v1", kind="ResourceQuota", namespace=namespace, name=upstream.name
        )
        if quota is None:
            return (), symptom
        blocked, symptom = quota_symptom(symptom, quota=quota)
        shown = Found(
            object=Note(
                uid=quota.uid,
                api_version=quota.api_version,
                kind=quota.kind,
                namespace=namespace,
                name=quota.name,
                container=None,
                reason=blocked.reason,
                message=blocked.message,
                count=blocked.occurrences,
                first_seen=blocked.since,
                last_seen=blocked.last_seen,
            ),
            symptoms=(blocked,),
            read_at=found.read_at,
        )
        key = await self._recorder.see(shown, blocked, owner=quota)
        if key is not None:
            self._looks.seen(key, blocked)
        return ((key,) if key is not None else ()), symptom

    async def _read(self, note: Note) -> None:
        """An Event warns of an object that seemed healthy: read it, if its kind is watched."""
        if not is_watched(note.api_version, note.kind):
            self._judge.unwatched(note)
            return
        path, kind = WORKLOADS[note.kind]
        self._judge.reads(note.uid)
        try:
            found: Workload = await self._client.get(
                path.object(name=note.name, namespace=note.namespace), kind=kind
            )
        except NotFoundError:
            return
        finally:
            is_news = self._judge.has_read(note.uid)
        # A kubelet calls its node by its name.
        named = {found.metadata.uid, *([found.metadata.name] if isinstance(found, Node) else ())}
        if is_news and note.uid in named:
            self._judge.workload(found)

    async def _answer(self, found: Found, *, owner: Owner, question: str) -> None:
        """Somebody asked about this object."""
        by = found.shown_by
        # A workload that is asked about may fail by its Pods alone.
        known = self._sightings.resources_of(by.uid) or self._sightings.of_pods(by.uid)
        for namespace, name in known:
            sighting = self._sightings.by_resource.get((namespace, name))
            await self._asking.about_failing(
                name,
                owner=owner,
                container=sighting.symptom.container if sighting is not None else None,
                question=question,
            )
        if not known and not found.symptoms:
            pod = by.name if by.kind == "Pod" else None
            await self._asking.about_healthy(pod, owner=owner, question=question)


def _key(symptom: Symptom) -> _SymptomKey:
    return symptom.reason_class, symptom.container, symptom.detail
