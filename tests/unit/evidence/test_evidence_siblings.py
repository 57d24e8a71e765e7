"""Do all Pods of the owner fail, or one, or only the new ones?"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from support.dossiers import FakeReader
from support.inquiries import Brought, bring, made, raw_pod
from support.pods import container, pod, running, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.cluster.paging import Listed
from kausa.cluster.paths import ResourcePath
from kausa.cluster.reader import Manifest
from kausa.evidence.siblings import gather_siblings, state_of
from kausa.resources.evidence import EvidenceKind

POD = pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3))
DEPLOYMENT = made(
    "Deployment",
    "checkout",
    api_version="apps/v1",
    spec={
        "selector": {"matchLabels": {"app": "checkout"}},
        "template": {"spec": {"containers": [{"name": "api"}]}},
    },
)


def sibling(name: str, *, well: bool, revision: str = "", node: str = "node-1") -> dict[str, Any]:
    state = running() if well else waiting("CrashLoopBackOff")
    return made(
        "Pod",
        name,
        labels={"app": "checkout", "pod-template-hash": revision},
        spec={"nodeName": node},
        status={
            "phase": "Running",
            "containerStatuses": [container(state)],
            "conditions": [{"type": "Ready", "status": "True" if well else "False"}],
        },
    )


async def beside(*pods: dict[str, Any], others: tuple[Pod, ...] = ()) -> Brought:
    reader = FakeReader(manifests=(DEPLOYMENT, raw_pod(POD), *pods), pods=(POD, *others))
    return await bring(gather_siblings, reader, pod=POD)


async def test_the_states_of_the_others_are_counted() -> None:
    found = await beside(
        sibling("a", well=True), sibling("b", well=False), sibling("c", well=False)
    )
    assert "3 other Pods of Deployment checkout: 2 CrashLoopBackOff, 1 ready" in found.words()


class Cut(FakeReader):
    """As a cluster with more Pods than are read at once."""

    async def manifests(
        self, path: ResourcePath, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...]:
        found = await super().manifests(path, namespace=namespace, label_selector=label_selector)
        return Listed(found[:2], more=len(found) > 2)


async def test_of_siblings_that_were_not_all_read_there_are_at_least_so_many() -> None:
    beside_it = (sibling(name, well=True) for name in ("a", "b", "c"))
    reader = Cut(manifests=(DEPLOYMENT, raw_pod(POD), *beside_it), pods=(POD,))
    found = await bring(gather_siblings, reader, pod=POD)
    assert "at least 2 other Pods of Deployment checkout: 2 ready" in found.words()


async def test_old_ones_that_are_well_and_new_ones_that_fail_are_told_apart() -> None:
    found = await beside(
        sibling("a", well=True, revision="old"), sibling("b", well=False, revision="new")
    )
    assert "1 of 1 fail with revision new, 0 of 1 fail with revision old" in found.words()


async def test_those_of_one_node_are_told_apart() -> None:
    found = await beside(
        sibling("a", well=True, node="node-2"), sibling("b", well=False, node="node-1")
    )
    assert "1 of 1 fail with node node-1" in found.words()


async def test_a_pod_alone_brings_nothing() -> None:
    found = await beside()
    assert not found.evidence


async def test_others_that_fail_on_the_same_node_or_by_the_same_image_are_told() -> None:
    other = pod(container(waiting("ImagePullBackOff")), name="mailer-1", uid="m")
    well = pod(container(running(), ready=True), name="cart-1", uid="c")
    found = await beside(others=(other, well))
    told = found.words(EvidenceKind.OTHER)
    assert "fail too on the same node (node-1): mailer-1 (ImagePullBackOff)" in told
    assert "fail too with the same image" in told
    assert "cart-1" not in told


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        (sibling("a", well=True), "ready"),
        (sibling("a", well=False), "CrashLoopBackOff"),
        ({"status": {"phase": "Succeeded"}}, "completed"),
        ({"metadata": {"deletionTimestamp": "x"}}, "terminating"),
        ({"status": {"phase": "Failed", "reason": "Evicted"}}, "Evicted"),
        ({"status": {"phase": "Running"}}, "running, not ready"),
        (
            {
                "status": {
                    "phase": "Pending",
                    "conditions": [
                        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
                    ],
                }
            },
            "Unschedulable",
        ),
        ({"status": {"containerStatuses": [{"state": terminated(137, "OOMKilled")}]}}, "OOMKilled"),
        ({}, "not known"),
    ],
)
def test_a_pod_is_told_in_a_word(raw: dict[str, Any], state: str) -> None:
    assert state_of(raw) == state


async def test_of_many_pods_few_are_kept() -> None:
    many = [sibling(f"p{number}", well=number % 2 == 0) for number in range(300)]
    found = await beside(*many)
    assert len(found.reading.manifests) == 8
    assert len(msgspec.json.encode(found.words())) < 2000
