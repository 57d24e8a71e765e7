"""A namespace on a real node, the operator as a process, and eyes on what it writes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from support.cluster import REPOSITORY, kubeconfig_path
from support.crds import apply_crds
from support.operator_process import OperatorProcess, wait_for

pytestmark = pytest.mark.e2e
GROUP, VERSION, PLURAL = "kausa.dev", "v1alpha1", "failurediagnoses"


@pytest.fixture(scope="session")
def kubeconfig() -> str:
    """A kubeconfig of the cluster, with our CRDs installed and the embedding model fetched."""
    subprocess.run([sys.executable, str(REPOSITORY / "hack" / "models" / "fetch.py")], check=True)
    path = kubeconfig_path()
    apply_crds(path)
    return path


@pytest.fixture(scope="session")
def api(kubeconfig: str) -> Iterator[Any]:
    """The official client."""
    with config.new_client_from_config(kubeconfig) as found:
        yield found


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


@pytest.fixture
def namespace(api: Any) -> Iterator[Namespace]:
    """A namespace of the test's own, gone afterwards."""
    name = f"kausa-test-{uuid.uuid4().hex[:8]}"
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name}})

    def account() -> bool:
        with contextlib.suppress(ApiException):
            core.read_namespaced_service_account("default", name)
            return True
        return False

    wait_for(account, what="the default ServiceAccount")
    try:
        yield Namespace(api, name)
    finally:
        core.delete_namespace(name, grace_period_seconds=0)


@pytest.fixture
def start_operator(kubeconfig: str, tmp_path: Path) -> Iterator[Callable[..., OperatorProcess]]:
    """Start an operator; it is stopped when the test ends."""
    started: list[OperatorProcess] = []

    def start(*, launch_only: bool = False, **settings: Any) -> OperatorProcess:
        named = settings.pop("kubeconfig", kubeconfig)
        process = OperatorProcess(kubeconfig=named, folder=tmp_path, **settings)
        started.append(process)
        return process.launch() if launch_only else process.start()

    try:
        yield start
    finally:
        for process in started:
            if process.running:
                process.stop()


@pytest.fixture
def settle() -> Callable[[float], None]:
    """Wait for nothing to happen: only a wait can show that something does not come."""
    return time.sleep
