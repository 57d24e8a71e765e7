"""Leadership as the API server knows it: takeover after a death, hand-over, and never two."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kubernetes import client, config

from kausa.cluster import lease as module
from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Token
from kausa.cluster.errors import LeadershipLostError, LeaseForbiddenError
from kausa.cluster.kubeconfig import load_kubeconfig
from kausa.cluster.lease import LeaseElection

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def namespace(cluster_kubeconfig: str) -> Iterator[str]:
    name = f"lease-{uuid.uuid4().hex[:8]}"
    with config.new_client_from_config(cluster_kubeconfig) as api:
        core = client.CoreV1Api(api)
        core.create_namespace({"metadata": {"name": name}})
        yield name
        core.delete_namespace(name)


@pytest.fixture
def lease_name() -> str:
    return f"kausa-{uuid.uuid4().hex[:8]}"


class Process:
    """An operator that can die: it has a connection of its own and renews beside its work."""

    def __init__(self, kubeconfig: str, *, namespace: str, lease: str, identity: str) -> None:
        self._client = KubernetesClient(load_kubeconfig(Path(kubeconfig)))
        self.election = LeaseElection(
            client=self._client, namespace=namespace, name=lease, identity=identity
        )
        self._keeping: asyncio.Task[None] | None = None

    async def lead(self) -> float:
        """How long it took until it led."""
        began = time.monotonic()
        await self.election.acquire()
        self._keeping = asyncio.create_task(self.election.keep())
        return time.monotonic() - began

    async def kill(self) -> None:
        """No renewal any more, and no word of farewell."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError, LeadershipLostError):
                await self._keeping
        await self._client.close()

    async def stop(self) -> None:
        """As after a SIGTERM."""
        assert self._keeping is not None
        self._keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeping
        await self.election.release()


@pytest.fixture
async def pair(
    cluster_kubeconfig: str, namespace: str, lease_name: str
) -> AsyncIterator[tuple[Process, Process]]:
    first, second = (
        Process(cluster_kubeconfig, namespace=namespace, lease=lease_name, identity=identity)
        for identity in ("first", "second")
    )
    yield first, second
    await first.kill()
    await second.kill()


async def most_leaders(*processes: Process) -> int:
    """The most that ever led at once; to be cancelled, which gives the answer."""
    most = 0
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            most = max(most, sum(each.election.is_leader for each in processes))
            await asyncio.sleep(0.002)
    return most


async def test_after_a_death_another_leads_within_20_seconds_and_never_two(
    pair: tuple[Process, Process],
) -> None:
    first, second = pair
    watching = asyncio.create_task(most_leaders(*pair))
    await first.lead()
    following = asyncio.create_task(second.lead())
    await asyncio.sleep(3)
    died = time.monotonic()
    await first.kill()
    await following
    took = time.monotonic() - died
    print(f"takeover after a death: {took:.1f} s")
    assert 3 < took < 20
    assert second.election.is_leader
    assert not first.election.is_leader
    assert (second.election.leader, second.election.transitions) == ("second", 1)
    watching.cancel()
    assert await watching == 1


async def test_after_a_stop_another_leads_within_3_seconds(pair: tuple[Process, Process]) -> None:
    first, second = pair
    watching = asyncio.create_task(most_leaders(*pair))
    await first.lead()
    following = asyncio.create_task(second.lead())
    await asyncio.sleep(3)
    stopped = time.monotonic()
    await first.stop()
    await following
    took = time.monotonic() - stopped
    print(f"takeover after a stop: {took:.2f} s")
    assert took < 3
    watching.cancel()
    assert await watching == 1


async def test_many_candidates_that_begin_at_once_have_one_leader(
    cluster_kubeconfig: str, namespace: str, lease_name: str
) -> None:
    processes = [
        Process(cluster_kubeconfig, namespace=namespace, lease=lease_name, identity=f"p{number}")
        for number in range(6)
    ]
    tasks = [asyncio.create_task(each.lead()) for each in processes]
    done, _ = await asyncio.wait(tasks, timeout=4)
    assert len(done) == 1
    assert sum(each.election.is_leader for each in processes) == 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for each in processes:
        await each.kill()


async def test_kubectl_can_read_who_leads(
    pair: tuple[Process, Process], cluster_kubeconfig: str, namespace: str, lease_name: str
) -> None:
    first, _ = pair
    await first.lead()
    with config.new_client_from_config(cluster_kubeconfig) as api:
        leases = client.CoordinationV1Api(api)
        found = await asyncio.to_thread(leases.read_namespaced_lease, lease_name, namespace)
    assert found.spec.holder_identity == "first"
    assert found.spec.lease_duration_seconds == 10
    assert found.spec.renew_time is not None
    assert found.spec.acquire_time is not None


async def test_who_may_not_read_leases_is_told_which_permissions_are_missing(
    cluster_kubeconfig: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FORBIDDEN_PATIENCE_SECONDS", 0.5)
    with config.new_client_from_config(cluster_kubeconfig) as api:
        core = client.CoreV1Api(api)
        await asyncio.to_thread(
            core.create_namespaced_service_account, namespace, {"metadata": {"name": "nobody"}}
        )
        token = await asyncio.to_thread(
            core.create_namespaced_service_account_token, "nobody", namespace, {"spec": {}}
        )
    credentials = replace(
        load_kubeconfig(Path(cluster_kubeconfig)),
        certificate_pem=None,
        key_pem=None,
        token_source=lambda: Token(value=token.status.token, valid_until=1e12),
    )
    async with KubernetesClient(credentials) as nobody:
        election = LeaseElection(client=nobody, namespace=namespace, identity="nobody")
        with pytest.raises(LeaseForbiddenError, match=f"leases .* in namespace {namespace}"):
            await election.acquire()
