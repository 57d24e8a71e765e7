"""Building Go programs from a module that pins them, aside and with a word about how far it is.

One folder per content of the module: built aside, then renamed, so a folder that is there is
whole, and a build that was cut off leaves nothing that is later taken for one. An unchanged module
costs one hash.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster.console import say
from localcluster.errors import CannotRun, ClusterError

PROGRESS_S = 10.0
BUILD_TIMEOUT_S = 2400.0
LIST_TIMEOUT_S = 600.0


def check_go(why: str) -> None:
    """Refuses where there is no Go; `why` says what it is needed for and what else would do."""
    if shutil.which("go") is None:
        raise CannotRun(f"Go is needed {why}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program with a Go module of its own, because its requirements clash with others'."""

    name: str
    """Of the file that Go makes of it."""
    version: str
    package: str
    module: Path
    flags: tuple[str, ...]
    takes: str
    """How long a build lasts with an empty Go cache, in words."""
    instead: str = ""
    """What else would do where there is no Go, in words."""

    def folder(self, root: Path) -> Path:
        """Where it lies once it is built; another one for every other content of the module."""
        digest = hashlib.sha256()
        for name in ("go.mod", "go.sum"):
            digest.update((self.module / name).read_bytes() + b"\0")
        digest.update("\0".join([*self.flags, self.package]).encode())
        return root / f"bin-{self.name}-{digest.hexdigest()[:16]}"

    def ensure(self, root: Path) -> Path:
        """The program, built where it is not there yet.

        Raises:
            CannotRun: there is no Go.
            ClusterError: Go could not build it.
        """
        folder = self.folder(root)
        if not folder.is_dir():
            title = f"{self.name} {self.version}"
            instead = f"; {self.instead}" if self.instead else ""
            check_go(f"to build {title} and is not on PATH{instead}")
            say(f"Building {title} into {folder} (once; {self.takes} with an empty Go cache).")
            with Aside(root) as aside:
                build(self.module, aside, [self.package], flags=self.flags)
                aside.rename(folder)
        return folder / self.name


class Aside:
    """A folder that is gone afterwards; takes the leavings of killed builds with it."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent

    def __enter__(self) -> Path:
        self._clear()
        aside = self._parent / f"building-{os.getpid()}"
        aside.mkdir(parents=True)
        return aside

    def __exit__(self, *_: object) -> None:
        self._clear()

    def _clear(self) -> None:
        for leftover in self._parent.glob("building-*"):
            shutil.rmtree(leftover, ignore_errors=True)


def build(
    module: Path,
    target: Path,
    packages: list[str],
    *,
    flags: tuple[str, ...],
    environment: Mapping[str, str] | None = None,
) -> None:
    """Builds programs of a module's own pins into a folder, without C unless `environment` says so.

    Raises:
        ClusterError: Go could not; carries the end of what it said.
    """
    go = {**os.environ, "CGO_ENABLED": "0", **(environment or {})}
    go |= {"GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    say("Downloading modules and counting packages.")
    pending = _count_pending(module, packages, flags=flags, environment=go)
    command = ["go", "build", "-v", *flags, "-o", f"{target}/", *packages]
    running = subprocess.Popen(
        command,
        cwd=module,
        env=go,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running:
        try:
            lines = _follow(running, pending)
        finally:
            running.kill()
    if running.returncode:
        raise ClusterError("go build failed:\n" + "\n".join(lines[-20:]))


def _count_pending(
    module: Path, packages: list[str], *, flags: tuple[str, ...], environment: dict[str, str]
) -> int:
    """How many packages are not in Go's cache yet; the first call downloads the modules."""
    command = ["go", "list", *flags, "-deps", "-f", "{{.Stale}}", *packages]
    try:
        listed = subprocess.run(
            command,
            cwd=module,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIST_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"go list had no answer in {LIST_TIMEOUT_S:.0f} s.") from None
    if listed.returncode:
        raise ClusterError("go list failed:\n" + "\n".join(listed.stderr.splitlines()[-20:]))
    return listed.stdout.split().count("true")


def _follow(build: subprocess.Popen[str], pending: int) -> list[str]:
    """Reads what the build prints (one line a finished package) and says how far it is."""
    lines: list[str] = []

    def read() -> None:
        for line in build.stderr or ():
            lines.append(line.rstrip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    began = time.monotonic()
    told = began
    while build.poll() is None:
        now = time.monotonic()
        if now - began > BUILD_TIMEOUT_S:
            raise ClusterError(f"The build was not done after {BUILD_TIMEOUT_S:.0f} s.")
        if now - told >= PROGRESS_S:
            told = now
            say(progress(now - began, done=count_packages(lines), pending=pending))
        time.sleep(0.2)
    reader.join(timeout=5)
    say(f"  built in {time.monotonic() - began:.0f} s")
    return lines


def count_packages(lines: list[str]) -> int:
    """The lines that name a package; the others are downloads and errors."""
    return sum(1 for line in lines if re.fullmatch(r"[\w./~@-]+", line))


def progress(elapsed_s: float, *, done: int, pending: int) -> str:
    """How far a build is; the estimate keeps 20 s for linking the big programs at its end."""
    if done >= pending:
        return f"  {elapsed_s:.0f} s: linking"
    if not done:
        return f"  {elapsed_s:.0f} s: 0 of {pending} packages built"
    left = elapsed_s * (pending - done) / done + 20
    return f"  {elapsed_s:.0f} s: {done} of {pending} packages built, about {left:.0f} s left"
