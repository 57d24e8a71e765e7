"""The node of a Pod, the nodes that might take it, and why none does."""

from __future__ import annotations

from typing import Any

import pytest
from support.dossiers import FakeReader
from support.inquiries import Brought, bring, made, raw_pod
from support.pods import container, pod, running

from kausa.cluster.objects import Pod
from kausa.detection.symptom import Symptom
from kausa.evidence.asked import asked_by
from kausa.evidence.node_status import gather_node
from kausa.evidence.scheduling import candidates, gather_candidates
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind


def node(name: str = "node-1", **parts: Any) -> dict[str, Any]:
    status = {
        "allocatable": parts.pop("allocatable", {"cpu": "2", "memory": "4Gi", "pods": "110"}),
        "conditions": parts.pop("conditions", [{"type": "Ready", "status": "True"}]),
        "nodeInfo": {"kubeletVersion": "v1.36.2", "architecture": "amd64"},
        "images": [{"names": ["x"]}],
    }
    labels = parts.pop("labels", {})
    return made("Node", name, namespace=None, labels=labels, status=status, spec=parts)


def busy(name: str, *, on: str = "node-1", cpu: str = "1500m") -> Pod:
    return pod(container(running()), name=name, uid=name, node=on, requests={"cpu": cpu})


WAITING = pod(name="big", uid="big", node="", phase="Pending")


def asks(**requests: str) -> dict[str, Any]:
    return {"containers": [{"name": "api", "resources": {"requests": requests}}]}


async def told(it: dict[str, Any], *, category: Category = Category.CRASH_LOOP) -> Brought:
    symptom = Symptom(
        category=category, reason="x", reason_class="x", detail="", message="", container="api"
    )
    running_pod = pod(container(running()))
    reader = FakeReader(manifests=(it,), pods=(running_pod, busy("other")))
    return await bring(gather_node, reader, pod=running_pod, symptom=symptom)


async def test_a_node_tells_what_is_wrong_with_it_first() -> None:
    pressure = {"type": "MemoryPressure", "status": "True", "reason": "KubeletHasNoMemory"}
    ready = {"type": "Ready", "status": "True"}
    taint = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
    found = await told(node(conditions=[ready, pressure], taints=[taint], unschedulable=True))
    first, rest = found.evidence
    assert "MemoryPressure=True" in first.text
    for word in ("ready", "cordoned", "dedicated=gpu:NoSchedule", "kubelet v1.36.2", "amd64"):
        assert word in rest.text


async def test_a_node_that_is_well_has_no_condition_told() -> None:
    found = await told(node())
    assert len(found.evidence) == 1


async def test_what_is_asked_for_on_a_node_is_added_up_where_room_matters() -> None:
    found = await told(node(), category=Category.EVICTION)
    assert "cpu 1500m of 2 asked for" in found.words()
    assert "2 Pods of 110" in found.words()
    assert "allocatable cpu=2" in (await told(node())).words()


async def test_a_node_that_is_gone_brings_nothing() -> None:
    reader = FakeReader(manifests=(node("another"),))
    found = await bring(gather_node, reader, pod=pod(container(running())))
    assert not found.evidence
    assert not found.gaps


# -- where a Pod might go --------------------------------------------------------------------------

REFUSALS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"unschedulable": True}, {}, "is cordoned"),
    (
        {"taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}]},
        {},
        "taint a=b:NoSchedule is not tolerated",
    ),
    (
        {"labels": {"disk": "hdd"}},
        {"nodeSelector": {"disk": "ssd"}},
        "wants disk=ssd, it has disk=hdd",
    ),
    ({}, {"nodeSelector": {"disk": "ssd"}}, "it has no label disk"),
    (
        {"labels": {"zone": "a"}},
        {
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {
                                "matchExpressions": [
                                    {"key": "zone", "operator": "In", "values": ["b"]}
                                ]
                            }
                        ]
                    }
                }
            }
        },
        "node affinity requires zone in (b)",
    ),
    ({"conditions": [{"type": "DiskPressure", "status": "True"}]}, {}, "DiskPressure=True"),
    ({"conditions": [{"type": "Ready", "status": "Unknown"}]}, {}, "Ready=Unknown"),
    ({}, asks(cpu="3"), "cpu 2 free of 2, 3 asked"),
    ({}, asks(memory="8Gi"), "memory 4Gi free of 4Gi, 8Gi asked"),
    ({}, asks(**{"nvidia.com/gpu": "1"}), "nvidia.com/gpu 0 free of 0, 1 asked"),
    ({"allocatable": {"pods": "0"}}, {}, "0 Pods of at most 0"),
]


@pytest.mark.parametrize(("has", "wants", "words"), REFUSALS)
def test_a_node_says_why_it_does_not_take_a_pod(
    has: dict[str, Any], wants: dict[str, Any], words: str
) -> None:
    (only,) = candidates(raw_pod(WAITING, **wants), (node(**has),), pods=())
    assert words in ", ".join(only.objections)


@pytest.mark.parametrize(
    ("has", "wants"),
    [
        ({}, {}),
        (
            {"taints": [{"key": "a", "effect": "NoSchedule"}]},
            {"tolerations": [{"operator": "Exists"}]},
        ),
        ({"labels": {"disk": "ssd"}}, {"nodeSelector": {"disk": "ssd"}}),
        ({}, asks(cpu="2", memory="4Gi")),
    ],
)
def test_a_node_that_would_do_has_no_objection(has: dict[str, Any], wants: dict[str, Any]) -> None:
    (only,) = candidates(raw_pod(WAITING, **wants), (node(**has),), pods=())
    assert only.objections == ()


async def test_the_nearest_node_comes_first_with_what_is_free_in_numbers() -> None:
    wanted = raw_pod(WAITING, **asks(cpu="1"))
    full, free = node("full"), node("nearly")
    reader = FakeReader(
        manifests=(wanted, full, free),
        pods=(busy("a", on="full", cpu="2"), busy("b", on="nearly", cpu="1100m")),
    )
    found = await bring(gather_candidates, reader, pod=WAITING)
    assert "cpu 900m free of 2, 1 asked" in found.words(EvidenceKind.NODE)
    assert [each["metadata"]["name"] for each in found.reading.manifests] == ["nearly", "full"]
    assert "asks for cpu=1" in found.evidence[0].text


async def test_a_pod_that_has_a_node_asks_no_other() -> None:
    reader = FakeReader(manifests=(node(),))
    found = await bring(gather_candidates, reader, pod=pod(container(running())))
    assert not found.evidence
    assert not reader.reads


def test_what_a_pod_asks_for_is_added_up_as_the_scheduler_does() -> None:
    def ask(cpu: str, **more: Any) -> dict[str, Any]:
        return {"name": "c", "resources": {"requests": {"cpu": cpu}}, **more}

    spec = {
        "containers": [ask("100m"), ask("200m")],
        "initContainers": [ask("1"), ask("50m", restartPolicy="Always")],
        "overhead": {"cpu": "10m"},
    }
    assert asked_by({"spec": spec})["cpu"] == pytest.approx(1.01)
    limited = {"containers": [{"name": "c", "resources": {"limits": {"memory": "1Gi"}}}]}
    assert asked_by({"spec": limited}) == {"memory": 1024**3}
