"""Our resources on the API server: read, applied, their status written. The truth lives there.

All writes are server-side applies, so that writing twice is writing once, and two field managers
never undo each other: the streams own what was seen, the diagnosis owns what it means.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
import pydantic

from kausa.cluster.client import KubernetesClient
from kausa.cluster.errors import ConflictError, NotFoundError
from kausa.cluster.owners import Owner
from kausa.cluster.paths import EVENTS, ResourcePath
from kausa.controller.announcement import target_event
from kausa.resources.condition import RESOLVED, ConditionStatus
from kausa.resources.failure_diagnosis import FailureDiagnosis, status_document
from kausa.resources.group import (
    API_VERSION,
    DIAGNOSIS_MANAGER,
    FAILURE_DIAGNOSIS_KIND,
    FAILURE_DIAGNOSIS_PLURAL,
    STREAMS_MANAGER,
)
from kausa.resources.spec import Trigger
from kausa.resources.status import FailureDiagnosisStatus
from kausa.telemetry.logs import get_logger

__all__ = ["FAILURE_DIAGNOSES", "FailureDiagnosisStore"]

FAILURE_DIAGNOSES = ResourcePath(
    api_version=API_VERSION, plural=FAILURE_DIAGNOSIS_PLURAL, kind=FAILURE_DIAGNOSIS_KIND
)
RESOURCES_A_PAGE = 50
_logger = get_logger("kausa.controller.store")


class FailureDiagnosisStore:
    """Reads and writes FailureDiagnosis resources."""

    def __init__(self, *, client: KubernetesClient) -> None:
        self._client = client

    async def installed(self) -> bool:
        """Whether the API server serves our resource at all."""
        try:
            await self._client.get(f"/apis/{API_VERSION}", kind=msgspec.Raw)
        except NotFoundError:
            return False
        return True

    async def get(self, *, namespace: str, name: str) -> FailureDiagnosis | None:
        """One resource; None where there is none, or where it is being deleted."""
        path = FAILURE_DIAGNOSES.object(namespace=namespace, name=name)
        try:
            document = await self._client.get(path, kind=dict[str, Any])
        except NotFoundError:
            return None
        found = FailureDiagnosis.parse(document)
        return None if found.metadata.deletion_timestamp else found

    async def unresolved(self, *, namespace: str | None = None) -> AsyncIterator[FailureDiagnosis]:
        """Every failure that the streams recorded and that is not over, with no more of its status
        than they own. Few at a time: one resource may be large.
        """
        parameters = {"limit": str(RESOURCES_A_PAGE)}
        while True:
            page = await self._client.list_page(
                FAILURE_DIAGNOSES.collection(namespace=namespace), parameters=parameters
            )
            for item in page.items:
                found = _recorded_by_streams(item)
                if found is not None:
                    yield found
            if not page.metadata.continue_:
                return
            parameters["continue"] = page.metadata.continue_

    async def apply(self, resource: FailureDiagnosis) -> FailureDiagnosis:
        """Create the resource or bring it up to date; returns it as it is now."""
        namespace = resource.metadata.namespace or ""
        document = await self._client.apply(
            FAILURE_DIAGNOSES.object(namespace=namespace, name=resource.metadata.name),
            resource.to_dict(),
            manager=STREAMS_MANAGER,
        )
        return FailureDiagnosis.parse(document)

    async def write_sighting(
        self, *, namespace: str, name: str, status: FailureDiagnosisStatus
    ) -> bool:
        """What the streams saw; False where the resource is gone."""
        return await self._write(namespace, name, status, manager=STREAMS_MANAGER)

    async def write_diagnosis(
        self, *, namespace: str, name: str, status: FailureDiagnosisStatus
    ) -> bool:
        """What was found out; False where the resource is gone."""
        return await self._write(namespace, name, status, manager=DIAGNOSIS_MANAGER)

    async def _write(
        self, namespace: str, name: str, status: FailureDiagnosisStatus, *, manager: str
    ) -> bool:
        path = FAILURE_DIAGNOSES.object(namespace=namespace, name=name) + "/status"
        document = status_document(name=name, namespace=namespace, status=status)
        try:
            await self._client.apply(path, document, manager=manager)
        except NotFoundError:
            return False
        return True

    async def announce(
        self, *, name: str, owner: Owner, summary: str, version: str, now: datetime
    ) -> None:
        """Write a Kubernetes Event on the target, once for each version of the answer."""
        event = target_event(
            name=f"{name[:180]}.{version}",
            resource_name=name,
            owner=owner,
            summary=summary,
            now=now,
        )
        try:
            where = EVENTS.collection(namespace=event["metadata"]["namespace"])
            await self._client.create(where, event)
        except ConflictError:
            return  # It was announced before: by us, or by the process that was killed.


def parse_body(body: dict[str, Any]) -> FailureDiagnosis | None:
    """What a watch delivered; None (and a log line) for an object that this version cannot read."""
    try:
        return FailureDiagnosis.parse(body)
    except pydantic.ValidationError as error:
        meta = body.get("metadata", {})
        _logger.warning(
            "Skipped a FailureDiagnosis that cannot be read",
            namespace=meta.get("namespace"),
            name=meta.get("name"),
            problems=error.error_count(),
        )
        return None


def _recorded_by_streams(item: msgspec.Raw) -> FailureDiagnosis | None:
    body = msgspec.json.decode(item, type=dict[str, Any])
    status = body.get("status") or {}
    if body.get("spec", {}).get("trigger") == Trigger.MANUAL or not status.get("failure"):
        return None
    for condition in status.get("conditions") or ():
        if (condition.get("type"), condition.get("status")) == (RESOLVED, ConditionStatus.TRUE):
            return None
    body["status"] = {
        name: status[name] for name in ("failure", "conditions") if status.get(name) is not None
    }
    # A list's items come without these two.
    return parse_body({"apiVersion": API_VERSION, "kind": FAILURE_DIAGNOSIS_KIND, **body})
