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
from support.namespace import Namespace
from support.operator_process import OperatorProcess, wait_for


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
