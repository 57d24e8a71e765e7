"""DNS, whole networks, network plugins and the control plane: what fails for many at once."""

from __future__ import annotations

from typing import Any

from support.surroundings import best, dossier_of, made, pod_of, said

from kausa.diagnosis.rules.network_trouble import (
    dns_is_down,
    network_comes_and_goes,
    network_is_parted,
)
from kausa.diagnosis.rules.system_parts import control_plane_part_fails, network_agent_fails
from kausa.resources.category import Category

LOOKUP = "lookup db.shop.svc on 10.43.0.10:53: read udp 10.1.1.1:4->10.43.0.10:53: i/o timeout"
API = 'Get "https://10.43.0.1:443/api/v1/pods": dial tcp 10.43.0.1:443: i/o timeout'


def part(name: str, *, ready: bool, place: str = "kube-system", **more: Any) -> dict[str, Any]:
    status = {
        "containerStatuses": [
            {
                "name": "main",
                "ready": ready,
                "restartCount": 4,
                "state": {} if ready else {"waiting": {"reason": "CrashLoopBackOff"}},
            }
        ]
    }
    return made("Pod", name, namespace=place, status=status, **more)


def test_lookups_that_time_out_beside_a_dns_that_is_down_name_it() -> None:
    down = part("coredns-1", ready=False, labels={"k8s-app": "kube-dns"})
    found = best(dossier_of(said("Failed", LOOKUP), pod=pod_of(node="n1"), manifests=[down]))
    assert found.category is Category.NETWORK
    assert "CoreDNS" in found.summary
    assert "coredns-1" in found.root_cause


def test_a_dns_that_is_up_is_not_called_down() -> None:
    up = part("coredns-1", ready=True, labels={"k8s-app": "kube-dns"})
    dossier = dossier_of(said("Failed", LOOKUP), pod=pod_of(node="n1"), manifests=[up])
    assert dns_is_down(dossier) is None


def test_dns_and_api_server_out_of_reach_are_a_parted_network() -> None:
    both = (said("Failed", LOOKUP, minute=1), said("Failed", API, minute=2))
    found = best(dossier_of(*both, pod=pod_of(node="n1")))
    assert found.category is Category.NETWORK
    assert "DNS" in found.summary
    assert "API server" in found.summary
    assert network_is_parted(dossier_of(both[0], pod=pod_of())) is None


def test_what_fails_and_works_in_turn_is_intermittent() -> None:
    turns = (
        said("Failed", LOOKUP, minute=1),
        said("Ready", "probe succeeded", type_="normal", minute=2),
        said("Failed", LOOKUP.replace(":4-", ":5-"), minute=5),
    )
    found = best(dossier_of(*turns, pod=pod_of(node="n1")))
    assert "intermittently" in found.summary
    always = dossier_of(turns[0], turns[2], pod=pod_of(node="n1"))
    assert network_comes_and_goes(always) is None


def agent(*, node: str, last: str = "") -> dict[str, Any]:
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    ended = {"terminated": {"reason": "Error", "exitCode": 1, "message": last}}
    return made(
        "Pod",
        "calico-node-x",
        namespace="kube-system",
        spec={"nodeName": node},
        status={
            "initContainerStatuses": [
                {"name": "install-cni", "ready": False, "state": waiting, "lastState": ended}
            ]
        },
    )


SANDBOX = said("FailedCreatePodSandBox", "cni config uninitialized")


def test_the_network_plugins_own_pod_is_the_cause_of_pods_without_a_sandbox() -> None:
    sick = agent(node="n1", last="cannot write /etc/cni/net.d: disk full")
    found = best(dossier_of(SANDBOX, pod=pod_of(node="n1"), manifests=[sick]))
    assert "init container install-cni of Pod calico-node-x" in found.summary
    assert "disk full" in found.root_cause


def test_a_network_plugin_of_another_node_is_not() -> None:
    dossier = dossier_of(SANDBOX, pod=pod_of(node="n1"), manifests=[agent(node="n2")])
    assert network_agent_fails(dossier) is None


def test_a_part_of_the_control_plane_is_named_with_what_it_says() -> None:
    probe = said("Unhealthy", "Readiness probe failed: dial tcp 127.0.0.1:2379: connection refused")
    sick = part("web-0", ready=False, place="shop", labels={"component": "etcd"})
    found = best(dossier_of(probe, pod=sick))
    assert found.category is Category.CONTROL_PLANE
    assert "etcd" in found.summary
    assert "127.0.0.1:2379" in found.summary


def test_a_pod_of_anybody_is_no_part_of_the_control_plane() -> None:
    probe = said("Unhealthy", "Readiness probe failed: connection refused")
    assert control_plane_part_fails(dossier_of(probe, pod=pod_of(node="n1"))) is None
