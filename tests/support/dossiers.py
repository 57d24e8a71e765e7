"""Dossiers for rules: evidence as the gatherers would bring it, without a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from datetime import UTC, datetime

from support.pods import event

from kausa.cluster.errors import ApiError, ForbiddenError, NotFoundError
from kausa.cluster.objects import Event, Pod
from kausa.cluster.owners import Owner
from kausa.cluster.paths import ResourcePath
from kausa.cluster.reader import Manifest
from kausa.detection.events import note_of
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Surroundings
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor

__all__ = ["DEPLOYMENT", "FakeReader", "dossier"]

DEPLOYMENT = Owner(
    api_version="apps/v1", kind="Deployment", name="checkout", uid="owner-uid", namespace="shop"
)


LATER = datetime(2026, 1, 2, 3, 34, tzinfo=UTC)
"""Half an hour after all that the Pods of these tests tell: every grace period is over."""


NODE: Manifest = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "node-1", "uid": "node-uid"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
"""Where the Pods of these tests run, unless a test has nodes of its own."""


ANYBODY = "uid-1"
"""Events with this uid (the one that Events of tests have) are of whatever is asked about first."""


class FakeReader:
    """Answers from what it was given; what is an exception is raised."""

    def __init__(
        self,
        *,
        events: tuple[Event, ...] | Exception = (),
        previous: str | Exception = "",
        current: str | Exception = "",
        delay: float = 0.0,
        manifests: tuple[Manifest, ...] = (),
        pods: tuple[Pod, ...] = (),
        errors: Mapping[str, Exception] | None = None,
        slow: Collection[str] = (),
        seconds: float = 0.0,
    ) -> None:
        nodes = () if any(each.get("kind") == "Node" for each in manifests) else (NODE,)
        self.manifests_ = (*manifests, *nodes)
        self.pods_ = pods
        self.events = events
        self.logs = {True: previous, False: current}
        self.delay = delay
        self.errors = dict(errors or {})
        """What is raised for a kind; for every kind under `*`."""
        self.seconds = seconds
        """How long every answer takes."""
        self.slow = slow
        """Kinds that are answered after a minute only."""
        self.asked: list[bool] = []
        self.reads: list[tuple[str, str, str]] = []
        """Every reading: verb, kind, name or namespace."""
        self._first_uid: str | None = None

    async def pod(self, *, namespace: str, name: str) -> Pod:
        await self._answer("get", "Pod", name)
        for each in self.pods_:
            if each.metadata.name == name:
                return each
        raise NotFoundError("no such Pod", status=404)

    async def pods(self, *, namespace: str, node: str = "") -> tuple[Pod, ...]:
        await self._answer("list", "Pod", namespace)
        return tuple(each for each in self.pods_ if namespace in ("", each.metadata.namespace))

    async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        await asyncio.sleep(self.delay)
        await self._answer("list", "Event", uid)
        if isinstance(self.events, Exception):
            raise self.events
        self._first_uid = self._first_uid or uid
        return tuple(
            each
            for each in self.events
            if each.involved_object.uid == uid
            or (uid == self._first_uid and each.involved_object.uid == ANYBODY)
        )

    async def manifest(
        self, path: ResourcePath, *, name: str, namespace: str | None = None
    ) -> Manifest | None:
        await self._answer("get", path.kind, name)
        return next(
            (
                each
                for each in self.manifests_
                if (each["kind"], each["metadata"]["name"]) == (path.kind, name)
                and namespace in (None, each["metadata"].get("namespace", namespace))
            ),
            None,
        )

    async def manifests(
        self, path: ResourcePath, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...]:
        await self._answer("list", path.kind, namespace or "")
        wanted = dict(part.split("=", 1) for part in label_selector.split(",") if part)
        return tuple(
            each
            for each in self.manifests_
            if each["kind"] == path.kind
            and namespace in (None, each["metadata"].get("namespace", namespace))
            and _has_labels(each, wanted)
        )

    async def pod_log(self, *, previous: bool, **_: object) -> AsyncGenerator[bytes, None]:
        self.asked.append(previous)
        await self._answer("get", "log", "")
        found = self.logs[previous]
        if isinstance(found, Exception):
            raise found
        yield found.encode()

    async def _answer(self, verb: str, kind: str, name: str) -> None:
        self.reads.append((verb, kind, name))
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if kind in self.slow or "*" in self.slow:
            await asyncio.sleep(60)
        error = self.errors.get(kind) or self.errors.get("*")
        if error is not None:
            raise error


def _has_labels(manifest: Manifest, wanted: dict[str, str]) -> bool:
    labels = manifest["metadata"].get("labels")
    return not wanted or (
        isinstance(labels, dict) and all(labels.get(key) == each for key, each in wanted.items())
    )


def forbidden(what: str) -> ForbiddenError:
    """What the API server says to credentials that lack a permission."""
    return ForbiddenError(f"{what} is forbidden", status=403, reason="Forbidden")


def bad_request() -> ApiError:
    """What the API server says of a log that is not there."""
    return ApiError("previous terminated container not found", status=400, reason="BadRequest")


def dossier(
    pod: Pod,
    *,
    log: str = "",
    events: tuple[tuple[str, str], ...] = (),
    about: str = "api",
    owner: Owner = DEPLOYMENT,
) -> Dossier:
    """Gather about the Pod's first symptom, through the real gatherers and the real redactor."""
    happened = tuple(
        event(reason, message, uid=pod.metadata.uid, field_path=f"spec.containers{{{about}}}")
        for reason, message in events
    )
    notes = tuple(note for each in happened if (note := note_of(each)) is not None)
    reader = FakeReader(events=happened, previous=log, current=log)
    gatherer = Gatherer(reader=reader, redactor=Redactor(key=b"k" * 32))
    verdict = detect_pod(pod, around=Surroundings(notes=notes), now=LATER)
    symptom = verdict.symptoms[0] if verdict.symptoms else None
    return asyncio.run(gatherer.gather(owner=owner, pod=pod, symptom=symptom))
