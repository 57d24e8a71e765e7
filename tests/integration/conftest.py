"""What the integration tests share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.cluster import REPOSITORY, kubeconfig_path

from kausa.settings import default_cache_folder


@pytest.fixture(scope="session")
def cluster_kubeconfig() -> str:
    """A kubeconfig of a real API server."""
    return kubeconfig_path()


@pytest.fixture(scope="session")
def embedding_model_path() -> Path:
    """The folder of the embedding model, fetched if it is not there yet."""
    subprocess.run([sys.executable, str(REPOSITORY / "hack" / "models" / "fetch.py")], check=True)
    return default_cache_folder() / "models" / "all-MiniLM-L6-v2-int8"
