"""Where the tools lie that are built here: beside the cluster's binaries and the models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from localcluster.layout import Layout


def tools_folder(environment: Mapping[str, str], *, home: Path) -> Path:
    """Outlives every cluster and every working tree; can always be made again."""
    return Layout.from_environment(environment, home=home).root.parent / "tools"
