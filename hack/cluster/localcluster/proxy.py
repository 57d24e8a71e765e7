"""kube-proxy's settings: Services as rules of the packet filter, and hands off all else.

Every packet to a Service gets the node's address as its sender. Without that, two pods of the one
bridge would answer each other directly, past the rules that have to translate the answer back,
wherever the kernel does not show bridged packets to the packet filter.
"""

from __future__ import annotations

import json

from localcluster import network
from localcluster.layout import Layout

NAME = "kube-proxy"
HEALTH_PORT = 10256
METRICS_PORT = 10249
HEALTH = f"http://127.0.0.1:{HEALTH_PORT}/healthz"


def config(layout: Layout, *, node: str) -> str:
    return json.dumps(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clientConnection": {"kubeconfig": f"{layout.pki}/{NAME}.kubeconfig"},
            "hostnameOverride": node,
            "clusterCIDR": network.SUBNET,
            "healthzBindAddress": f"127.0.0.1:{HEALTH_PORT}",
            "metricsBindAddress": f"127.0.0.1:{METRICS_PORT}",
            # A Service of type NodePort is reached from this machine only.
            "nodePortAddresses": [network.SUBNET],
            "iptables": {"masqueradeAll": True, "localhostNodePorts": False},
            # Zero leaves the machine's own limits as they are.
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        },
        indent=2,
    )
