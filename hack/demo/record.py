"""What the demo has changed, written down before each change.

A demo that was killed at any moment leaves a record that says at least what it did, so `down`
removes all of that and nothing else. The file is replaced in one step: it is never half written.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from hack.demo.errors import DemoError


@dataclass(frozen=True, slots=True)
class Started:
    """A process that we started; a pid is used again, but not with the same start time and boot."""

    pid: int
    ticks: int
    boot: str


@dataclass(frozen=True, slots=True)
class Record:
    """What was there before the demo, and what is there because of it."""

    owns_cluster: bool
    kubeconfig: str = ""
    cluster: str = ""
    """The cluster's own id: what comes up later in its place is not the demo's."""
    crds: tuple[str, ...] = ()
    """The definitions that were not in the cluster before."""
    operator: Started | None = None

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".new")
        aside.write_text(json.dumps(asdict(self), indent=2) + "\n")
        os.replace(aside, path)

    @classmethod
    def load(cls, path: Path) -> Record | None:
        """None where no demo is recorded.

        Raises:
            DemoError: the file is not one that we wrote.
        """
        try:
            read = json.loads(path.read_text())
            operator = Started(**read["operator"]) if read["operator"] else None
            return cls(
                owns_cluster=bool(read["owns_cluster"]),
                kubeconfig=str(read["kubeconfig"]),
                cluster=str(read["cluster"]),
                crds=tuple(read["crds"]),
                operator=operator,
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise DemoError(
                f"{path} cannot be read ({error}), so it is not known what the demo made. Look at "
                "the namespace shop and at the cluster yourself, and remove that file."
            ) from error

    def followed_by(self, *, there: bool, present: str) -> Record:
        """What a second demo begins with; `there` is whether any part of a cluster runs.

        What this one made and did not remove stays the demo's, unless the cluster is another. A
        cluster whose API server is silent has no id to compare, and is never taken for ours anew.
        """
        if not there:
            return Record(owns_cluster=True, operator=self.operator)
        if self.cluster and present and present != self.cluster:
            return Record(owns_cluster=False, operator=self.operator)
        return self
