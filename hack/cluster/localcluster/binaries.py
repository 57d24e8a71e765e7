"""Kubernetes and etcd, built from the versions that go.mod pins.

One folder per content of the module: built aside, then renamed, so a folder that is there is
whole, and a build that was cut off leaves nothing that is later taken for one. An unchanged module
costs one hash.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from localcluster import gobuild
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
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
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
    with gobuild.Aside(root) as aside:
        gobuild.build(MODULE, aside, [KUBECTL], flags=FLAGS)
        folder.mkdir(exist_ok=True)
        return (aside / "kubectl").rename(folder / "kubectl")


def check_go() -> None:
    gobuild.check_go(
        "to build Kubernetes and is not on PATH; install it, or name a folder that has"
        f" {', '.join(PACKAGES)} in KAUSA_CLUSTER_BIN"
    )


def _build_all(folder: Path) -> None:
    say(
        f"Building Kubernetes {KUBERNETES} and etcd into {folder} (once; 4 to 7 minutes on two"
        " cores with an empty Go cache, under a minute with a warm one)."
    )
    with gobuild.Aside(folder.parent) as aside:
        gobuild.build(MODULE, aside, list(PACKAGES.values()), flags=FLAGS)
        (aside / "server").rename(aside / "etcd")
        if missing := [name for name in PACKAGES if not (aside / name).is_file()]:
            raise ClusterError(f"The build did not make {', '.join(missing)}.")
        aside.rename(folder)
