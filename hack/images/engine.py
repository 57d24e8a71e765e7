"""Who builds: docker where its daemon answers, else buildah, which needs none.

buildah runs a build's steps in a changed root instead of a container of their own. That is all that
these builds need, and it works where containers cannot be nested.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from localcluster import packages
from localcluster.errors import ClusterError
from localcluster.processes import run

BUILD_TIMEOUT_S = 1800.0
NEEDS: packages.Needs = {"buildah": packages.on_path("buildah")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What one build is told."""

    target: str
    name: str
    folder: Path
    arguments: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, Path] = field(default_factory=dict)

    def options(self) -> list[str]:
        """What both understand alike."""
        return [
            *("--target", self.target, "--tag", self.name),
            *(
                word
                for name, value in self.arguments.items()
                for word in ("--build-arg", f"{name}={value}")
            ),
            *(
                word
                for name, folder in self.contexts.items()
                for word in ("--build-context", f"{name}={folder}")
            ),
            str(self.folder),
        ]


class Engine(Protocol):
    """What builds images and keeps them."""

    @property
    def name(self) -> str: ...
    def build(self, build: Build) -> None: ...
    def has(self, image: str) -> bool: ...
    def add(self, image: str, root: Path) -> None: ...
    def save(self, image: str, file: Path) -> None: ...


class Docker:
    """A docker daemon; its builder is BuildKit."""

    name = "docker"

    def build(self, build: Build) -> None:
        follow(["docker", "build", *build.options()])

    def has(self, image: str) -> bool:
        return run(("docker", "image", "inspect", image)).returncode == 0

    def add(self, image: str, root: Path) -> None:
        with subprocess.Popen(
            ["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE
        ) as packing:
            done = subprocess.run(
                ["docker", "import", "-", image],
                stdin=packing.stdout,
                capture_output=True,
                text=True,
                timeout=BUILD_TIMEOUT_S,
                check=False,
            )
        check(done, f"docker did not take {image}")

    def save(self, image: str, file: Path) -> None:
        done = run(("docker", "save", "--output", str(file), image), timeout_s=BUILD_TIMEOUT_S)
        check(done, f"{image} was not saved")


class Buildah:
    """buildah with a storage of its own."""

    name = "buildah"

    def __init__(self, storage: Path) -> None:
        self._command = (
            *("buildah", "--root", str(storage / "root"), "--runroot", str(storage / "run")),
            *("--storage-driver", "overlay"),
        )

    def build(self, build: Build) -> None:
        how = ("build", "--isolation", "chroot", "--layers", "--format", "docker")
        # A base that is not there is fetched from where its name says.
        follow([*self._command, *how, "--pull=false", *build.options()])

    def has(self, image: str) -> bool:
        return run((*self._command, "inspect", "--type", "image", image)).returncode == 0

    def add(self, image: str, root: Path) -> None:
        container = self._do("from", "scratch").strip()
        try:
            self._do("add", "--quiet", container, str(root), "/")
            self._do("commit", "--quiet", "--format", "docker", container, image)
        finally:
            self._do("rm", container)

    def save(self, image: str, file: Path) -> None:
        file.unlink(missing_ok=True)
        self._do("push", "--quiet", image, f"docker-archive:{file}:{image}")

    def _do(self, *arguments: str) -> str:
        done = run((*self._command, *arguments), timeout_s=BUILD_TIMEOUT_S)
        check(done, f"buildah {arguments[0]} failed")
        return done.stdout


def check(done: subprocess.CompletedProcess[str], what: str) -> None:
    if done.returncode:
        raise ClusterError(f"{what}: {done.stderr.strip()[-1500:]}")


def follow(command: Sequence[str]) -> None:
    """Runs a build and lets its words through; stdout stays what a script can read."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            timeout=BUILD_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"The build was not done after {BUILD_TIMEOUT_S:.0f} s.") from None
    if done.returncode:
        raise ClusterError(f"{command[0]} build failed; what it said stands above.")


def docker_answers() -> bool:
    return run(("docker", "info"), timeout_s=10).returncode == 0


def choose(wanted: str, *, storage: Path) -> Engine:
    """The engine of this name, or the one that is there.

    Raises:
        CannotRun: there is none, and none can be installed.
    """
    if wanted == "docker" or (wanted == "auto" and docker_answers()):
        return Docker()
    packages.ensure(NEEDS)
    return Buildah(storage)
