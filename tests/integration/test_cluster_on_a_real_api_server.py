"""Reading a real cluster: credentials, the watch, owners, and what a refusal looks like."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from support.namespace import Namespace
from support.operator_process import wait_for
from support.our_resources import Server
from support.workloads import cannot_be_scheduled

from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Token, in_cluster_credentials
from kausa.cluster.errors import (
    ApiError,
    ConflictError,
    GoneError,
    NamespaceTerminatingError,
    NotFoundError,
    UnauthorizedError,
)
from kausa.cluster.kubeconfig import load_kubeconfig
from kausa.cluster.objects import Pod
from kausa.cluster.owners import OwnerResolver
from kausa.cluster.paths import EVENTS, PODS
from kausa.cluster.reader import LiveCluster
from kausa.cluster.watch import Change, ChangeType, Watcher
from kausa.controller.found import reference

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture
async def connection(cluster_kubeconfig: str) -> AsyncIterator[KubernetesClient]:
    async with KubernetesClient(load_kubeconfig(Path(cluster_kubeconfig))) as found:
        yield found


@pytest.fixture
def namespace(server: Server) -> Namespace:
    found = Namespace(server.api, server.namespace)

    def account() -> bool:
        with contextlib.suppress(client.ApiException):
            found.core.read_namespaced_service_account("default", found.name)
            return True
        return False

    wait_for(account, what="the default ServiceAccount")
    return found


def deployed(namespace: Namespace, name: str) -> Any:
    """The Pod of a Deployment that no node takes, so that nothing is started."""
    namespace.apply(cannot_be_scheduled(name))
    (pod,) = wait_for(lambda: namespace.pods(name), what="the Pod")
    return pod


async def test_the_watch_delivers_what_appears_changes_and_goes(
    connection: KubernetesClient, namespace: Namespace
) -> None:
    watcher = Watcher(
        client=connection, resource=PODS, kind=Pod, namespace=namespace.name, page_size=1
    )
    changes: asyncio.Queue[Change[Pod]] = asyncio.Queue()

    async def read() -> None:
        async for change in watcher.changes():
            await changes.put(change)

    reading = asyncio.ensure_future(read())
    try:
        await asyncio.wait_for(watcher.synced.wait(), 10)
        pod = await asyncio.to_thread(deployed, namespace, "watched")
        seen = await asyncio.wait_for(changes.get(), 10)
        assert (seen.type, seen.uid) == (ChangeType.SEEN, pod.metadata.uid)
        await asyncio.to_thread(
            namespace.apps.delete_namespaced_deployment, "watched", namespace.name
        )
        while seen.type is not ChangeType.DELETED:
            seen = await asyncio.wait_for(changes.get(), 30)
        assert seen.uid == pod.metadata.uid
        assert watcher.undecodable == 0
    finally:
        reading.cancel()


async def test_the_top_owner_of_a_pod_is_its_deployment(
    connection: KubernetesClient, namespace: Namespace
) -> None:
    made = await asyncio.to_thread(deployed, namespace, "owned")
    reader, owners = LiveCluster(client=connection), OwnerResolver(client=connection)
    pod = await reader.pod(namespace=namespace.name, name=made.metadata.name)
    owner = await owners.top_owner(reference(pod), meta=pod.metadata)
    assert owner is not None
    assert (owner.api_version, owner.kind, owner.name) == ("apps/v1", "Deployment", "owned")
    assert await owners.exists(owner)
    await asyncio.to_thread(namespace.apps.delete_namespaced_deployment, "owned", namespace.name)
    async with asyncio.timeout(20):
        while await owners.exists(owner):
            await asyncio.sleep(0.1)


async def test_events_about_one_object_are_read(
    connection: KubernetesClient, namespace: Namespace
) -> None:
    made = await asyncio.to_thread(deployed, namespace, "pending")
    reader = LiveCluster(client=connection)
    async with asyncio.timeout(20):
        while not (
            events := await reader.events_about(namespace=namespace.name, uid=made.metadata.uid)
        ):
            await asyncio.sleep(0.1)
    assert events[0].reason == "FailedScheduling"


async def test_a_version_that_was_never_there_is_gone_and_not_unknown(
    connection: KubernetesClient,
) -> None:
    with pytest.raises((GoneError, ApiError)) as caught:
        await connection.list_page(
            PODS.collection(), parameters={"limit": "1", "continue": "not-a-token"}
        )
    assert caught.value.status in {400, 410}


async def test_refusals_are_told_apart(
    connection: KubernetesClient, cluster_kubeconfig: str, namespace: Namespace
) -> None:
    with pytest.raises(NotFoundError):
        await connection.get(PODS.object(namespace=namespace.name, name="nobody"), kind=Pod)
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "twice", "namespace": namespace.name},
        "involvedObject": {"kind": "Pod", "name": "x", "namespace": namespace.name},
    }
    await connection.create(EVENTS.collection(namespace=namespace.name), event)
    with pytest.raises(ConflictError):
        await connection.create(EVENTS.collection(namespace=namespace.name), event)
    stranger = replace(
        load_kubeconfig(Path(cluster_kubeconfig)),
        certificate_pem=None,
        key_pem=None,
        token_source=lambda: Token(value="-".join(("no", "such", "token")), valid_until=1e9),
    )
    async with KubernetesClient(stranger) as unknown:
        with pytest.raises(UnauthorizedError):
            await unknown.get("/api/v1/namespaces/default", kind=Pod)


async def test_a_namespace_that_is_going_takes_nothing_more(
    connection: KubernetesClient, server: Server
) -> None:
    core = client.CoreV1Api(server.api)
    name = f"{server.namespace}-going"
    held = {"name": name, "finalizers": ["kausa.dev/test"]}
    await asyncio.to_thread(core.create_namespace, {"metadata": held})
    try:
        await asyncio.to_thread(core.delete_namespace, name)
        with pytest.raises(NamespaceTerminatingError):
            await connection.create(
                f"/api/v1/namespaces/{name}/configmaps",
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}},
            )
    finally:
        free = {"metadata": {"finalizers": None}}
        await asyncio.to_thread(core.patch_namespace, name, free)


async def test_the_service_account_of_a_pod_is_taken(
    cluster_kubeconfig: str,
    namespace: Namespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kubeconfig = load_kubeconfig(Path(cluster_kubeconfig))
    host, _, port = kubeconfig.server.removeprefix("https://").rpartition(":")
    token = await asyncio.to_thread(
        namespace.core.create_namespaced_service_account_token,
        "default",
        namespace.name,
        {"spec": {}},
    )
    (tmp_path / "token").write_text(token.status.token)
    (tmp_path / "ca.crt").write_text(kubeconfig.ca_pem or "")
    (tmp_path / "namespace").write_text(namespace.name)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    credentials = in_cluster_credentials(folder=tmp_path)
    assert credentials is not None
    assert credentials.namespace == namespace.name
    async with KubernetesClient(credentials) as inside:
        version = await inside.get("/version", kind=dict[str, str])
    assert version["major"] == "1"
