"""Kubernetes and etcd, built from the versions that go.mod pins.

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
from pathlib import Path

from localcluster.console import say
from localcluster.errors import CannotRun, ClusterError

MODULE = Path(__file__).resolve().parent.parent
KUBERNETES = "v1.36.3"
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "pause": "./pause",
}
KUBECTL = "k8s.io/kubernetes/cmd/kubectl"
_STAMP = "k8s.io/component-base/version"
FLAGS = (
    "-trimpath",
    "-ldflags",
    # Without these the API server calls itself v0.0.0.
    f"-s -w -X {_STAMP}.gitVersion={KUBERNETES} -X {_STAMP}.gitMajor=1 -X {_STAMP}.gitMinor=36",
)
PROGRESS_S = 10.0
BUILD_TIMEOUT_S = 2400.0
LIST_TIMEOUT_S = 600.0


def fingerprint(module: Path) -> str:
    """Changes whenever the binaries would."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "pause/main.go"):
        digest.update((module / name).read_bytes() + b"\0")
    digest.update("\0".join([*FLAGS, *PACKAGES.values()]).encode())
    return digest.hexdigest()[:16]


def ensure(root: Path, environment: Mapping[str, str]) -> Path:
    """The folder with the binaries: the one that the caller names, or one that is built here."""
    if named := environment.get("KAUSA_CLUSTER_BIN"):
        folder = Path(named).absolute()
        if missing := [name for name in PACKAGES if not (folder / name).is_file()]:
            raise CannotRun(f"KAUSA_CLUSTER_BIN={named} lacks {', '.join(missing)}.")
        return folder
    folder = root / f"bin-{fingerprint(MODULE)}"
    if not folder.is_dir():
        check_go()
        _build_all(folder)
    return folder


def ensure_kubectl(root: Path, binaries: Path) -> Path | None:
    """The machine's kubectl, or one that is built where it has none and Go is there."""
    if found := shutil.which("kubectl"):
        return Path(found)
    # A folder that the caller named is not ours to add to.
    folder = binaries if binaries.parent == root else root / "bin-kubectl"
    for target in (binaries / "kubectl", folder / "kubectl"):
        if target.is_file():
            return target
    if shutil.which("go") is None:
        return None
    say("Building kubectl, because there is none on PATH (up to 2 minutes).")
    with _Aside(root) as aside:
        _go_build(aside, [KUBECTL])
        folder.mkdir(exist_ok=True)
        return (aside / "kubectl").rename(folder / "kubectl")


def check_go() -> None:
    if shutil.which("go") is None:
        raise CannotRun(
            "Go is needed to build Kubernetes and is not on PATH; install it, or name a folder that"
            f" has {', '.join(PACKAGES)} in KAUSA_CLUSTER_BIN."
        )


def _build_all(folder: Path) -> None:
    say(
        f"Building Kubernetes {KUBERNETES} and etcd into {folder} (once; 4 to 7 minutes on two"
        " cores with an empty Go cache, under a minute with a warm one)."
    )
    with _Aside(folder.parent) as aside:
        _go_build(aside, list(PACKAGES.values()))
        (aside / "server").rename(aside / "etcd")
        if missing := [name for name in PACKAGES if not (aside / name).is_file()]:
            raise ClusterError(f"The build did not make {', '.join(missing)}.")
        aside.rename(folder)


class _Aside:
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


def _go_environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}


def _go_build(target: Path, packages: list[str]) -> None:
    say("Downloading modules and counting packages.")
    pending = _count_pending(packages)
    command = ["go", "build", "-v", *FLAGS, "-o", f"{target}/", *packages]
    build = subprocess.Popen(
        command,
        cwd=MODULE,
        env=_go_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with build:
        try:
            lines = _follow(build, pending)
        finally:
            build.kill()
    if build.returncode:
        raise ClusterError("go build failed:\n" + "\n".join(lines[-20:]))


def _count_pending(packages: list[str]) -> int:
    """How many packages are not in Go's cache yet; the first call downloads the modules."""
    command = ["go", "list", *FLAGS, "-deps", "-f", "{{.Stale}}", *packages]
    try:
        listed = subprocess.run(
            command,
            cwd=MODULE,
            env=_go_environment(),
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
