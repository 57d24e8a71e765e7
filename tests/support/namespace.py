"""A namespace of a real cluster: put workloads in, read diagnoses out."""

from __future__ import annotations

from typing import Any

from kubernetes import client
from support.operator_process import wait_for

__all__ = ["GROUP", "PLURAL", "VERSION", "Namespace", "complete", "condition"]

GROUP, VERSION, PLURAL = "kausa.dev", "v1alpha1", "failurediagnoses"


class Namespace:
    """One namespace: put workloads in, read diagnoses out."""

    def __init__(self, api: Any, name: str) -> None:
        self.api = api
        self.name = name
        self.apps = client.AppsV1Api(api)
        self.core = client.CoreV1Api(api)
        self.custom = client.CustomObjectsApi(api)

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Create Deployments."""
        for manifest in manifests:
            self.apps.create_namespaced_deployment(self.name, manifest)

    def diagnoses(self) -> list[dict[str, Any]]:
        """All FailureDiagnosis resources."""
        found = self.custom.list_namespaced_custom_object(GROUP, VERSION, self.name, PLURAL)
        items: list[dict[str, Any]] = found["items"]
        return items

    def diagnosis_of(self, target: str, *, seconds: float = 90) -> dict[str, Any]:
        """The one resource of a target, once it is diagnosed and memory was asked."""
        return wait_for(
            lambda: next(
                (
                    each
                    for each in self.diagnoses()
                    if each["spec"]["target"]["name"] == target and complete(each)
                ),
                None,
            ),
            what=f"a diagnosis of {target}",
            seconds=seconds,
        )

    def pods(self, app: str) -> list[Any]:
        """The Pods of a workload."""
        items: list[Any] = self.core.list_namespaced_pod(
            self.name, label_selector=f"app={app}"
        ).items
        return items

    def annotate(self, pod: str, value: str | None) -> None:
        """Ask for a diagnosis, as a person does."""
        body = {"metadata": {"annotations": {"kausa.dev/diagnose": value}}}
        self.core.patch_namespaced_pod(pod, self.name, body)


def condition(resource: dict[str, Any], type_: str) -> dict[str, Any]:
    """One condition; empty where it is not set."""
    conditions = resource.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == type_), {})


def complete(resource: dict[str, Any]) -> bool:
    """Whether the last step of the way has reported."""
    last = condition(resource, "ModelConsulted")
    generation = resource["metadata"]["generation"]
    return last.get("status") in {"True", "False"} and last["observedGeneration"] == generation
