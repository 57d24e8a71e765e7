"""What the rest of Kausa may ask a cluster: one protocol, so that a snapshot can answer too."""

from __future__ import annotations

from typing import Protocol

from kausa.cluster.client import KubernetesClient
from kausa.cluster.objects import Event, Pod
from kausa.cluster.paging import list_all
from kausa.cluster.paths import EVENTS, PODS

__all__ = ["ClusterReader", "LiveCluster"]

MOST_EVENTS = 500
MOST_PODS = 2_000


class ClusterReader(Protocol):
    """Reading one cluster; every method raises a ClusterError when it cannot."""

    async def pod(self, *, namespace: str, name: str) -> Pod:
        """One Pod as it is now."""

    async def pods(self, *, namespace: str) -> tuple[Pod, ...]:
        """The Pods of a namespace, at most 2,000."""

    async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        """The Events about one object, at most 500."""

    async def pod_log(
        self,
        *,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int,
        limit_bytes: int,
    ) -> str:
        """The end of a container's log, of its previous run where asked."""


class LiveCluster:
    """A ClusterReader over a real API server."""

    def __init__(self, *, client: KubernetesClient) -> None:
        self._client = client

    async def pod(self, *, namespace: str, name: str) -> Pod:
        """One Pod as it is now."""
        return await self._client.get(PODS.object(namespace=namespace, name=name), kind=Pod)

    async def pods(self, *, namespace: str) -> tuple[Pod, ...]:
        """The Pods of a namespace, at most 2,000."""
        path = PODS.collection(namespace=namespace)
        return await list_all(self._client, path, kind=Pod, most=MOST_PODS)

    async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        """The Events about one object, at most 500."""
        return await list_all(
            self._client,
            EVENTS.collection(namespace=namespace),
            kind=Event,
            most=MOST_EVENTS,
            field_selector=f"involvedObject.uid={uid}",
        )

    async def pod_log(
        self,
        *,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int,
        limit_bytes: int,
    ) -> str:
        """The end of a container's log, of its previous run where asked."""
        return await self._client.pod_log(
            namespace=namespace,
            pod=pod,
            container=container,
            previous=previous,
            tail_lines=tail_lines,
            limit_bytes=limit_bytes,
        )
