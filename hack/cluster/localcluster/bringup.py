"""Making a cluster, in the order that makes it quick: what needs the API server waits for it, the
rest does not.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from localcluster import (
    api,
    cgroups,
    containerd,
    dns,
    images,
    kubelet,
    kwok,
    network,
    pki,
    proxy,
    records,
)
from localcluster.components import NODE
from localcluster.layout import Layout
from localcluster.supervisor import Supervisor
from localcluster.waiting import wait_for

NODE_TIMEOUT_S = 60.0
CLIENTS = ("kube-controller-manager", "kube-scheduler", "kubelet", proxy.NAME, dns.NAME)


def prepare(layout: Layout, binaries: Path, *, coredns: Path) -> None:
    """Writes the record first, and only then changes anything outside the state."""
    shutil.rmtree(layout.state, ignore_errors=True)
    for needed in (layout.run, layout.logs, layout.kubelet, layout.containerd):
        needed.mkdir(parents=True)
    layout.state.chmod(0o700)
    (layout.run / "binaries").write_text(str(binaries))
    records.save(records.observe(), layout.before)
    network.make()
    cgroups.make()
    records.write_setting("net/ipv4/ip_forward", "1")
    addresses = ("127.0.0.1", network.SERVICE, network.GATEWAY)
    pki.make_all(layout.pki, pki.identities(node=NODE, addresses=addresses))
    for name in CLIENTS:
        pki.write_kubeconfig(layout.pki, name, layout.pki / f"{name}.kubeconfig")
    containerd.write_config(layout)
    (layout.run / "kubelet.json").write_text(kubelet.config(layout))
    (layout.run / f"{proxy.NAME}.json").write_text(proxy.config(layout, node=NODE))
    dns.write_config(layout, coredns)


def start_all(layout: Layout, supervisor: Supervisor) -> None:
    """Starts what does not run yet, and returns when the cluster takes pods."""
    for name in ("etcd", "containerd"):
        supervisor.start(name)
    supervisor.wait("etcd")
    supervisor.start("kube-apiserver")
    supervisor.wait("containerd")
    containerd.load_test_images(layout, binaries=supervisor.binaries)
    supervisor.wait("kube-apiserver")
    later = (
        *("kube-controller-manager", "kube-scheduler", "api-forwarder"),
        *("kubelet", proxy.NAME, dns.NAME),
    )
    for name in later:
        supervisor.start(name)
    for name in later:
        supervisor.wait(name)
    _wait_for_node(layout)
    supervisor.tell("node")
    pki.write_kubeconfig(layout.pki, "admin", layout.kubeconfig)
    if kwok.NAME in supervisor.names:
        start_kwok(supervisor)


def start_kwok(supervisor: Supervisor) -> None:
    supervisor.start(kwok.NAME)
    supervisor.wait(kwok.NAME)


def _wait_for_node(layout: Layout) -> None:
    tls = api.context(layout.pki)
    account = f"{pki.SERVER}/api/v1/namespaces/default/serviceaccounts/default"
    node = f"{pki.SERVER}/api/v1/nodes/{NODE}"
    wanted = {images.PAUSE, images.BUSYBOX}
    wait_for(
        "the default ServiceAccount",
        lambda: api.is_ok(account, tls),
        timeout_s=NODE_TIMEOUT_S,
        log=layout.log("kube-controller-manager"),
    )
    wait_for(
        f"the node {NODE}",
        lambda: api.node_is_ready(api.get(node, tls)[1]),
        timeout_s=NODE_TIMEOUT_S,
        log=layout.log("kubelet"),
    )
    wait_for(
        "the test images",
        lambda: wanted <= set(containerd.image_names(layout)),
        timeout_s=NODE_TIMEOUT_S,
        log=layout.log("containerd"),
    )
