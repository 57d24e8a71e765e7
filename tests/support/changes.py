"""What changed before a failure, gathered from objects that a test lays out, and redacted."""

from __future__ import annotations

import dataclasses
from typing import Any

from support.dossiers import DEPLOYMENT, FakeReader
from support.pods import at, container, pod, waiting

from kausa.cluster.objects import Event, ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.detection.symptom import Symptom
from kausa.evidence.changes import gather_changes
from kausa.evidence.dossier import Change, Dossier
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.redaction import Redactor
from kausa.resources.category import Category

__all__ = ["FAILING", "changed", "dossier_of", "of_revision", "symptom"]


def of_revision(number: int, **spec: Any) -> Pod:
    """The Pod that fails, made by that ReplicaSet."""
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"checkout-{number}",
        "uid": f"uid-of-checkout-{number}",
        "controller": True,
    }
    return pod(container(waiting("CrashLoopBackOff"), restarts=3), owner=owner, spec=spec or None)


FAILING = of_revision(3)


def symptom(
    category: Category = Category.CRASH_LOOP, *, container: str | None = "api", seconds: float = 0
) -> Symptom:
    """A failure that began so long after the beginning."""
    return Symptom(
        category=category,
        reason=str(category),
        reason_class=str(category),
        detail="",
        message="",
        container=container,
        since=at(seconds),
    )


async def dossier_of(
    *manifests: dict[str, Any],
    failing: Pod = FAILING,
    seen: Symptom | None = None,
    owner: Owner = DEPLOYMENT,
    shown_by: ObjectReference | None = None,
    events: tuple[Event, ...] = (),
    errors: dict[str, Exception] | None = None,
) -> Dossier:
    """A dossier with nothing but the changes, through the redactor as every dossier."""
    reference = ObjectReference(
        api_version="v1",
        kind="Pod",
        namespace="shop",
        name=failing.metadata.name,
        uid=failing.metadata.uid,
    )
    reader = FakeReader(events=events, manifests=manifests, errors=errors)
    inquiry = Inquiry(
        reader=reader,
        owner=owner,
        shown_by=shown_by or reference,
        pod=failing,
        symptom=seen or symptom(),
        now=at(600),
    )
    reading = await gather_changes(inquiry)
    numbered = tuple(
        dataclasses.replace(each, id=f"E{number}")
        for number, each in enumerate(reading.evidence, start=1)
    )
    found = Dossier(
        owner=owner,
        shown_by=inquiry.shown_by,
        pod=failing,
        symptom=inquiry.symptom,
        evidence=numbered,
        changes=reading.changes,
        manifests=manifests,
        now=inquiry.now,
    )
    return Redactor(key=b"k" * 32).tree(found).value


async def changed(*manifests: dict[str, Any], **known: Any) -> tuple[Change, ...]:
    """The changes alone."""
    return (await dossier_of(*manifests, **known)).changes
