"""What the rest of Kausa may ask a cluster: one protocol, so that a snapshot can answer too."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Protocol, TypeAlias

from kausa.cluster.errors import NotFoundError
from kausa.cluster.objects import Event, Pod
from kausa.cluster.paging import Listed, list_all
from kausa.cluster.paths import EVENTS, PODS, ResourcePath
from kausa.cluster.reading_client import ReadingClient

__all__ = ["MOST_EVENTS", "ClusterReader", "LiveCluster", "Manifest"]

Manifest: TypeAlias = dict[str, Any]
"""Any object as the API server's JSON has it, `kind` and `apiVersion` included."""

MOST_EVENTS = 500
"""About one object."""
MOST_EVENTS_OF_A_NAMESPACE = 2_000
MOST_PODS = 2_000
MOST_MANIFESTS = 500


class ClusterReader(Protocol):
    """Reading one cluster; every method raises a ClusterError when it cannot.

    A list that was cut at its bound is a `Listed` with `more`; ask `is_whole` before you conclude
    anything from what is not in it.
    """

    async def pod(self, *, namespace: str, name: str) -> Pod:
        """One Pod as it is now."""

    async def pods(self, *, namespace: str, node: str = "") -> tuple[Pod, ...]:
        """The Pods of a namespace (of all where none is named), of one node where one is; at most
        2,000.
        """

    async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        """The Events about one object, at most 500."""

    async def manifest(
        self, path: ResourcePath, *, name: str, namespace: str | None = None
    ) -> Manifest | None:
        """One object of any kind, whole; None where there is none."""

    async def manifests(
        self, path: ResourcePath, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...]:
        """Objects of any kind, whole, at most 500; of all namespaces where none is named."""

    def pod_log(
        self,
        *,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The chunks of a container's log, of its previous run where asked, the oldest first.

        It begins with the last `tail_lines` lines, or with the first, and ends after `limit_bytes`
        bytes, which is no error. Raises, when the first chunk is asked for, an ApiError of status
        400 or 404 where there is no such log. Close it (`aclosing`) where you end early.
        """


class LiveCluster:
    """A ClusterReader over a real API server."""

    def __init__(self, *, client: ReadingClient) -> None:
        self._client = client

    async def pod(self, *, namespace: str, name: str) -> Pod:
        """One Pod as it is now."""
        return await self._client.get(PODS.object(namespace=namespace, name=name), kind=Pod)

    async def pods(self, *, namespace: str, node: str = "") -> tuple[Pod, ...]:
        """The Pods of a namespace (of all where none is named), of one node where one is."""
        return await list_all(
            self._client,
            PODS.collection(namespace=namespace),
            kind=Pod,
            most=MOST_PODS,
            field_selector=f"spec.nodeName={node}" if node else "",
        )

    async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        """The Events about one object, at most 500."""
        return await list_all(
            self._client,
            EVENTS.collection(namespace=namespace),
            kind=Event,
            most=MOST_EVENTS,
            field_selector=f"involvedObject.uid={uid}",
        )

    async def events_of(self, *, namespace: str) -> Listed[Event]:
        """The Events of a namespace, at most 2,000."""
        return await list_all(
            self._client,
            EVENTS.collection(namespace=namespace),
            kind=Event,
            most=MOST_EVENTS_OF_A_NAMESPACE,
        )

    async def manifest(
        self, path: ResourcePath, *, name: str, namespace: str | None = None
    ) -> Manifest | None:
        """One object of any kind, whole; None where there is none."""
        try:
            found = await self._client.get(
                path.object(name=name, namespace=namespace), kind=dict[str, Any]
            )
        except NotFoundError:
            return None
        return _named(found, path)

    async def manifests(
        self, path: ResourcePath, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...]:
        """Objects of any kind, whole, at most 500; of all namespaces where none is named."""
        found = await list_all(
            self._client,
            path.collection(namespace=namespace),
            kind=dict[str, Any],
            most=MOST_MANIFESTS,
            label_selector=label_selector,
        )
        return Listed((_named(each, path) for each in found), more=found.more)

    def pod_log(
        self,
        *,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The chunks of a container's log, of its previous run where asked, the oldest first."""
        return self._client.pod_log(
            namespace=namespace,
            pod=pod,
            container=container,
            previous=previous,
            tail_lines=tail_lines,
            limit_bytes=limit_bytes,
        )


def _named(found: Manifest, path: ResourcePath) -> Manifest:
    """With its kind, which the items of a list leave out."""
    return {"apiVersion": path.api_version, "kind": path.kind, **found}
