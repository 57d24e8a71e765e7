"""The kubelet's settings: quick to show a failure, and quiet about the rest of the machine."""

from __future__ import annotations

import json

from localcluster import cgroups, dns, network
from localcluster.layout import Layout


def config(layout: Layout) -> str:
    socket = f"unix://{layout.socket}"
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": network.GATEWAY,
            "healthzBindAddress": "127.0.0.1",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": f"{layout.pki}/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{cgroups.NAME}",
            # Without this 1.35 and later refuse to run on version 1 control groups.
            "failCgroupV1": False,
            "failSwapOn": False,
            "containerRuntimeEndpoint": socket,
            "imageServiceEndpoint": socket,
            "resolvConf": "/etc/resolv.conf",
            "podLogsDir": f"{layout.state}/pod-logs",
            "volumePluginDir": f"{layout.state}/volume-plugins",
            "staticPodPath": "",
            "clusterDomain": "cluster.local",
            "clusterDNS": [dns.ADDRESS],
            "nodeStatusUpdateFrequency": "5s",
            # A pod's state is written one round late; with the default minute a fast crash loop
            # would say CrashLoopBackOff for a tenth of a second in each turn.
            "syncFrequency": "500ms",
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
                "nodefs.inodesFree": "1%",
            },
            # 100 switches the collection of images off: none could be pulled again.
            "imageGCHighThresholdPercent": 100,
            "serializeImagePulls": False,
            # Without this it adds chains of its own that drop packets.
            "makeIPTablesUtilChains": False,
            # Ten restarts in half a minute instead of five in five and a half.
            "featureGates": {"KubeletCrashLoopBackOffMax": True},
            "crashLoopBackOff": {"maxContainerRestartPeriod": "2s"},
        },
        indent=2,
    )
