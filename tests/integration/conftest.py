"""What the integration tests share."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config
from support.cluster import REPOSITORY, kubeconfig_path
from support.crds import apply_crds
from support.our_resources import Server, diagnosis_status, streams_status

from kausa.resources.group import DIAGNOSIS_MANAGER, STREAMS_MANAGER
from kausa.resources.metadata import OwnerReference
from kausa.settings import default_cache_folder


@pytest.fixture(scope="session")
def cluster_kubeconfig() -> str:
    """A kubeconfig of a real API server."""
    return kubeconfig_path()


@pytest.fixture(scope="session")
def embedding_model_path() -> Path:
    """The folder of the embedding model, fetched if it is not there yet."""
    subprocess.run([sys.executable, str(REPOSITORY / "hack" / "models" / "fetch.py")], check=True)
    return default_cache_folder() / "models" / "all-MiniLM-L6-v2-w8a8"


@pytest.fixture(scope="module")
def conditions(cluster_kubeconfig: str) -> dict[str, dict[str, str]]:
    apply_crds(cluster_kubeconfig)
    return apply_crds(cluster_kubeconfig)


@pytest.fixture(scope="module")
def server(cluster_kubeconfig: str, conditions: dict[str, dict[str, str]]) -> Iterator[Server]:
    name = f"crds-{uuid.uuid4().hex[:8]}"
    with config.new_client_from_config(cluster_kubeconfig) as api:
        core = client.CoreV1Api(api)
        uid = core.create_namespace({"metadata": {"name": name}}).metadata.uid
        yield Server(
            api, name, OwnerReference(api_version="v1", kind="Namespace", name=name, uid=uid)
        )
        core.delete_namespace(name)


@pytest.fixture(scope="module")
def diagnosed(server: Server) -> str:
    """A resource whose status was written by both field managers."""
    name = server.create_resource("checkout")
    server.apply_status(name, streams_status().to_dict(), manager=STREAMS_MANAGER)
    server.apply_status(name, diagnosis_status().to_dict(), manager=DIAGNOSIS_MANAGER)
    return name
