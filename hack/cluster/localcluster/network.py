"""The bridge that pods are on, with the addresses of what they reach.

The bridge is made before anything else runs, so that its address can be the node's: the API server
reaches the kubelet there whatever the machine's name resolves to. On the same address pods find
what answers for names, and a forwarder to the API server, which listens on loopback alone: it is
the one endpoint of the Service `kubernetes`, and kube-proxy leads there.
"""

from __future__ import annotations

import json
from pathlib import Path

from localcluster.errors import CannotRun, ClusterError
from localcluster.processes import run

NETWORK = "kausa-local"
BRIDGE = "cni-kausa0"
GATEWAY = "10.187.88.1"
SUBNET = "10.187.88.0/24"
SERVICE = "10.96.0.1"
SERVICES = "10.96.0.0/16"


def cni_config(leases: Path) -> str:
    addresses = {
        "type": "host-local",
        "dataDir": str(leases),
        "ranges": [[{"subnet": SUBNET, "gateway": GATEWAY}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": addresses,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": False}
    config = {"cniVersion": "0.4.0", "name": NETWORK, "plugins": [bridge, ports]}
    return json.dumps(config, indent=2)


def has_bridge() -> bool:
    return run(("ip", "link", "show", BRIDGE)).returncode == 0


def has_service_address() -> bool:
    return f" {SERVICE}/32 " in run(("ip", "-4", "-o", "addr", "show", "dev", "lo")).stdout


def check_free() -> None:
    """Refuses to share a bridge or a subnet with somebody else."""
    if has_bridge():
        raise CannotRun(f"There is a bridge {BRIDGE} already, and it is not this cluster's.")
    routes = run(("ip", "-4", "route", "show", "root", SUBNET)).stdout.strip()
    if routes:
        raise CannotRun(
            f"The addresses {SUBNET} are in use here already ({routes.splitlines()[0]})."
        )


def make() -> None:
    if not has_bridge():
        _ip("link", "add", BRIDGE, "type", "bridge")
    if f" {GATEWAY}/" not in run(("ip", "-4", "-o", "addr", "show", "dev", BRIDGE)).stdout:
        _ip("addr", "add", f"{GATEWAY}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")


def remove(*, service_address: bool) -> None:
    """Takes away the bridge with what hangs on it.

    The address on `lo` is one that clusters had before there was a kube-proxy.
    """
    for veth in ports_of(run(("ip", "-o", "link", "show", "master", BRIDGE)).stdout):
        run(("ip", "link", "del", veth))
    if has_bridge():
        _ip("link", "del", BRIDGE)
    if service_address and has_service_address():
        _ip("addr", "del", f"{SERVICE}/32", "dev", "lo")


def ports_of(listing: str) -> list[str]:
    """The interface names of `ip -o link`: `7: veth12ab@if2: <...>`."""
    names = (line.split(": ", 2)[1] for line in listing.splitlines() if line.count(": ") >= 2)
    return [name.partition("@")[0] for name in names]


def _ip(*arguments: str) -> None:
    done = run(("ip", *arguments))
    if done.returncode:
        raise ClusterError(f"ip {' '.join(arguments)} failed: {done.stderr.strip()}")
