"""People ask for a diagnosis by annotating a Pod, or by writing a resource of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.namespace import GROUP, PLURAL, VERSION, Namespace, complete, condition
from support.operator_process import OperatorProcess, wait_for
from support.workloads import cannot_be_scheduled, crashes, healthy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def running_pod(namespace: Namespace, app: str) -> str:
    def ready() -> str | None:
        pods = namespace.pods(app)
        running = [pod for pod in pods if pod.status.phase == "Running"]
        return running[0].metadata.name if running else None

    return wait_for(ready, what=f"a running Pod of {app}")


def test_a_healthy_pod_that_is_asked_about_is_said_to_be_healthy_and_a_new_question_asks_again(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    settle: Callable[[float], None],
) -> None:
    start_operator()
    namespace.apply(healthy())
    pod = running_pod(namespace, "frontend")
    settle(2.0)
    assert namespace.diagnoses() == []

    namespace.annotate(pod, "true")
    resource = namespace.diagnosis_of("frontend")
    assert resource["spec"]["trigger"] == "Annotation"
    assert condition(resource, "Diagnosed")["status"] == "True"
    assert resource["status"]["diagnosis"]["summary"].startswith(f"no failure found: Pod {pod}")
    assert "failure" not in resource["status"]

    namespace.annotate(pod, "is it slow?")
    asked = wait_for(
        lambda: next(
            (
                each
                for each in namespace.diagnoses()
                if each["spec"].get("question") == "is it slow?" and complete(each)
            ),
            None,
        ),
        what="the question to be taken up",
    )
    assert asked["metadata"]["uid"] == resource["metadata"]["uid"]
    assert asked["metadata"]["generation"] > resource["metadata"]["generation"]

    namespace.apps.delete_namespaced_deployment("frontend", namespace.name)
    wait_for(lambda: not namespace.diagnoses(), what="the answer to go with its owner", seconds=90)


def test_a_failing_pod_that_is_asked_about_answers_in_the_resource_of_its_failure(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator()
    namespace.apply(cannot_be_scheduled())
    first = namespace.diagnosis_of("trainer")
    (pod,) = namespace.pods("trainer")
    namespace.annotate(pod.metadata.name, "which node should it have?")
    asked = wait_for(
        lambda: next(
            (
                each
                for each in namespace.diagnoses()
                if each["spec"].get("question") and complete(each)
            ),
            None,
        ),
        what="the question to be taken up",
    )
    assert asked["metadata"]["uid"] == first["metadata"]["uid"]
    assert asked["spec"]["trigger"] == "Annotation"
    assert len(namespace.diagnoses()) == 1


def test_a_pod_that_opts_out_gets_no_diagnosis(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    settle: Callable[[float], None],
) -> None:
    start_operator()
    opted_out = cannot_be_scheduled()
    template = opted_out["spec"]["template"]["metadata"]
    template["annotations"] = {"kausa.dev/diagnose": "false"}
    namespace.apply(opted_out, cannot_be_scheduled("other"))
    namespace.diagnosis_of("other")
    settle(2.0)
    assert [each["spec"]["target"]["name"] for each in namespace.diagnoses()] == ["other"]


def manual(name: str, target: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "FailureDiagnosis",
        "metadata": {"name": name},
        "spec": {"target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}},
    }


def test_a_person_can_ask_by_writing_a_resource(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator()
    namespace.apply(crashes())
    namespace.diagnosis_of("checkout")
    for name, target in (("mine", "checkout"), ("nobodys", "no-such-deployment")):
        namespace.custom.create_namespaced_custom_object(
            GROUP, VERSION, namespace.name, PLURAL, manual(name, target)
        )

    def answered(name: str) -> dict[str, Any] | None:
        found: dict[str, Any] = namespace.custom.get_namespaced_custom_object(
            GROUP, VERSION, namespace.name, PLURAL, name
        )
        return found if complete(found) else None

    mine = wait_for(lambda: answered("mine"), what="an answer")
    assert "exit code 3" in mine["status"]["diagnosis"]["summary"]
    assert mine["status"]["failure"]["category"] == "CrashLoop"
    nobodys = wait_for(lambda: answered("nobodys"), what="an answer")
    assert condition(nobodys, "Diagnosed")["reason"] == "Undetermined"
    assert "does not exist" in condition(nobodys, "Diagnosed")["message"]
