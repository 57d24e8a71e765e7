"""kwok, which plays the kubelet of nodes that do not exist: thousands of pods without a process.

It is a component like the others once it is asked for. A file in the cluster's state says so, and
names the program; the stages through which it walks nodes and pods lie beside it as they were then.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from localcluster.gobuild import Program
from localcluster.layout import Layout

NAME = "kwok"
PORT = 10247
HEALTH = f"http://127.0.0.1:{PORT}/healthz"
SELECTOR = "type=kwok"
VERSION = "v0.7.0"
MODULE = Path(__file__).resolve().parents[2] / "kwok"
STAGES = MODULE / "stages"
PROGRAM = Program(
    name=NAME,
    version=VERSION,
    package="sigs.k8s.io/kwok/cmd/kwok",
    module=MODULE,
    flags=("-trimpath", "-ldflags", f"-s -w -X sigs.k8s.io/kwok/pkg/consts.Version={VERSION}"),
    takes="2 minutes",
)
# Its own default is 4, with which 5,000 pods take half a minute to change.
CONFIGURATION = """\
apiVersion: config.kwok.x-k8s.io/v1alpha1
kind: KwokConfiguration
options:
  podPlayStageParallelism: 32
"""


def ensure(root: Path, environment: Mapping[str, str]) -> Path:
    """The program: in the folder of binaries that the caller names, or one that is built here."""
    if named := environment.get("KAUSA_CLUSTER_BIN"):
        program = Path(named).absolute() / NAME
        if program.is_file():
            return program
    return PROGRAM.ensure(root)


def remember(layout: Layout, program: Path) -> bool:
    """Makes kwok a component of this cluster; false where it was one with just these stages."""
    stages = [file.read_text() for file in sorted(STAGES.glob("*.yaml"))]
    config = "---\n".join([CONFIGURATION, *stages])
    if recorded(layout) == program and layout.kwok_config.read_text() == config:
        return False
    layout.kwok_config.write_text(config)
    layout.kwok.write_text(str(program))
    return True


def recorded(layout: Layout) -> Path | None:
    """The program that this cluster's kwok was started from; None where it has none."""
    try:
        return Path(layout.kwok.read_text())
    except FileNotFoundError:
        return None


def forget(layout: Layout) -> None:
    """The cluster has no kwok any more."""
    layout.kwok.unlink(missing_ok=True)


def command(layout: Layout, program: Path) -> tuple[str, ...]:
    """Without the length of the leases its nodes would go NotReady after 40 s."""
    return (
        str(program),
        f"--kubeconfig={layout.kubeconfig}",
        f"--config={layout.kwok_config}",
        f"--manage-nodes-with-label-selector={SELECTOR}",
        "--node-lease-duration-seconds=40",
        f"--server-address=127.0.0.1:{PORT}",
        "--v=WARN",
    )
