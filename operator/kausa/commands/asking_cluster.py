"""What `kausa ask` reads of a cluster: the FailureDiagnosis resources that the operator wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from kausa.cluster.client import KubernetesClient
from kausa.cluster.errors import (
    ClusterError,
    ForbiddenError,
    NamespaceTerminatingError,
    NotFoundError,
)
from kausa.commands.asking_errors import CannotAskError, plainly
from kausa.commands.asking_links import follows_among, placed, with_names_below
from kausa.commands.asking_sources import where_to_look
from kausa.commands.run import credentials_of
from kausa.controller.store import FAILURE_DIAGNOSES, RESOURCES_A_PAGE, parse_body
from kausa.diagnosis.answering import Matters
from kausa.diagnosis.matters import Matter, matter_of_resource
from kausa.recall.query import QueryAnalysis
from kausa.resources.failure import CausedBy
from kausa.resources.group import API_VERSION, FAILURE_DIAGNOSIS_KIND
from kausa.settings import Settings

__all__ = ["ClusterSource"]

MOST_RESOURCES = 2_000


class ClusterSource:
    """The FailureDiagnosis resources that the operator wrote."""

    def __init__(self, client: KubernetesClient) -> None:
        self._client = client
        self.follows: dict[str, str] = {}
        """What follows from what, by labels; known once it was asked."""

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, settings: Settings, *, kubeconfig: Path | None, context: str | None
    ) -> AsyncIterator[ClusterSource]:
        """With a connection of its own; what `find` raises in it is told plainly.

        Raises:
            KubeconfigError: there are no credentials.
            CannotAskError: the cluster does not answer, or not to these credentials.
        """
        credentials = credentials_of(kubeconfig, context=context)
        async with KubernetesClient(credentials) as client:
            try:
                yield cls(client)
            except ClusterError as error:
                raise plainly(error, credentials) from error

    async def find(self, analysis: QueryAnalysis, *, namespaces: tuple[str, ...]) -> Matters:
        """Every failure that is diagnosed. Raises `ClusterError`, and `CannotAskError` where a
        namespace does not exist.
        """
        where, notes = where_to_look(analysis, namespaces)
        found: list[tuple[Matter, CausedBy | None]] = []
        for namespace in where or (None,):
            some = await self._of(namespace, room=MOST_RESOURCES - len(found))
            if not some and namespace is not None:
                await self._check_namespace(namespace)
            found += some
        if len(found) >= MOST_RESOURCES:
            notes += (f"Only {MOST_RESOURCES} failures were read; name a namespace (-n).",)
        self.follows = follows_among(found)
        matters = with_names_below([each for each, _ in found], follows=self.follows)
        return Matters(found=matters, notes=notes)

    async def _check_namespace(self, namespace: str) -> None:
        """A list of what is in no namespace is empty, and says nothing of it."""
        try:
            await self._client.get(f"/api/v1/namespaces/{namespace}", kind=msgspec.Raw)
        except (NotFoundError, NamespaceTerminatingError):
            raise CannotAskError(
                f"There is no namespace {namespace} in the cluster. `kubectl get namespaces` lists "
                "those that there are."
            ) from None
        except ForbiddenError:
            return  # Who may not read namespaces may have this one all the same.

    async def _of(
        self, namespace: str | None, *, room: int
    ) -> list[tuple[Matter, CausedBy | None]]:
        found: list[tuple[Matter, CausedBy | None]] = []
        parameters = {"limit": str(RESOURCES_A_PAGE)}
        while len(found) < room:
            page = await self._client.list_page(
                FAILURE_DIAGNOSES.collection(namespace=namespace), parameters=parameters
            )
            for item in page.items:
                body = msgspec.json.decode(item, type=dict[str, Any])
                # A list's items come without these two.
                whole = {"apiVersion": API_VERSION, "kind": FAILURE_DIAGNOSIS_KIND, **body}
                resource = parse_body(whole)
                matter = matter_of_resource(resource) if resource is not None else None
                if resource is not None and matter is not None:
                    failure = resource.status.failure if resource.status is not None else None
                    above = failure.caused_by if failure is not None else None
                    found.append((placed(matter), above))
            if not page.metadata.continue_:
                break
            parameters["continue"] = page.metadata.continue_
        return found[:room]
