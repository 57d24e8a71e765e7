"""kubectl: what the demo shows is what anybody can type.

It does all of the demo's work in the cluster too, so that `down` needs no Python package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hack.demo.errors import DemoError
from hack.demo.place import Place

from localcluster import binaries
from localcluster.errors import ClusterError


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    problem: str


@dataclass(frozen=True, slots=True)
class Kubectl:
    """One binary and one cluster."""

    binary: Path
    kubeconfig: Path

    def ask(self, *arguments: str, seconds: float = 20.0) -> Answer:
        """What it answered; the exit code is the caller's to judge."""
        try:
            done = subprocess.run(
                [str(self.binary), *arguments],
                check=False,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return Answer(124, "", f"kubectl {arguments[0]}: no answer within {seconds:.0f} s")
        return Answer(done.returncode, done.stdout, done.stderr.strip())

    def do(self, *arguments: str, seconds: float = 30.0) -> str:
        """Raises DemoError where it failed."""
        answer = self.ask(*arguments, seconds=seconds)
        if answer.code:
            raise DemoError(f"`kubectl {' '.join(arguments)}` failed: {answer.problem}")
        return answer.out


def find(place: Place) -> Path | None:
    """The one on PATH, else the one that hack/cluster built."""
    if on_path := shutil.which("kubectl"):
        return Path(on_path)
    return next(iter(sorted(place.cluster_cache.glob("bin-*/kubectl"))), None)


def required(place: Place) -> Path:
    """The same, or one that is built now."""
    if found := find(place):
        return found
    try:
        built = binaries.ensure_kubectl(place.cluster_cache, place.cluster_cache / "bin-kubectl")
    except ClusterError as error:
        raise DemoError(f"There is no kubectl on PATH, and none could be built: {error}") from error
    if built is None:
        raise DemoError(
            "There is no kubectl on PATH, and no Go to build one with. Install either, and call "
            "`make demo` again."
        )
    return built
