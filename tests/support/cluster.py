"""The real cluster that integration and e2e tests run against, and its fault switches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["CLUSTER_TOOL", "REPOSITORY", "cluster_tool", "is_local", "kubeconfig_path"]

REPOSITORY = Path(__file__).resolve().parents[2]
CLUSTER_TOOL = REPOSITORY / "hack" / "cluster" / "cluster.py"


def cluster_tool(*arguments: str, timeout: float = 120) -> str:
    """Run `hack/cluster/cluster.py`; its standard output."""
    return subprocess.run(
        [sys.executable, str(CLUSTER_TOOL), *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=timeout,
    ).stdout


def kubeconfig_path() -> str:
    """The kubeconfig of the running cluster."""
    return cluster_tool("kubeconfig").strip()


def is_local() -> bool:
    """Whether the cluster is one whose components can be stopped."""
    return "kube-apiserver" in cluster_tool("status")
