"""What the tests of the chart share: Helm, and the charts that it renders."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.rendering import CHART, REPOSITORY, Helm, Rendered
from kubernetes import client, config
from support.cluster import kubeconfig_path
from support.crds import apply_crds
from support.operator_process import wait_for


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """The Helm that `HELM` names, or the one that the project builds."""
    named = os.environ.get("HELM")
    if not named:
        tool = REPOSITORY / "hack" / "tools" / "tools.py"
        named = subprocess.run(
            [sys.executable, str(tool), "helm"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
    return Helm(Path(named), home=tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def render(helm: Helm) -> Callable[..., Rendered]:
    """Render the chart with values; fails with what Helm says where it refuses them."""

    def rendered(values: dict[str, Any] | None = None, **options: Any) -> Rendered:
        return helm.template(CHART, values or {}, **options)

    return rendered


@pytest.fixture(scope="session")
def refusal(helm: Helm) -> Callable[[dict[str, Any]], str]:
    """What Helm says of values; fails where it takes them."""

    def refused(values: dict[str, Any]) -> str:
        return helm.refusal(CHART, values)

    return refused


@pytest.fixture(scope="session")
def defaults(render: Callable[..., Rendered]) -> Rendered:
    """The chart as it is without any value."""
    return render()


@pytest.fixture(scope="session")
def kubeconfig() -> str:
    """A kubeconfig of a real API server that knows our resources."""
    path = kubeconfig_path()
    apply_crds(path)
    return path


@pytest.fixture(scope="session")
def api(kubeconfig: str) -> Iterator[Any]:
    """The official client."""
    with config.new_client_from_config(kubeconfig) as found:
        yield found


@pytest.fixture
def restricted(api: Any) -> Iterator[str]:
    """A namespace that takes restricted Pods only; gone afterwards."""
    name = f"kausa-chart-{uuid.uuid4().hex[:8]}"
    core = client.CoreV1Api(api)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    core.create_namespace({"metadata": {"name": name, "labels": labels}})

    def account() -> bool:
        with contextlib.suppress(client.ApiException):
            core.read_namespaced_service_account("default", name)
            return True
        return False

    wait_for(account, what="the default ServiceAccount")
    try:
        yield name
    finally:
        core.delete_namespace(name, grace_period_seconds=0)


@pytest.fixture
def kubectl(kubeconfig: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """kubectl with manifests on its standard input."""

    def run(
        *arguments: str, manifests: Iterable[dict[str, Any]] = ()
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["kubectl", "--kubeconfig", kubeconfig, *arguments],
            input=yaml.safe_dump_all(manifests),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def installing(helm: Helm, kubeconfig: str, tmp_path: Path) -> Helm:
    """Helm for the cluster, with a home of this test's own: it caches what a cluster knows."""
    return helm.at(kubeconfig, home=tmp_path)
