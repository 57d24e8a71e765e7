"""What happens to a release: an operator that dies, other values, another embedding model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from e2e_chart.release import EMBEDDER, OPERATOR, OTHER_MODEL, Release
from support.namespace import Namespace, complete, condition
from support.operator_process import wait_for
from support.workloads import crashes, runs_out_of_memory

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

REFUSED = "fatal: database {}-db refused the connection"
IN_LINE = "The memory is in line with the resources"


def remembered(namespace: Namespace, target: str) -> dict[str, Any]:
    """A target's diagnosis, once the memory was asked for what is like it."""

    def asked() -> dict[str, Any] | None:
        resource = namespace.diagnosis_of(target)
        return resource if condition(resource, "MemoryRecalled")["status"] == "True" else None

    return wait_for(asked, what=f"the memory to be asked about {target}", seconds=180)


def test_an_operator_that_is_killed_loses_and_doubles_nothing(
    installed: Release, namespace: Namespace, settle: Callable[[float], None]
) -> None:
    namespace.apply(crashes("orders", words=REFUSED.format("orders"), replicas=2))
    first = remembered(namespace, "orders")
    killed = installed.kill(OPERATOR)
    namespace.apply(runs_out_of_memory())
    assert installed.pod(OPERATOR).metadata.name != killed
    namespace.diagnosis_of("indexer")
    grown = wait_for(
        lambda: _grown(namespace, "orders", first["status"]["failure"]["occurrences"]),
        what="the crash loop to be counted on",
    )
    assert grown["metadata"]["uid"] == first["metadata"]["uid"]
    failure = grown["status"]["failure"]
    assert failure["occurrences"] == sum(each["occurrences"] for each in failure["pods"])
    restarts = {
        pod.metadata.name: pod.status.container_statuses[0].restart_count
        for pod in namespace.pods("orders")
    }
    for each in failure["pods"]:
        # A container that ended n times was restarted n - 1 times, or is about to be.
        assert each["occurrences"] <= restarts[each["name"]] + 1
    settle(3.0)
    targets = [each["spec"]["target"]["name"] for each in namespace.diagnoses()]
    assert sorted(targets) == ["indexer", "orders"]


def _grown(namespace: Namespace, target: str, before: int) -> dict[str, Any] | None:
    resource = namespace.diagnosis_of(target)
    more = resource["status"]["failure"]["occurrences"] > before + 2
    return resource if more and complete(resource) else None


def test_other_values_are_taken_up_and_the_memory_stays(
    installed: Release, namespace: Namespace
) -> None:
    namespace.apply(crashes("orders", words=REFUSED.format("orders")))
    first = remembered(namespace, "orders")
    before = installed.pod(OPERATOR).metadata.name
    installed.install("logging.format=text", "settings.KAUSA_REFRESH_SECONDS=300")
    pod = installed.pod(OPERATOR)
    assert pod.metadata.name != before
    values = {each.name: each.value for each in pod.spec.containers[0].env}
    assert values["KAUSA_REFRESH_SECONDS"] == "300"
    assert not installed.log(OPERATOR).startswith("{")
    namespace.apply(crashes("billing", words=REFUSED.format("billing")))
    _recalls(namespace, "billing", first)


def test_with_another_embedding_model_the_memory_is_embedded_anew(
    installed: Release, namespace: Namespace
) -> None:
    namespace.apply(crashes("orders", words=REFUSED.format("orders")))
    first = remembered(namespace, "orders")
    installed.install(f"embedder.image.tag={OTHER_MODEL}")
    assert installed.pod(EMBEDDER).spec.containers[0].image.endswith(f":{OTHER_MODEL}")
    installed.says("embedding it anew", seconds=180)
    wait_for(
        lambda: IN_LINE in installed.log(OPERATOR).partition("embedding it anew")[2],
        what="the memory to be whole again",
        seconds=180,
    )
    namespace.apply(crashes("billing", words=REFUSED.format("billing")))
    _recalls(namespace, "billing", first)


def _recalls(namespace: Namespace, target: str, first: dict[str, Any]) -> None:
    """The one failure is like the other, and the memory says so."""
    similar = [each["reference"] for each in remembered(namespace, target)["status"]["similar"]]
    assert f"{namespace.name}/{first['metadata']['name']}" in similar
