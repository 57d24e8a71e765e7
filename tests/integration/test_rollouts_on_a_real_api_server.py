"""Rollouts as a real cluster's controllers write them, read as the operator's streams read them."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from support.workloads import BUSYBOX, deployment, shell

from kausa.cluster.client import KubernetesClient
from kausa.cluster.kubeconfig import load_kubeconfig
from kausa.cluster.watch import ChangeType, Watcher
from kausa.cluster.workloads import DAEMON_SETS, DEPLOYMENTS, STATEFUL_SETS
from kausa.controller.rollouts import RolloutTracker
from kausa.learning.rollout_kinds import (
    Rolling,
    RollingDaemonSet,
    RollingDeployment,
    RollingStatefulSet,
)
from kausa.memory.records import RolloutRecord

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

SLEEP = shell("sleep 99999")


@dataclass
class Recorded:
    """What a tracker says of a namespace."""

    records: list[RolloutRecord] = field(default_factory=list)
    tracker: RolloutTracker | None = None

    def offer(self, record: RolloutRecord) -> None:
        self.records.append(record)

    def said(self, name: str) -> list[tuple[str, str]]:
        found = [each for each in self.records if each.owner_name == name]
        revisions = list(dict.fromkeys(each.revision for each in found))
        numbers = {each: str(number) for number, each in enumerate(revisions, start=1)}
        return [(numbers[each.revision], each.outcome) for each in found]


@pytest.fixture
def namespace(cluster_kubeconfig: str) -> Iterator[tuple[Any, str]]:
    name = f"rollouts-{uuid.uuid4().hex[:8]}"
    with config.new_client_from_config(cluster_kubeconfig) as api:
        core = client.CoreV1Api(api)
        core.create_namespace({"metadata": {"name": name}})
        yield client.AppsV1Api(api), name
        core.delete_namespace(name, grace_period_seconds=0)


@contextlib.asynccontextmanager
async def watched(kubeconfig: str, namespace: str) -> AsyncIterator[Recorded]:
    found = Recorded()
    tracker = RolloutTracker(queue=found, cluster="c1", redact=lambda text: text)
    found.tracker = tracker
    async with KubernetesClient(load_kubeconfig(Path(kubeconfig))) as connection:

        async def read(path: Any, kind: type[Rolling]) -> None:
            watcher: Watcher[Any] = Watcher(
                client=connection, resource=path, kind=kind, namespace=namespace
            )
            async for change in watcher.changes():
                if change.object is not None and change.type is not ChangeType.DELETED:
                    tracker.saw(change.object)

        async with asyncio.TaskGroup() as tasks:
            readers = [
                tasks.create_task(read(path, kind))
                for path, kind in (
                    (DEPLOYMENTS, RollingDeployment),
                    (STATEFUL_SETS, RollingStatefulSet),
                    (DAEMON_SETS, RollingDaemonSet),
                )
            ]
            try:
                yield found
            finally:
                for each in readers:
                    each.cancel()


async def until(condition: Callable[[], Any], *, what: Callable[[], Any]) -> None:
    try:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"never so: {what()}") from None


async def says(found: Recorded, name: str, *expected: tuple[str, str]) -> None:
    await until(lambda: found.said(name) == list(expected), what=lambda: found.said(name))


def other(manifest: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The same workload with another template."""
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    container |= changes
    return manifest


async def test_a_deployment_that_is_brought_out_scaled_broken_and_set_back(
    cluster_kubeconfig: str, namespace: tuple[Any, str]
) -> None:
    apps, name = namespace
    body = deployment("api", dict(SLEEP))
    body["spec"]["progressDeadlineSeconds"] = 5
    async with watched(cluster_kubeconfig, name) as found:
        apps.create_namespaced_deployment(name, body)
        await says(found, "api", ("1", "STARTED"), ("1", "SUCCEEDED"))
        first = found.records[-1]
        assert first.images == (BUSYBOX,)
        assert first.duration_seconds is not None
        assert 0 <= first.duration_seconds < 60

        apps.patch_namespaced_deployment_scale("api", name, {"spec": {"replicas": 3}})
        await asyncio.sleep(4)
        assert len(found.said("api")) == 2

        apps.patch_namespaced_deployment(
            "api", name, other(body, image="localhost/no-such-image:1", imagePullPolicy="Never")
        )
        failed = (("1", "STARTED"), ("1", "SUCCEEDED"), ("2", "STARTED"), ("2", "FAILED"))
        await says(found, "api", *failed)
        assert found.records[-1].reason == "ProgressDeadlineExceeded"
        assert found.records[-1].changed[0].startswith("containers[main].image: ")

        apps.patch_namespaced_deployment("api", name, other(body, image=BUSYBOX))
        await says(found, "api", *failed, ("3", "STARTED"), ("3", "SUCCEEDED"))
        before = found.records[-1]

    async with watched(cluster_kubeconfig, name) as again:
        await says(again, "api", ("1", "SUCCEEDED"))
    assert again.records == [replace(before, changed=())]


async def test_a_stateful_set_and_a_daemon_set(
    cluster_kubeconfig: str, namespace: tuple[Any, str]
) -> None:
    apps, name = namespace
    template = deployment("db", dict(SLEEP))["spec"]
    stateful = {
        "metadata": {"name": "db"},
        "spec": {**template, "replicas": 2, "serviceName": "db"},
    }
    daemons = {
        "metadata": {"name": "agent"},
        "spec": {key: value for key, value in template.items() if key != "replicas"},
    }
    async with watched(cluster_kubeconfig, name) as found:
        apps.create_namespaced_stateful_set(name, stateful)
        await says(found, "db", ("1", "STARTED"), ("1", "SUCCEEDED"))
        apps.create_namespaced_daemon_set(name, daemons)
        await until(
            lambda: found.said("agent")[-1:] == [("1", "SUCCEEDED")],
            what=lambda: found.said("agent"),
        )
        apps.patch_namespaced_stateful_set("db", name, other(stateful, command=["sleep", "9999"]))
        await says(
            found, "db", ("1", "STARTED"), ("1", "SUCCEEDED"), ("2", "STARTED"), ("2", "SUCCEEDED")
        )
        said = len(found.said("agent"))
        apps.patch_namespaced_daemon_set("agent", name, other(daemons, command=["sleep", "9998"]))
        await until(
            lambda: found.said("agent")[said:] == [("2", "STARTED"), ("2", "SUCCEEDED")],
            what=lambda: found.said("agent"),
        )
