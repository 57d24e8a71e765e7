"""A failure, its end and what a person says of it, as the memory keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from kubernetes import client
from support.namespace import Namespace, complete, condition
from support.operator_process import OperatorProcess, wait_for
from support.workloads import deployment, shell

from kausa.memory.filters import Filter, OneOf
from kausa.memory.opening import open_embedded_memory
from kausa.memory.records import FailureRecord, RolloutRecord

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NEEDS_40_MIB = "x=$(yes | head -c 40000000); echo ready; sleep 3600"
R = TypeVar("R", FailureRecord, RolloutRecord)
IN_LINE = "The memory is in line with the resources"


def limited(memory: str) -> dict[str, Any]:
    resources = {"limits": {"memory": memory}, "requests": {"memory": "8Mi"}}
    return deployment("checkout", {"name": "api", **shell(NEEDS_40_MIB), "resources": resources})


def remembered(folder: Path, namespace: str, kind: type[R]) -> list[R]:
    """What the memory holds; no operator may run."""

    async def read() -> list[R]:
        memory = open_embedded_memory(folder=folder / "memory")
        try:
            where = Filter(must=(OneOf("namespace", (namespace,)),))
            return [
                each
                async for each in memory.walk("failures", where=where, deadline_seconds=60)
                if isinstance(each, kind)
            ]
        finally:
            await memory.close()

    return asyncio.run(read())


def settled(namespace: Namespace, type_: str, status: str) -> Callable[[], bool]:
    return lambda: any(
        complete(each) and condition(each, type_)["status"] == status
        for each in namespace.diagnoses()
    )


def test_how_a_failure_was_mended_and_what_a_person_says_is_remembered(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    api: Any,
    tmp_path: Path,
    settle: Callable[[float], None],
) -> None:
    operator = start_operator(KAUSA_STABILISATION_SECONDS="10")
    wait_for(lambda: IN_LINE in operator.log(), what="the memory", seconds=90)
    namespace.apply(limited("16Mi"))
    wait_for(settled(namespace, "MemoryRecalled", "True"), what="a diagnosis", seconds=120)
    # Kubernetes' times have whole seconds: what is created in the second in which it began to fail
    # may as well be what broke it, so nobody says that it mended it.
    settle(1.1)
    namespace.apps.patch_namespaced_deployment("checkout", namespace.name, limited("256Mi"))
    wait_for(settled(namespace, "Resolved", "True"), what="the recovery", seconds=120)
    (resource,) = namespace.diagnoses()
    (how,) = resource["status"]["resolution"]["how"]
    assert how["path"].endswith("containers[api].resources.limits.memory")
    assert (how["before"], how["after"]) == ("16Mi", "256Mi")
    client.CustomObjectsApi(api).patch_namespaced_custom_object(
        "kausa.dev", "v1alpha1", namespace.name, "failurediagnoses",
        resource["metadata"]["name"],
        {"spec": {"feedback": {"verdict": "Helpful", "author": "ada"}}},
    )  # fmt: skip
    seen = resource["metadata"]["generation"]
    wait_for(
        lambda: condition(namespace.diagnoses()[0], "Diagnosed")["observedGeneration"] > seen,
        what="the feedback to be read",
    )
    assert operator.stop() == 0
    (record,) = remembered(tmp_path, namespace.name, FailureRecord)
    assert record.outcome == "Resolved"
    assert record.changed == ("containers[api].resources.limits.memory: 16Mi -> 256Mi",)
    assert "256Mi" in (record.resolution or "")
    assert record.image
    assert (record.verdict, record.reward_sum, record.reward_count) == ("Helpful", 1.0, 1)
    rollouts = sorted(
        remembered(tmp_path, namespace.name, RolloutRecord), key=lambda each: each.revision
    )
    assert [(each.owner, each.revision) for each in rollouts] == [
        ("Deployment/checkout", "1"),
        ("Deployment/checkout", "2"),
    ]
    assert rollouts[1].outcome == "SUCCEEDED"
    assert rollouts[1].images == rollouts[0].images != ()


def test_a_memory_that_was_lost_is_filled_from_the_resources(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace, tmp_path: Path
) -> None:
    operator = start_operator(KAUSA_MEMORY_ENABLED="false")
    namespace.apply(limited("16Mi"))
    wait_for(settled(namespace, "Diagnosed", "True"), what="a diagnosis", seconds=120)
    operator.stop()
    assert not (tmp_path / "memory").exists()
    operator = start_operator()
    wait_for(lambda: IN_LINE in operator.log(), what="the catch-up", seconds=90)
    operator.stop()
    (record,) = remembered(tmp_path, namespace.name, FailureRecord)
    assert record.owner == "Deployment/checkout"
    assert record.reference.startswith(f"{namespace.name}/checkout-")
