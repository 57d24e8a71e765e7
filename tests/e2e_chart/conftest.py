"""The chart on a real node: images built and loaded, Helm, and one release for all tests of a run.

Runs against hack/cluster; against kind, where hack/cluster uses it; and against the cluster that
KAUSA_TEST_KUBECONFIG names, which then has to be able to pull the images.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e_chart.release import NAMESPACE, OTHER_MODEL, Release, archives, helm_path
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from support.cluster import REPOSITORY, cluster_tool, is_local, kubeconfig_path
from support.namespace import Namespace
from support.operator_process import wait_for
from support.workloads import crashes

NOBODY = 65532
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture(scope="session")
def kubeconfig() -> str:
    """A kubeconfig of the cluster."""
    return kubeconfig_path()


@pytest.fixture(scope="session")
def api(kubeconfig: str) -> Iterator[Any]:
    """The official client."""
    with config.new_client_from_config(kubeconfig) as found:
        yield found


@pytest.fixture(scope="session")
def images() -> None:
    """Both images, and an embedder with another model, on the node."""
    if os.environ.get("KAUSA_TEST_KUBECONFIG"):
        return
    subprocess.run([sys.executable, str(REPOSITORY / "hack" / "models" / "fetch.py")], check=True)
    built = [*archives(), *archives("embedder", "--model", OTHER_MODEL, "--tag", OTHER_MODEL)]
    cluster_tool("load", *map(str, built), timeout=600)


@pytest.fixture(scope="session")
def release(kubeconfig: str, api: Any, images: None) -> Iterator[Release]:
    """The release that all tests share; not installed before `installed` is asked for."""
    found = Release(api, kubeconfig=kubeconfig, helm=helm_path())
    core = client.CoreV1Api(api)
    remove_namespace(core)
    core.create_namespace({"metadata": {"name": NAMESPACE, "labels": RESTRICTED}})
    with volume(api):
        try:
            yield found
        finally:
            with contextlib.suppress(AssertionError):
                found.uninstall()
            remove_namespace(core)


@pytest.fixture(scope="session")
def first_failure(api: Any) -> Iterator[Namespace]:
    """A namespace whose workload fails before anything is installed."""
    yield from _namespace(api)


@pytest.fixture(scope="session")
def seconds_to_install(release: Release, first_failure: Namespace) -> float:
    """Installs the chart while something fails; how long until that was diagnosed."""
    first_failure.apply(crashes(words="error: cannot open config /etc/checkout/app.yaml"))
    begun = time.monotonic()
    release.install()
    first_failure.diagnosis_of("checkout")
    return time.monotonic() - begun


@pytest.fixture(scope="session")
def installed(release: Release, seconds_to_install: float) -> Release:
    """The release, installed with the chart's own values."""
    assert seconds_to_install > 0
    return release


@pytest.fixture
def namespace(api: Any) -> Iterator[Namespace]:
    """A namespace of the test's own, gone afterwards."""
    yield from _namespace(api)


def _namespace(api: Any) -> Iterator[Namespace]:
    name = f"kausa-chart-{uuid.uuid4().hex[:8]}"
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


def remove_namespace(core: Any) -> None:
    """Take the release's namespace away, and wait until it is gone."""

    def gone() -> bool:
        try:
            core.delete_namespace(NAMESPACE, grace_period_seconds=0)
        except ApiException as error:
            return bool(error.status == 404)
        return False

    wait_for(gone, what=f"{NAMESPACE} to go", seconds=120)


@contextlib.contextmanager
def volume(api: Any) -> Iterator[None]:
    """A volume for the claim, where the cluster does not make one by itself.

    The local cluster has no provisioner. Its node is this machine, so a folder of it will do; it
    belongs to the user that the chart runs as, because such volumes are not handed over.
    """
    classes = client.StorageV1Api(api).list_storage_class().items
    if classes or not is_local():
        yield
        return
    core = client.CoreV1Api(api)
    folder = Path(tempfile.mkdtemp(prefix="kausa-chart-"))
    os.chown(folder, NOBODY, NOBODY)
    name = f"kausa-chart-{uuid.uuid4().hex[:8]}"
    core.create_persistent_volume(
        {
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": str(folder), "type": "Directory"},
            },
        }
    )
    try:
        yield
    finally:
        core.delete_persistent_volume(name)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def settle() -> Callable[[float], None]:
    """Wait for nothing to happen: only a wait can show that something does not come."""
    return time.sleep
