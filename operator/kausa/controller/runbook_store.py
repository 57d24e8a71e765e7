"""Runbooks on the API server: read, and their status written. The truth of them lives there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pydantic

from kausa.cluster.client import KubernetesClient
from kausa.cluster.errors import ForbiddenError, NotFoundError
from kausa.cluster.paths import ResourcePath
from kausa.resources.group import (
    API_VERSION,
    DIAGNOSIS_MANAGER,
    RUNBOOK_KIND,
    RUNBOOK_PLURAL,
)
from kausa.resources.runbook import Runbook, RunbookStatus, runbook_status_document
from kausa.telemetry.logs import get_logger

__all__ = ["RUNBOOKS", "RunbookStore", "parse_runbook_body"]

RUNBOOKS = ResourcePath(api_version=API_VERSION, plural=RUNBOOK_PLURAL, kind=RUNBOOK_KIND)
RESOURCES_A_PAGE = 50
"""One Runbook may have 64 KiB and more."""
_logger = get_logger("kausa.controller.runbooks")


class RunbookStore:
    """Reads Runbooks and writes their status."""

    def __init__(self, *, client: KubernetesClient) -> None:
        self._client = client

    async def readable(self, *, namespace: str | None) -> bool:
        """Whether Runbooks are served here and may be listed; in which case Kopf may watch them.

        Kopf as a whole ends when it may not watch one of its kinds.
        """
        where = RUNBOOKS.collection(namespace=namespace)
        try:
            await self._client.list_page(where, parameters={"limit": "1"})
        except (ForbiddenError, NotFoundError) as error:
            _logger.warning(
                "Runbooks are not read: apply crds/ and hack/rbac.yaml of this release, then "
                "restart the operator",
                why=str(error),
            )
            return False
        return True

    async def get(self, *, namespace: str, name: str) -> Runbook | None:
        """One Runbook; None where there is none, or where it is being deleted.

        Raises:
            pydantic.ValidationError: it is there, in a form that this version cannot read.
        """
        try:
            document = await self._client.get(
                RUNBOOKS.object(namespace=namespace, name=name), kind=dict[str, Any]
            )
        except NotFoundError:
            return None
        found = Runbook.parse(document)
        return None if found.metadata.deletion_timestamp else found

    async def all(self, *, namespace: str | None) -> AsyncIterator[dict[str, Any]]:
        """Every Runbook there is, as it stands there, a page at a time."""
        parameters = {"limit": str(RESOURCES_A_PAGE)}
        while True:
            page = await self._client.list_page(
                RUNBOOKS.collection(namespace=namespace), parameters=parameters
            )
            for item in page.items:
                body = msgspec.json.decode(item, type=dict[str, Any])
                # A list's items come without these two.
                yield {"apiVersion": API_VERSION, "kind": RUNBOOK_KIND, **body}
            if not page.metadata.continue_:
                return
            parameters["continue"] = page.metadata.continue_

    async def write_status(self, *, namespace: str, name: str, status: RunbookStatus) -> bool:
        """Write it whole; False where the Runbook is gone."""
        path = RUNBOOKS.object(namespace=namespace, name=name) + "/status"
        document = runbook_status_document(name=name, namespace=namespace, status=status)
        try:
            await self._client.apply(path, document, manager=DIAGNOSIS_MANAGER)
        except NotFoundError:
            return False
        return True


def parse_runbook_body(body: dict[str, Any]) -> Runbook | None:
    """What was delivered; None for an object that this version cannot read."""
    try:
        return Runbook.parse(body)
    except pydantic.ValidationError:
        return None
