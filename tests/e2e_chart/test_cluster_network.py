"""The local cluster's Services and names: what a release in it stands on."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client
from support.cluster import is_local
from support.namespace import Namespace
from support.operator_process import wait_for
from support.workloads import bare_pod, deployment, shell

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SERVES = "mkdir -p /tmp/w && hostname > /tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w"
# The busybox of Debian crashes where it looks up a name itself, except in nslookup.
GETS = "(printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 1) | nc {ip} 80 | tail -n 1"
ASKS = f"nslookup {{name}} 2>&1; for i in 1 2 3 4 5 6 7 8; do {GETS}; done"


@pytest.fixture
def service(namespace: Namespace) -> Any:
    """A Service in front of two Pods."""
    namespace.apply(deployment("shop", shell(SERVES), replicas=2))
    made = namespace.core.create_namespaced_service(
        namespace.name,
        {
            "metadata": {"name": "shop"},
            "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    )

    def ready() -> bool:
        found = client.DiscoveryV1Api(namespace.api).list_namespaced_endpoint_slice(
            namespace.name, label_selector="kubernetes.io/service-name=shop"
        )
        ends = [end for each in found.items for end in each.endpoints or []]
        return len([end for end in ends if end.conditions.ready]) == 2

    wait_for(ready, what="both Pods behind the Service", seconds=90)
    return made


def said(namespace: Namespace, name: str, script: str) -> str:
    """What a script in a Pod says."""
    pod = bare_pod(name, shell(script), restartPolicy="Never")
    namespace.core.create_namespaced_pod(namespace.name, pod)

    def ended() -> bool:
        found = namespace.core.read_namespaced_pod_status(name, namespace.name)
        return found.status.phase in {"Succeeded", "Failed"}

    wait_for(ended, what=f"{name} to end", seconds=90)
    words: str = namespace.core.read_namespaced_pod_log(name, namespace.name)
    return words


def test_a_pod_finds_a_service_by_its_name_and_reaches_the_pods_behind_it(
    namespace: Namespace, service: Any
) -> None:
    address = service.spec.cluster_ip
    name = f"shop.{namespace.name}.svc.cluster.local"
    words = said(namespace, "client", ASKS.format(name=name, ip=address))
    assert address in words
    answered = {line for line in words.split() if line.startswith("shop-")}
    assert answered <= {pod.metadata.name for pod in namespace.pods("shop")}
    assert answered


def test_a_name_of_the_world_does_not_exist_and_that_is_said_at_once(namespace: Namespace) -> None:
    if not is_local():
        pytest.skip("only the local cluster is cut off from the world")
    words = said(
        namespace,
        "client",
        "date +%s; nslookup registry.example.com 2>&1; date +%s",
    )
    assert "NXDOMAIN" in words
    numbers = [int(line) for line in words.splitlines() if line.isdigit()]
    assert numbers[-1] - numbers[0] <= 2


def test_a_pod_reaches_the_api_server_at_its_service(namespace: Namespace) -> None:
    words = said(
        namespace,
        "client",
        "nslookup kubernetes.default.svc.cluster.local;"
        " echo | nc -w 3 $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT && echo reached",
    )
    assert "10.96.0.1" in words or not is_local()
    assert "reached" in words
