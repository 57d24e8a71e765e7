"""What is named and is not there: told once each, and never of what is there or not needed."""

from __future__ import annotations

from typing import Any

import pytest
from support.dossiers import FakeReader
from support.inquiries import Brought, bring, made, raw_pod
from support.pods import container, pod, waiting

from kausa.cluster.errors import NotRecordedError
from kausa.evidence.ingresses import gather_ingress
from kausa.evidence.pod_names import names_of_pod
from kausa.evidence.pod_references import gather_pod_references
from kausa.evidence.workload_references import gather_workload_references
from kausa.resources.evidence import EvidenceKind

POD = pod(container(waiting("CreateContainerConfigError")))
ACCOUNT = made("ServiceAccount", "default")


async def looked(spec: dict[str, Any], *objects: dict[str, Any], recorded: bool = False) -> Brought:
    reader = FakeReader(manifests=(raw_pod(POD, **spec), ACCOUNT, *objects))
    return await bring(gather_pod_references, reader, pod=POD, recorded=recorded)


def with_env(**variable: Any) -> dict[str, Any]:
    return {"containers": [{"name": "api", "env": [{"name": "LEVEL", "valueFrom": variable}]}]}


def with_volume(**volume: Any) -> dict[str, Any]:
    return {"containers": [{"name": "api"}], "volumes": [{"name": "config", **volume}]}


SETTINGS = made("ConfigMap", "settings", data={"LEVEL": "info"}, binaryData={"logo": "AAAA"})

BROKEN: list[tuple[dict[str, Any], tuple[str, str, str, str]]] = [
    (
        with_env(configMapKeyRef={"name": "other", "key": "LEVEL"}),
        ("ConfigMap", "other", "", "does not exist"),
    ),
    (
        with_env(configMapKeyRef={"name": "settings", "key": "LEVLE"}),
        ("ConfigMap", "settings", "LEVLE", "has no such key"),
    ),
    (
        {"containers": [{"name": "api", "envFrom": [{"configMapRef": {"name": "other"}}]}]},
        ("ConfigMap", "other", "", "does not exist"),
    ),
    (
        {"initContainers": [{"name": "api", "envFrom": [{"configMapRef": {"name": "other"}}]}]},
        ("ConfigMap", "other", "", "does not exist"),
    ),
    (with_volume(configMap={"name": "other"}), ("ConfigMap", "other", "", "does not exist")),
    (
        with_volume(configMap={"name": "settings", "items": [{"key": "x", "path": "x"}]}),
        ("ConfigMap", "settings", "x", "has no such key"),
    ),
    (
        with_volume(projected={"sources": [{"configMap": {"name": "other"}}]}),
        ("ConfigMap", "other", "", "does not exist"),
    ),
    (
        with_volume(persistentVolumeClaim={"claimName": "data"}),
        ("PersistentVolumeClaim", "data", "", "does not exist"),
    ),
    (
        with_volume(ephemeral={"volumeClaimTemplate": {}}),
        ("PersistentVolumeClaim", f"{POD.metadata.name}-config", "", "does not exist"),
    ),
    ({"serviceAccountName": "robot"}, ("ServiceAccount", "robot", "", "does not exist")),
    ({"priorityClassName": "high"}, ("PriorityClass", "high", "", "does not exist")),
    ({"runtimeClassName": "gvisor"}, ("RuntimeClass", "gvisor", "", "does not exist")),
    ({"nodeName": "node-9"}, ("Node", "node-9", "", "does not exist")),
]


@pytest.mark.parametrize(("spec", "expected"), BROKEN)
async def test_a_name_that_does_not_resolve_is_a_reference_with_its_sentence(
    spec: dict[str, Any], expected: tuple[str, str, str, str]
) -> None:
    found = await looked(spec, SETTINGS)
    assert found.broken == [expected]
    (evidence,) = found.evidence
    assert evidence.kind is EvidenceKind.REFERENCE
    assert evidence.source.name == POD.metadata.name
    kind, name, key, problem = expected
    for word in (kind, name, key, problem):
        assert word in evidence.text


FINE: list[dict[str, Any]] = [
    {},
    with_env(configMapKeyRef={"name": "settings", "key": "LEVEL"}),
    with_env(configMapKeyRef={"name": "settings", "key": "logo"}),
    with_env(configMapKeyRef={"name": "other", "key": "LEVEL", "optional": True}),
    with_env(configMapKeyRef={"name": "settings", "key": "LEVLE", "optional": True}),
    with_env(fieldRef={"fieldPath": "status.podIP"}),
    with_volume(configMap={"name": "other", "optional": True}),
    with_volume(emptyDir={}),
    {
        "volumes": [
            {
                "name": "kube-api-access-x",
                "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]},
            }
        ]
    },
    {"priorityClassName": "system-node-critical"},
    {"nodeName": "node-1", "serviceAccountName": "default"},
]


@pytest.mark.parametrize("spec", FINE)
async def test_what_is_there_or_optional_is_not_told(spec: dict[str, Any]) -> None:
    found = await looked(spec, SETTINGS)
    assert not found.references
    assert not found.evidence
    assert not found.gaps


async def test_secrets_are_looked_for_in_files_only() -> None:
    spec = with_env(secretKeyRef={"name": "token", "key": "password"})
    live = await looked(spec)
    assert not live.references
    assert not live.gaps
    (missing,) = (await looked(spec, recorded=True)).broken
    assert missing == ("Secret", "token", "", "does not exist")
    secret = made("Secret", "token", data={"user": "YWRtaW4="})
    (key,) = (await looked(spec, secret, recorded=True)).broken
    assert key == ("Secret", "token", "password", "has no such key")


async def test_nothing_is_said_to_be_missing_that_files_do_not_tell_of() -> None:
    spec = with_env(configMapKeyRef={"name": "other", "key": "LEVEL"})
    reader = FakeReader(
        manifests=(raw_pod(POD, **spec),), errors={"ConfigMap": NotRecordedError("unknown")}
    )
    found = await bring(gather_pod_references, reader, pod=POD)
    assert not found.references
    assert found.gaps


async def test_accounts_are_not_said_to_be_missing_where_none_were_recorded() -> None:
    reader = FakeReader(manifests=(raw_pod(POD, serviceAccountName="robot"),))
    found = await bring(gather_pod_references, reader, pod=POD)
    assert not found.references


async def test_the_template_of_a_workload_without_pods_is_looked_at() -> None:
    workload = made(
        "Deployment",
        "checkout",
        api_version="apps/v1",
        spec={"template": {"spec": with_env(configMapKeyRef={"name": "other", "key": "X"})}},
    )
    found = await bring(gather_pod_references, FakeReader(manifests=(workload,)), shown_by=workload)
    assert found.broken == [("ConfigMap", "other", "", "does not exist")]
    assert found.references[0].by.kind == "Deployment"


async def test_an_owner_that_is_gone_is_told_where_others_of_its_kind_are_known() -> None:
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "old", "uid": "1"}
    raw = raw_pod(POD, ownerReferences=[{**reference, "controller": True}])
    other = made("ReplicaSet", "new", api_version="apps/v1")
    alone = await bring(gather_pod_references, FakeReader(manifests=(raw,)), pod=POD)
    assert not alone.references
    found = await bring(gather_pod_references, FakeReader(manifests=(raw, other)), pod=POD)
    assert found.broken == [("ReplicaSet", "old", "", "does not exist")]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("vlan-1", [("", "vlan-1")]),
        ("net-ops/vlan-1@eth1, vlan-2", [("net-ops", "vlan-1"), ("", "vlan-2")]),
        ('[{"name": "vlan-1", "namespace": "net-ops"}]', [("net-ops", "vlan-1")]),
        ("[not json", []),
        ("", []),
    ],
)
def test_further_networks_are_read_from_the_annotation(
    written: str, expected: list[tuple[str, str]]
) -> None:
    annotated = {"metadata": {"annotations": {"k8s.v1.cni.cncf.io/networks": written}}}
    assert [(each.namespace, each.name) for each in names_of_pod(annotated)] == expected


# -- workloads -------------------------------------------------------------------------------------


def autoscaler(**spec: Any) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
    return made(
        "HorizontalPodAutoscaler",
        "checkout",
        api_version="autoscaling/v2",
        spec={"scaleTargetRef": target, **spec},
    )


def target(**resources: Any) -> dict[str, Any]:
    return made(
        "Deployment",
        "checkout",
        api_version="apps/v1",
        spec={"template": {"spec": {"containers": [{"name": "api", "resources": resources}]}}},
    )


CPU = {
    "metrics": [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}
    ]
}
BY_VALUE = {
    "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"averageValue": "1"}}}]
}


async def scaled(spec: dict[str, Any], *objects: dict[str, Any]) -> Brought:
    it = autoscaler(**spec)
    reader = FakeReader(manifests=(it, *objects))
    return await bring(gather_workload_references, reader, shown_by=it)


async def test_an_autoscaler_without_its_target_is_told() -> None:
    assert (await scaled(CPU)).broken == [("Deployment", "checkout", "", "does not exist")]


async def test_an_autoscaler_of_containers_without_requests_is_told() -> None:
    (found,) = (await scaled(CPU, target())).broken
    assert found == (
        "Deployment",
        "checkout",
        "resources.requests.cpu",
        "is not set for container api",
    )


@pytest.mark.parametrize(
    ("spec", "resources"),
    [
        (CPU, {"requests": {"cpu": "100m"}}),
        (CPU, {"limits": {"cpu": "100m"}}),
        (BY_VALUE, {}),
    ],
)
async def test_an_autoscaler_that_can_work_is_not_told(
    spec: dict[str, Any], resources: dict[str, Any]
) -> None:
    assert not (await scaled(spec, target(**resources))).references


async def test_the_service_of_a_stateful_set_is_looked_for() -> None:
    made_of = made("StatefulSet", "db", api_version="apps/v1", spec={"serviceName": "db-headless"})
    found = await bring(
        gather_workload_references, FakeReader(manifests=(made_of,)), shown_by=made_of
    )
    assert found.broken == [("Service", "db-headless", "", "does not exist")]
    service = made("Service", "db-headless")
    there = await bring(
        gather_workload_references, FakeReader(manifests=(made_of, service)), shown_by=made_of
    )
    assert not there.references


# -- Ingresses -------------------------------------------------------------------------------------


def ingress(port: dict[str, Any], **spec: Any) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": port}}
    rule = {"host": "shop.example", "http": {"paths": [{"path": "/", "backend": backend}]}}
    return made(
        "Ingress",
        "web",
        api_version="networking.k8s.io/v1",
        spec={"rules": [rule], "ingressClassName": "nginx", **spec},
    )


CLASS = made("IngressClass", "nginx", namespace=None, api_version="networking.k8s.io/v1")
SLICE = made(
    "EndpointSlice",
    "web-1",
    api_version="discovery.k8s.io/v1",
    labels={"kubernetes.io/service-name": "web"},
    endpoints=[{"conditions": {"ready": True}}],
)
WEB = made(
    "Service", "web", spec={"ports": [{"name": "http", "port": 80}], "selector": {"app": "web"}}
)


async def routed(it: dict[str, Any], *objects: dict[str, Any], recorded: bool = False) -> Brought:
    reader = FakeReader(manifests=(it, *objects))
    return await bring(gather_ingress, reader, shown_by=it, recorded=recorded)


async def test_an_ingress_names_a_service_that_is_not_there() -> None:
    found = await routed(ingress({"number": 80}), CLASS)
    assert found.broken == [("Service", "web", "", "does not exist")]


@pytest.mark.parametrize("port", [{"number": 8080}, {"name": "https"}])
async def test_an_ingress_names_a_port_that_the_service_has_not(port: dict[str, Any]) -> None:
    ((kind, name, key, problem),) = (await routed(ingress(port), CLASS, WEB, SLICE)).broken
    assert (kind, name, problem) == ("Service", "web", "has no such port")
    assert str(next(iter(port.values()))) in key


@pytest.mark.parametrize("port", [{"number": 80}, {"name": "http"}])
async def test_an_ingress_whose_backend_answers_is_not_told(port: dict[str, Any]) -> None:
    assert not (await routed(ingress(port), CLASS, WEB, SLICE)).references


async def test_a_backend_without_an_endpoint_is_told() -> None:
    empty = {**SLICE, "endpoints": [{"conditions": {"ready": False}}]}
    found = await routed(ingress({"number": 80}), CLASS, WEB, empty)
    assert found.broken == [("Service", "web", "", "has no endpoint that is ready")]


async def test_the_class_of_an_ingress_must_be_there_or_be_a_default() -> None:
    ready = (WEB, SLICE)
    (missing,) = (await routed(ingress({"number": 80}), *ready)).broken
    assert missing == ("IngressClass", "nginx", "", "does not exist")
    unnamed = ingress({"number": 80}, ingressClassName=None)
    (none,) = (await routed(unnamed, CLASS, *ready)).broken
    assert none[:2] == ("IngressClass", "")
    default = made(
        "IngressClass",
        "nginx",
        namespace=None,
        annotations={"ingressclass.kubernetes.io/is-default-class": "true"},
    )
    assert not (await routed(unnamed, default, *ready)).references


async def test_certificates_are_looked_for_in_files_only() -> None:
    it = ingress({"number": 80}, tls=[{"secretName": "shop-tls"}])
    assert not (await routed(it, CLASS, WEB, SLICE)).references
    found = await routed(it, CLASS, WEB, SLICE, recorded=True)
    assert ("Secret", "shop-tls", "", "does not exist") in found.broken
