"""Where the demo keeps what it must remember: pure paths, beside the local cluster's cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster.layout import Layout

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = Path(__file__).resolve().parent / "manifests"
CRDS = ROOT / "crds"


@dataclass(frozen=True, slots=True)
class Place:
    """The paths of one demo; `folder` is also what marks its processes as ours."""

    folder: Path
    cluster_cache: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, home: Path) -> Place:
        cluster = Layout.from_environment(environment, home=home).root
        return cls(folder=cluster.parent / "demo", cluster_cache=cluster)

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def record(self) -> Path:
        return self.folder / "record.json"

    @property
    def operator_log(self) -> Path:
        return self.folder / "operator.log"

    @property
    def memory(self) -> Path:
        """The operator's vector store: the demo's own, so that it meets no other operator."""
        return self.folder / "memory"
