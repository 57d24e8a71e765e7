"""What is found out where nothing is set: folders, who this process is, where traces go."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path
from typing import Any

__all__ = [
    "default_cache_folder",
    "default_state_folder",
    "name_of_this_process",
    "namespace_of_this_pod",
    "standard_collector",
]

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def default_cache_folder() -> Path:
    """Where fetched things live (models, binaries): they can always be fetched again."""
    named = os.environ.get("KAUSA_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kausa"


def default_state_folder() -> Path:
    """Where the embedded memory lives: it can be lost, but it is worth keeping."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "kausa"


def namespace_of_this_pod() -> str | None:
    """The namespace that the kubelet tells every Pod; None outside of a Pod."""
    try:
        return NAMESPACE_FILE.read_text().strip() or None
    except OSError:
        return None


def name_of_this_process() -> str:
    """The Pod's name, under which a restarted container goes on; elsewhere one of its own.

    In a Pod with hostNetwork the host's name is the node's, which other Pods have too.
    """
    pod = os.environ.get("POD_NAME")
    if pod and NAMESPACE_FILE.is_file():
        return pod
    return f"{(pod or socket.gethostname())[:200]}-{secrets.token_hex(4)}"


def standard_collector() -> Any:
    """Where OpenTelemetry's own variable sends everything; validated as ours is."""
    return os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None
