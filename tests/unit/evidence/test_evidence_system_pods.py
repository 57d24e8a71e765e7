"""Pods of the system that others depend on: agents of a node, the cluster's DNS."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import pytest
from support.dossiers import FakeReader
from support.inquiries import Brought, bring, made
from support.pods import container, event, pod, waiting

from kausa.cluster.objects import Pod
from kausa.detection.symptom import Symptom
from kausa.evidence.cluster_dns import gather_dns
from kausa.evidence.dossier import Evidence, Source
from kausa.evidence.node_agents import MOST_AGENTS, gather_node_agents
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

POD = pod(container(waiting("ContainerCreating")))
SANDBOX = "Failed to create pod sandbox: cni plugin not initialized"


def agent(name: str, *, namespace: str = "kube-system", crashes: bool = True) -> dict[str, Any]:
    state = {"waiting": {"reason": "CrashLoopBackOff"}} if crashes else {"running": {}}
    return made(
        "Pod",
        name,
        namespace=namespace,
        labels={"k8s-app": "agent"},
        spec={"nodeName": POD.spec.node_name, "containers": [{"name": "main"}]},
        status={
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(not crashes)}],
            "containerStatuses": [{"name": "main", "state": state}],
        },
    )


def symptom(category: Category, message: str, *, of: str | None = None) -> Symptom:
    return Symptom(
        category=category, reason="Failed", reason_class="Failed", detail="", message=message,
        container=of,
    )  # fmt: skip


def reader(*agents: dict[str, Any]) -> FakeReader:
    typed = tuple(msgspec.convert(each, type=Pod, strict=False) for each in agents)
    warned = event(
        "Failed", "no route to the API server", uid=f"Pod-{agents[0]['metadata']['name']}"
    )
    return FakeReader(manifests=agents, pods=typed, events=(warned,))


async def looked(
    *agents: dict[str, Any], because: Symptom | None, whole_cluster: bool = True
) -> tuple[Brought, FakeReader]:
    asked = reader(*agents)
    found = await bring(
        gather_node_agents, asked, pod=POD, symptom=because, whole_cluster=whole_cluster
    )
    return found, asked


async def test_an_agent_that_fails_is_told_with_its_warnings() -> None:
    found, _ = await looked(
        agent("calico-node-1"), agent("shop-api-1"), because=symptom(Category.SANDBOX, SANDBOX)
    )
    assert "Pod calico-node-1 of namespace kube-system" in found.words(EvidenceKind.OTHER)
    assert "CrashLoopBackOff" in found.words(EvidenceKind.OTHER)
    assert "no route to the API server" in found.words(EvidenceKind.EVENT)
    assert [each["metadata"]["name"] for each in found.reading.manifests] == ["calico-node-1"]


async def test_storage_asks_for_drivers_and_not_for_networks() -> None:
    because = symptom(Category.VOLUME, "MountVolume.MountDevice failed: connection refused")
    found, _ = await looked(agent("ebs-csi-node-1"), agent("calico-node-1"), because=because)
    assert "ebs-csi-node-1" in found.words()
    assert "calico-node-1" not in found.words()


async def test_those_that_fail_come_first_and_all_are_bounded() -> None:
    well = [agent(f"cilium-{number}", crashes=False) for number in range(6)]
    found, _ = await looked(*well, agent("cilium-bad"), because=symptom(Category.NETWORK, SANDBOX))
    names = [each["metadata"]["name"] for each in found.reading.manifests]
    assert names[0] == "cilium-bad"
    assert len(names) == MOST_AGENTS


@pytest.mark.parametrize(
    "because",
    [
        None,
        symptom(Category.CRASH_LOOP, SANDBOX),
        symptom(Category.SANDBOX, SANDBOX, of="api"),
        symptom(Category.VOLUME, 'configmap "web" not found'),
    ],
)
async def test_failures_of_another_kind_cost_no_list(because: Symptom | None) -> None:
    found, asked = await looked(agent("calico-node-1"), because=because)
    assert not found.evidence
    assert not asked.reads


async def test_a_pod_of_a_user_is_no_agent_whatever_its_name() -> None:
    found, _ = await looked(
        agent("cilium-demo", namespace="shop"), because=symptom(Category.SANDBOX, SANDBOX)
    )
    assert not found.evidence


async def test_with_one_namespace_only_nothing_is_asked_and_nothing_is_missing() -> None:
    found, _ = await looked(
        agent("calico-node-1"), because=symptom(Category.SANDBOX, SANDBOX), whole_cluster=False
    )
    assert not found.evidence
    assert not found.gaps


def complaint(words: str, kind: EvidenceKind = EvidenceKind.LOG) -> Evidence:
    return Evidence(
        kind=kind, source=Source(kind="Pod", name="checkout", field_path="log[api]"), text=words
    )


async def named(
    words: str, *agents: dict[str, Any], ready: bool = False
) -> tuple[Brought, FakeReader]:
    service = made(
        "Service", "kube-dns", namespace="kube-system", labels={"k8s-app": "kube-dns"},
        spec={"selector": {"k8s-app": "agent"}, "ports": [{"port": 53}]},
    )  # fmt: skip
    slice_ = made(
        "EndpointSlice", "kube-dns-1", namespace="kube-system",
        labels={"kubernetes.io/service-name": "kube-dns"},
        endpoints=[{"conditions": {"ready": ready}}],
    )  # fmt: skip
    asked = reader(*agents)
    asked.manifests_ = (*asked.manifests_, service, slice_)
    said = (complaint(words),)
    return await bring(partial(gather_dns, said=said), asked, pod=POD), asked


@pytest.mark.parametrize(
    "words",
    [
        "dial tcp: lookup db on 10.96.0.10:53: read udp 10.0.0.2:1->10.96.0.10:53: i/o timeout",
        "getaddrinfo EAI_AGAIN db.shop.svc.cluster.local",
        "psycopg: Temporary failure in name resolution",
        ";; connection timed out; no servers could be reached",
    ],
)
async def test_who_gets_no_answer_from_dns_has_it_looked_at(words: str) -> None:
    found, _ = await named(words, agent("coredns-1"))
    assert ("Service", "kube-dns", "", "has no endpoint that is ready") in found.broken
    assert "Pod coredns-1" in found.words()


async def test_a_dns_that_answers_is_not_said_to_be_broken() -> None:
    found, _ = await named(
        "lookup db on 10.96.0.10:53: i/o timeout", agent("coredns-1", crashes=False), ready=True
    )
    assert not found.references


@pytest.mark.parametrize(
    "words", ["lookup db on 10.96.0.10:53: no such host", "connection refused"]
)
async def test_other_complaints_cost_no_look_at_dns(words: str) -> None:
    found, asked = await named(words, agent("coredns-1"))
    assert not found.evidence
    assert not asked.reads
