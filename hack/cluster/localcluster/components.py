"""The cluster's processes: how each is started, and how one sees that it is ready.

Everything listens on this machine's own addresses only. The API server is reached by pods through
a forwarder on the bridge, to which kube-proxy leads; the kubelet listens on the bridge, too, where
the API server finds it whatever the machine is called.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from localcluster import api, containerd, dns, kwok, network, proxy
from localcluster.layout import Layout
from localcluster.packages import find
from localcluster.pki import SERVER

NODE = "kausa-node"
ETCD = "http://127.0.0.1:2379"
ETCD_PEERS = "http://127.0.0.1:2380"
# In the order in which they start; `stop` and `restart` know these by name.
NAMES = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "api-forwarder",
    "containerd",
    "kubelet",
    proxy.NAME,
    dns.NAME,
    kwok.NAME,
)
PORTS = {
    2379: "etcd",
    2380: "etcd",
    6443: "kube-apiserver",
    10248: "kubelet",
    proxy.METRICS_PORT: proxy.NAME,
    10250: "kubelet",
    dns.PORT: dns.NAME,
    proxy.HEALTH_PORT: proxy.NAME,
    10257: "kube-controller-manager",
    10259: "kube-scheduler",
}


@dataclass(frozen=True, slots=True)
class Component:
    """One process of the cluster."""

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], bool]
    timeout_s: float = 30.0

    @property
    def binary(self) -> str:
        return Path(self.command[0]).name


def components(layout: Layout, binaries: Path) -> dict[str, Component]:
    """Those that this cluster has: kwok only where it was asked for."""
    program = kwok.recorded(layout)
    return {
        one.name: one
        for one in (
            _etcd(layout, binaries),
            _apiserver(layout, binaries),
            _client(layout, binaries, "kube-controller-manager", 10257, _CONTROLLER_MANAGER),
            _client(layout, binaries, "kube-scheduler", 10259, _FAST),
            _forwarder(),
            _containerd(layout),
            _kubelet(layout, binaries),
            _proxy(layout, binaries),
            _dns(layout, dns.recorded(layout) or binaries / dns.NAME),
            *(() if program is None else (_kwok(layout, program),)),
        )
    }


# Their defaults, made for a real cluster, let them make 20 pods a second.
_FAST = ("--kube-api-qps=500", "--kube-api-burst=1000")
_CONTROLLER_MANAGER = (
    *_FAST,
    "--service-account-private-key-file={pki}/sa.key",
    "--root-ca-file={pki}/ca.crt",
    "--cluster-signing-cert-file={pki}/ca.crt",
    "--cluster-signing-key-file={pki}/ca.key",
    "--use-service-account-credentials",
)


def _etcd(layout: Layout, binaries: Path) -> Component:
    command = (
        str(binaries / "etcd"),
        f"--data-dir={layout.etcd}",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        f"--listen-peer-urls={ETCD_PEERS}",
        f"--initial-advertise-peer-urls={ETCD_PEERS}",
        f"--initial-cluster=default={ETCD_PEERS}",
        # The data lives as long as the cluster does; a crash of the machine may lose it.
        "--unsafe-no-fsync",
        "--log-level=warn",
    )
    return Component("etcd", command, lambda: api.is_ok(f"{ETCD}/health"), timeout_s=30)


def _apiserver(layout: Layout, binaries: Path) -> Component:
    pki = layout.pki
    issuer = "https://kubernetes.default.svc"
    command = (
        str(binaries / "kube-apiserver"),
        f"--etcd-servers={ETCD}",
        "--bind-address=127.0.0.1",
        f"--advertise-address={network.GATEWAY}",
        "--secure-port=6443",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--cert-dir={layout.state}/apiserver",
        f"--service-account-issuer={issuer}",
        f"--service-account-key-file={pki}/sa.key",
        f"--service-account-signing-key-file={pki}/sa.key",
        f"--api-audiences={issuer}",
        f"--service-cluster-ip-range={network.SERVICES}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        # Its default of one lets the deletion of a thousand pods take half a minute.
        "--delete-collection-workers=16",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={pki}/ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={pki}/front-proxy.crt",
        f"--proxy-client-key-file={pki}/front-proxy.key",
        "--v=1",
    )
    ready = _asks(f"{SERVER}/readyz", pki)
    return Component("kube-apiserver", command, ready, timeout_s=90)


def _client(
    layout: Layout, binaries: Path, name: str, port: int, more: tuple[str, ...]
) -> Component:
    """A controller or the scheduler: a client of the API server that says on a port how it is."""
    kubeconfig = layout.pki / f"{name}.kubeconfig"
    command = (
        str(binaries / name),
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        # It has no rivals, and it need not give up when the API server is away for a while.
        "--leader-elect=false",
        *(argument.format(pki=layout.pki) for argument in more),
        "--v=1",
    )
    ready = lambda: api.is_ok(f"https://127.0.0.1:{port}/healthz", _unverified())  # noqa: E731
    return Component(name, command, ready, timeout_s=60)


def _forwarder() -> Component:
    listen = f"TCP-LISTEN:6443,bind={network.GATEWAY},fork,reuseaddr"
    command = (str(find("socat") or "socat"), listen, "TCP:127.0.0.1:6443")
    ready = lambda: api.get(f"https://{network.GATEWAY}:6443/", _unverified())[0] != 0  # noqa: E731
    return Component("api-forwarder", command, ready, timeout_s=10)


def _containerd(layout: Layout) -> Component:
    command = (
        str(find("containerd") or "containerd"),
        f"--config={layout.run}/containerd.toml",
        "--log-level=warn",
    )
    return Component("containerd", command, lambda: containerd.answers(layout), timeout_s=30)


def _kubelet(layout: Layout, binaries: Path) -> Component:
    command = (
        str(binaries / "kubelet"),
        f"--config={layout.run}/kubelet.json",
        f"--kubeconfig={layout.pki}/kubelet.kubeconfig",
        f"--root-dir={layout.kubelet}",
        f"--cert-dir={layout.state}/kubelet-pki",
        f"--hostname-override={NODE}",
        f"--node-ip={network.GATEWAY}",
        "--v=1",
    )
    healthy = "http://127.0.0.1:10248/healthz"
    return Component("kubelet", command, lambda: api.is_ok(healthy), timeout_s=60)


def _proxy(layout: Layout, binaries: Path) -> Component:
    command = (str(binaries / proxy.NAME), f"--config={layout.run}/{proxy.NAME}.json", "--v=1")
    return Component(proxy.NAME, command, lambda: api.is_ok(proxy.HEALTH), timeout_s=60)


def _dns(layout: Layout, program: Path) -> Component:
    command = dns.command(layout, program)
    return Component(dns.NAME, command, lambda: api.is_ok(dns.READY), timeout_s=60)


def _kwok(layout: Layout, program: Path) -> Component:
    command = kwok.command(layout, program)
    return Component(kwok.NAME, command, lambda: api.is_ok(kwok.HEALTH), timeout_s=30)


def _asks(url: str, pki: Path) -> Callable[[], bool]:
    return lambda: api.is_ok(url, api.context(pki))


def _unverified() -> ssl.SSLContext:
    """For health questions to certificates that a component made for itself."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    return tls
