"""CoreDNS, which pods ask for names: those of the cluster's Services, and nothing else.

It runs beside the cluster's other processes, on the bridge's address, so it is there before the
first pod and cannot fall victim to what tests do to pods. Every other name does not exist, and that
is answered at once: what is tested here depends on no network, and a program that looks for a host
of the world out there fails in a moment instead of after its timeouts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from localcluster import network
from localcluster.gobuild import Program
from localcluster.layout import Layout

NAME = "coredns"
PORT = 10254
READY = f"http://127.0.0.1:{PORT}/ready"
ADDRESS = network.GATEWAY
VERSION = "v1.14.1"
MODULE = Path(__file__).resolve().parents[1] / "coredns"
PROGRAM = Program(
    name=NAME,
    version=VERSION,
    package="github.com/coredns/coredns",
    module=MODULE,
    flags=("-trimpath", "-ldflags", "-s -w"),
    takes="2 minutes",
)
# Two blocks, because within one the order of plugins is fixed, and the second would go first.
COREFILE = """\
cluster.local in-addr.arpa ip6.arpa {{
    bind {address}
    errors
    ready 127.0.0.1:{port}
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        ttl 1
    }}
}}
. {{
    bind {address}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def ensure(root: Path, environment: Mapping[str, str]) -> Path:
    """The program: in the folder of binaries that the caller names, or one that is built here."""
    if named := environment.get("KAUSA_CLUSTER_BIN"):
        program = Path(named).absolute() / NAME
        if program.is_file():
            return program
    return PROGRAM.ensure(root)


def write_config(layout: Layout, program: Path) -> None:
    """Says what it answers, and which program this cluster's is."""
    kubeconfig = layout.pki / f"{NAME}.kubeconfig"
    text = COREFILE.format(address=ADDRESS, port=PORT, kubeconfig=kubeconfig)
    layout.corefile.write_text(text)
    layout.coredns.write_text(str(program))


def recorded(layout: Layout) -> Path | None:
    """The program that this cluster's was started from; None where there is no cluster."""
    try:
        return Path(layout.coredns.read_text())
    except FileNotFoundError:
        return None


def command(layout: Layout, program: Path) -> tuple[str, ...]:
    return (str(program), "-conf", str(layout.corefile), "-dns.port", "53")
