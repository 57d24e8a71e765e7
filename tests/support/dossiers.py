"""Dossiers for rules: evidence as the gatherers would bring it, without a cluster."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from support.pods import event

from kausa.cluster.errors import ApiError, ForbiddenError
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


class FakeReader:
    """Answers from what it was given; a log that is an error is raised."""

    def __init__(
        self,
        *,
        events: tuple[Event, ...] | Exception = (),
        previous: str | Exception = "",
        current: str | Exception = "",
        delay: float = 0.0,
        manifests: tuple[Manifest, ...] = (),
    ) -> None:
        self.manifests_ = manifests
        self.events = events
        self.logs = {True: previous, False: current}
        self.delay = delay
        self.asked: list[bool] = []

    async def pod(self, *, namespace: str, name: str) -> Pod:
        raise NotImplementedError

    async def pods(self, *, namespace: str) -> tuple[Pod, ...]:
        raise NotImplementedError

    async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        await asyncio.sleep(self.delay)
        if isinstance(self.events, Exception):
            raise self.events
        return self.events

    async def manifest(
        self, path: ResourcePath, *, name: str, namespace: str | None = None
    ) -> Manifest | None:
        return next(
            (
                each
                for each in self.manifests_
                if (each["kind"], each["metadata"]["name"]) == (path.kind, name)
            ),
            None,
        )

    async def manifests(
        self, path: ResourcePath, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...]:
        return tuple(each for each in self.manifests_ if each["kind"] == path.kind)

    async def pod_log(self, *, previous: bool, **_: object) -> str:
        self.asked.append(previous)
        found = self.logs[previous]
        if isinstance(found, Exception):
            raise found
        return found


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
