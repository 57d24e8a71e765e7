"""Which cluster the commands work on: the caller's, else one of kind, else one of plain processes.

Tried here were the caller's and the local one; kind was written from its documentation, because it
needs Docker.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from localcluster import containerd, images, packages
from localcluster.console import say
from localcluster.errors import CannotRun, ClusterError
from localcluster.layout import Layout
from localcluster.local import LocalCluster
from localcluster.processes import run

NAMED = "KAUSA_TEST_KUBECONFIG"
CONFIG = Path(__file__).resolve().parents[2] / "kind.yaml"
Runner = Callable[..., subprocess.CompletedProcess[str]]


class Provider(Protocol):
    """What every kind of cluster can be asked."""

    @property
    def kubeconfig(self) -> Path: ...
    def up(self) -> None: ...
    def down(self) -> None: ...
    def status(self) -> bool: ...
    def load_image(self, file: Path) -> None: ...
    def stop(self, name: str) -> None: ...
    def restart(self, name: str) -> None: ...
    def kwok_up(self, nodes: int) -> None: ...
    def kwok_down(self) -> None: ...


class NamedCluster:
    """A cluster that the caller brings: it is looked at, and never changed."""

    def __init__(self, kubeconfig: Path, layout: Layout) -> None:
        self._kubeconfig = kubeconfig
        self._layout = layout

    @property
    def kubeconfig(self) -> Path:
        return self._kubeconfig

    def up(self) -> None:
        if not self._answers():
            raise ClusterError(f"The cluster of {NAMED}={self._kubeconfig} does not answer.")
        say(f"The cluster of {NAMED}={self._kubeconfig} answers.")

    def down(self) -> None:
        say(f"The cluster of {NAMED}={self._kubeconfig} is yours and stays as it is.")

    def status(self) -> bool:
        answers = self._answers()
        print(f"{self._kubeconfig} {'up' if answers else 'down'}")
        return answers

    def load_image(self, file: Path) -> None:
        raise CannotRun(f"{file} cannot be loaded into the cluster of {NAMED}; use its registry.")

    def stop(self, name: str) -> None:
        raise CannotRun(f"{name} of the cluster of {NAMED} is yours and is not stopped from here.")

    def restart(self, name: str) -> None:
        self.stop(name)

    def kwok_up(self, nodes: int) -> None:
        raise CannotRun(f"The cluster of {NAMED} is yours and gets no fake nodes from here.")

    def kwok_down(self) -> None:
        say(f"The cluster of {NAMED} has no fake nodes of ours.")

    def _answers(self) -> bool:
        kubectl = shutil.which("kubectl") or next(self._layout.root.glob("bin-*/kubectl"), None)
        if kubectl is None:
            raise CannotRun(f"kubectl is needed to ask the cluster of {NAMED} and is not on PATH.")
        command = (str(kubectl), "--kubeconfig", str(self._kubeconfig), "--request-timeout=10s")
        return run((*command, "get", "--raw", "/readyz"), timeout_s=20).returncode == 0


class KindCluster:
    """A cluster of kind, in Docker. One that `up` found there is somebody else's, and stays."""

    NAME = "kausa"
    TIMEOUT_S = 600.0

    def __init__(self, layout: Layout, *, runner: Runner = run) -> None:
        self._layout = layout
        self._run = runner

    @property
    def kubeconfig(self) -> Path:
        return self._layout.root / "kind-kubeconfig"

    @property
    def created(self) -> Path:
        """There while a cluster exists that `up` made."""
        return self._layout.root / "kind-created"

    def up(self) -> None:
        self._layout.root.mkdir(parents=True, exist_ok=True)
        target = ("--name", self.NAME, "--kubeconfig", str(self.kubeconfig))
        if self._exists():
            self._kind("export", "kubeconfig", *target)
            say(f"The cluster is up already: KUBECONFIG={self.kubeconfig}")
            return
        say("Creating a cluster with kind.")
        # Before the first change, so that `down` clears away what a killed `up` left.
        self.created.touch()
        try:
            self._kind("create", "cluster", *target, "--config", str(CONFIG), "--wait", "180s")
        except ClusterError:
            if not self._exists():
                self.created.unlink()
            raise
        if busybox := packages.static_busybox():
            self.load_image(containerd.write_busybox(self._layout, busybox))
        else:
            say(f"There is no static busybox here, so {images.BUSYBOX} is not in the cluster.")
        say(f"The cluster is up: KUBECONFIG={self.kubeconfig}")

    def down(self) -> None:
        if not self._exists():
            say("The cluster is not up.")
        elif not self.created.exists():
            say(
                f"kind's cluster {self.NAME} was not made from here and is left alone;"
                f" `kind delete cluster --name {self.NAME}` removes it."
            )
            return
        else:
            target = ("--name", self.NAME, "--kubeconfig", str(self.kubeconfig))
            self._kind("delete", "cluster", *target)
        self.created.unlink(missing_ok=True)
        self.kubeconfig.unlink(missing_ok=True)

    def status(self) -> bool:
        exists = self._exists()
        print(f"kind {self.NAME} {'up' if exists else 'down'}")
        return exists

    def load_image(self, file: Path) -> None:
        self._kind("load", "image-archive", str(file), "--name", self.NAME)

    def stop(self, name: str) -> None:
        raise CannotRun(f"{name} runs inside kind's node and is not stopped from here.")

    def restart(self, name: str) -> None:
        self.stop(name)

    def kwok_up(self, nodes: int) -> None:
        raise CannotRun("Fake nodes are for the local cluster only.")

    def kwok_down(self) -> None:
        say("There are no fake nodes.")

    def _exists(self) -> bool:
        return self.NAME in self._kind("get", "clusters", timeout_s=30).split()

    def _kind(self, *arguments: str, timeout_s: float = TIMEOUT_S) -> str:
        done = self._run(("kind", *arguments), timeout_s=timeout_s)
        if done.returncode:
            raise ClusterError(
                f"kind {' '.join(arguments[:2])} failed: {done.stderr.strip()[-500:]}"
            )
        return done.stdout


def kind_works() -> bool:
    if shutil.which("kind") is None or shutil.which("docker") is None:
        return False
    return run(("docker", "info"), timeout_s=10).returncode == 0


def choose(
    environment: Mapping[str, str], layout: Layout, *, has_kind: Callable[[], bool] = kind_works
) -> Provider:
    if named := environment.get(NAMED):
        return NamedCluster(Path(named).absolute(), layout)
    if has_kind():
        return KindCluster(layout)
    return LocalCluster(layout, environment)
