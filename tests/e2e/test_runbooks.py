"""A Runbook is found for a failing Pod as it stands, and not once it is gone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from support.namespace import GROUP, VERSION, Namespace, condition
from support.operator_process import OperatorProcess, wait_for
from support.workloads import lacks_its_configmap

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NAME = "cart-settings"
FIRST = """# When cart does not start for want of its ConfigMap

The ConfigMap is made by the job `make-settings`; it is missing when that job was never run.
Run the job `make-settings`, and the Pod of cart starts by itself.
"""
SECOND = """# When cart does not start for want of its ConfigMap

The ConfigMap comes from the repository `platform/settings` now: synchronise it, and the Pod of cart
finds its ConfigMap and starts by itself.
"""


def write(namespace: Namespace, content: str, **match: Any) -> None:
    body = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Runbook",
        "metadata": {"name": NAME},
        "spec": {
            "title": "The ConfigMap of cart is missing",
            "content": content,
            "match": {"reasons": ["CreateContainerConfigError"], **match},
        },
    }
    namespace.custom.create_namespaced_custom_object(
        GROUP, VERSION, namespace.name, "runbooks", body
    )


def change(namespace: Namespace, spec: dict[str, Any]) -> None:
    namespace.custom.patch_namespaced_custom_object(
        GROUP, VERSION, namespace.name, "runbooks", NAME, {"spec": spec}
    )


def indexed(namespace: Namespace, *, generation: int, status: str = "True") -> dict[str, Any]:
    """The Runbook, once its status is about this generation."""

    def ask() -> dict[str, Any] | None:
        found: dict[str, Any] = namespace.custom.get_namespaced_custom_object(
            GROUP, VERSION, namespace.name, "runbooks", NAME
        )
        said = condition(found, "Indexed")
        done = found.get("status", {}).get("observedGeneration") == generation
        return found if done and said.get("status") == status else None

    return wait_for(ask, what=f"generation {generation} to be indexed", seconds=60)


def passages(namespace: Namespace) -> dict[str, str]:
    """What the diagnosis shows of runbooks, by their source."""
    (found,) = namespace.diagnoses()
    return {each["source"]: each["passage"] for each in found["status"].get("runbooks", [])}


def asked_again(namespace: Namespace) -> dict[str, str]:
    """What is shown once another question has had it diagnosed anew."""
    (pod,) = namespace.pods("cart")
    question = f"where do the settings come from ({uuid.uuid4().hex[:8]})?"
    namespace.annotate(pod.metadata.name, question)
    wait_for(
        lambda: [
            each for each in namespace.diagnoses() if each["spec"].get("question") == question
        ],
        what="the question to be taken up",
    )
    namespace.diagnosis_of("cart")
    return passages(namespace)


def test_a_runbook_is_found_for_a_failing_pod_follows_its_changes_and_goes_with_it(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator()
    write(namespace, FIRST)
    found = indexed(namespace, generation=1)
    assert found["status"]["chunks"] == 1
    assert "annotations" not in found["metadata"]

    source = f"{namespace.name}/{NAME}"
    namespace.apply(lacks_its_configmap("cart"))
    namespace.diagnosis_of("cart")
    assert "make-settings" in passages(namespace)[source]

    change(namespace, {"content": SECOND})
    indexed(namespace, generation=2)
    wait_for(
        lambda: "platform/settings" in asked_again(namespace).get(source, ""),
        what="the new text to be shown",
    )

    change(namespace, {"match": {"reasons": ["Evicted"]}})
    indexed(namespace, generation=3)
    wait_for(
        lambda: source not in asked_again(namespace),
        what="the runbook to be about something else",
    )

    change(namespace, {"match": {"reasons": None, "messagePattern": "(a)\\1"}})
    refused = indexed(namespace, generation=4, status="False")
    assert condition(refused, "Indexed")["reason"] == "InvalidPattern"

    change(namespace, {"match": None})
    indexed(namespace, generation=5)
    namespace.custom.delete_namespaced_custom_object(
        GROUP, VERSION, namespace.name, "runbooks", NAME
    )
    wait_for(
        lambda: source not in asked_again(namespace),
        what="the runbook to be found no more",
    )
    wait_for(
        lambda: any(each.startswith("builtin:config-") for each in asked_again(namespace)),
        what="a runbook that comes with Kausa",
        seconds=120,
    )


def test_what_was_written_and_deleted_while_no_operator_ran_is_made_good(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    operator = start_operator()
    write(namespace, FIRST)
    indexed(namespace, generation=1)
    operator.stop()
    change(namespace, {"content": SECOND})

    operator.start()
    indexed(namespace, generation=2)
    operator.stop()
    namespace.custom.delete_namespaced_custom_object(
        GROUP, VERSION, namespace.name, "runbooks", NAME
    )

    operator.start()
    namespace.apply(lacks_its_configmap("cart"))
    namespace.diagnosis_of("cart")
    wait_for(
        lambda: f"{namespace.name}/{NAME}" not in asked_again(namespace),
        what="the runbook to be found no more",
    )
