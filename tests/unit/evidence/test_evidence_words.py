"""Specs and statuses in words: what a reader looks for in a manifest, and no value of a Secret."""

from __future__ import annotations

from typing import Any

import pytest
from support.dossiers import FakeReader
from support.inquiries import bring, made, raw_pod
from support.pods import container, pod, running

from kausa.evidence.container_words import container_in_words
from kausa.evidence.object_status import gather_objects, status_of
from kausa.evidence.pod_spec import gather_spec, spec_evidence
from kausa.resources.evidence import EvidenceKind

POD = pod(container(running()))

CONTAINER: list[tuple[dict[str, Any], str]] = [
    ({"command": ["sh", "-c"], "args": ["run me"]}, "command sh -c; args 'run me'"),
    ({"imagePullPolicy": "Never"}, "imagePullPolicy Never"),
    ({"workingDir": "/srv"}, "workingDir /srv"),
    ({"resources": {"limits": {"memory": "1Gi"}}}, "requests none; limits memory=1Gi"),
    (
        {"readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5}},
        "readiness probe GET :http/ready after 0 s every 5 s, timeout 1 s, fails after 3",
    ),
    ({"livenessProbe": {"tcpSocket": {"port": 80}}}, "liveness probe connects to :80"),
    ({"startupProbe": {"exec": {"command": ["cat", "/x"]}}}, "startup probe runs cat /x"),
    ({"livenessProbe": {"grpc": {"port": 9000}}}, "liveness probe gRPC :9000"),
    ({"env": [{"name": "MODE", "value": "dev"}]}, "environment MODE"),
    ({"env": [{"name": "MODE", "value": ""}]}, "environment MODE (empty)"),
    (
        {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]},
        "A (key k of ConfigMap c)",
    ),
    (
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]},
        "A (status.podIP)",
    ),
    ({"envFrom": [{"secretRef": {"name": "s", "optional": True}}]}, "Secret s (optional)"),
    (
        {"volumeMounts": [{"name": "v", "mountPath": "/etc/x", "subPath": "a", "readOnly": True}]},
        "mounts v/a at /etc/x read-only",
    ),
    (
        {"ports": [{"containerPort": 80, "name": "http", "hostPort": 8080}]},
        "ports 80 (http) on host port 8080",
    ),
    (
        {"securityContext": {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}},
        "capabilities drop ALL, runAsNonRoot=true",
    ),
    (
        {"lifecycle": {"preStop": {"exec": {"command": ["sleep", "9"]}}}},
        "preStop hook runs sleep 9",
    ),
]


@pytest.mark.parametrize(("parts", "words"), CONTAINER)
def test_a_container_is_told_as_it_was_asked_to_be(parts: dict[str, Any], words: str) -> None:
    told = container_in_words({"name": "api", "image": "img", **parts})
    assert told.startswith("container api: image img")
    assert words in told


@pytest.mark.parametrize("field", ["command", "args", "probe"])
def test_a_long_command_is_cut_between_its_words_and_never_within_one(field: str) -> None:
    words = ["run", *(f"--flag-{each:04d}" for each in range(28)), "--token=abcdefghijklmnop", "x"]
    spec: dict[str, Any] = {field: words}
    if field == "probe":
        spec = {"livenessProbe": {"exec": {"command": words}}}
    told = container_in_words({"name": "api", "image": "img", **spec})
    assert "--flag-0020" in told
    assert "more)" in told
    cut = told.partition(" … (")[0].split()
    assert cut[-1] in words
    assert "--tok" not in told


def test_a_single_word_that_is_too_long_is_left_out_whole() -> None:
    told = container_in_words({"name": "api", "image": "img", "command": ["a" * 400]})
    assert "aaa" not in told
    assert "command … (1 more)" in told


def test_values_of_variables_are_never_told() -> None:
    variables = [{"name": "TOKEN", "value": "hidden-value"}, {"name": "MODE", "value": "dev-mode"}]
    told = container_in_words({"name": "api", "env": variables})
    assert "TOKEN" in told
    assert "hidden-value" not in told
    assert "dev-mode" not in told


def test_many_variables_are_bounded() -> None:
    told = container_in_words({"name": "a", "env": [{"name": f"V{each}"} for each in range(100)]})
    assert "and 80 more" in told


PLACED: list[tuple[dict[str, Any], str]] = [
    ({"nodeSelector": {"disk": "ssd"}}, "nodeSelector disk=ssd"),
    (
        {"tolerations": [{"key": "a", "value": "b", "effect": "NoSchedule"}]},
        "tolerates a=b:NoSchedule",
    ),
    ({"hostNetwork": True, "serviceAccountName": "robot"}, "serviceAccountName robot; hostNetwork"),
    (
        {
            "topologySpreadConstraints": [
                {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
            ]
        },
        "spread over zone by at most 1 (DoNotSchedule)",
    ),
    (
        {
            "affinity": {
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "host"}
                    ]
                }
            }
        },
        "Pod anti-affinity requires a=b within host",
    ),
    ({"volumes": [{"name": "v", "configMap": {"name": "c"}}]}, "v is ConfigMap c"),
    (
        {"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}]},
        "v is emptyDir of at most 1Gi",
    ),
    ({"imagePullSecrets": [{"name": "reg"}]}, "imagePullSecrets reg"),
]


@pytest.mark.parametrize(("spec", "words"), PLACED)
def test_where_a_pod_may_run_is_told(spec: dict[str, Any], words: str) -> None:
    (whole,) = spec_evidence(raw_pod(POD, **spec))
    assert words in whole.text


async def test_the_failing_container_is_told_and_the_others_are_not() -> None:
    spec = {
        "containers": [{"name": "api"}, {"name": "proxy"}],
        "initContainers": [{"name": "init"}],
    }
    only = spec_evidence(raw_pod(POD, **spec), container="proxy")
    assert "container proxy" in only[0].text
    assert not any("container api" in each.text for each in only)
    every = " ".join(each.text for each in spec_evidence(raw_pod(POD, **spec)))
    assert "init container init" in every


async def test_a_pod_that_is_being_deleted_says_what_it_waits_for() -> None:
    raw = raw_pod(POD)
    raw["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x/y"]}
    found = await bring(gather_spec, FakeReader(manifests=(raw,)), pod=POD)
    assert "is being deleted since 2026-01-01T00:00:00Z" in found.words(EvidenceKind.STATUS)
    assert "x/y" in found.words()


async def test_a_pod_that_is_gone_meanwhile_is_told_as_it_was_seen() -> None:
    found = await bring(gather_spec, FakeReader(), pod=POD)
    assert "container api: image" in found.words(EvidenceKind.SPEC)
    assert found.reading.manifests[0]["kind"] == "Pod"


# -- statuses --------------------------------------------------------------------------------------

STATUSES: list[tuple[dict[str, Any], str]] = [
    (
        made("Deployment", "d", spec={"replicas": 3}, status={"readyReplicas": 1}),
        "wants 3 replicas; 1 ready",
    ),
    (made("Deployment", "d", spec={"paused": True}), "is paused"),
    (
        made("Deployment", "d", generation=4, status={"observedGeneration": 3}),
        "its controller has seen generation 3 of 4",
    ),
    (
        made("CronJob", "c", spec={"schedule": "* * *", "suspend": True}),
        "schedule * * *; is suspended",
    ),
    (
        made("Job", "j", spec={"backoffLimit": 2}, status={"failed": 3}),
        "backoffLimit 2; 3 failed",
    ),
    (
        made("StatefulSet", "s", spec={"updateStrategy": {"rollingUpdate": {"partition": 2}}}),
        "partition 2",
    ),
    (made("Service", "s", spec={"type": "LoadBalancer"}), "no load balancer is given to it"),
    (made("Ingress", "i", spec={}), "names no IngressClass"),
    (made("ConfigMap", "c", data={"a": "b"}), "keys a"),
    (made("Secret", "s", data={}), "has no keys"),
    (
        made(
            "HorizontalPodAutoscaler",
            "h",
            spec={"scaleTargetRef": {"kind": "D", "name": "x"}, "maxReplicas": 5},
        ),
        "scales D x; between 1 and 5 replicas",
    ),
    (made("PodDisruptionBudget", "p", status={"disruptionsAllowed": 0}), "disruptionsAllowed 0"),
    (made("Widget", "w", status={"phase": "Broken"}), "phase Broken"),
    (
        made(
            "Widget",
            "w",
            status={"conditions": [{"type": "Synced", "status": "False", "reason": "No"}]},
        ),
        "condition Synced=False, No",
    ),
    (
        made(
            "ReplicaSet",
            "r",
            status={
                "conditions": [{"type": "ReplicaFailure", "status": "True", "message": "quota"}]
            },
        ),
        "condition ReplicaFailure=True, : quota",
    ),
]


@pytest.mark.parametrize(("manifest", "words"), STATUSES)
def test_a_status_is_told_in_words(manifest: dict[str, Any], words: str) -> None:
    told = "\n".join(each.text for each in status_of(manifest, kind=EvidenceKind.STATUS))
    assert words in told
    assert manifest["metadata"]["name"] in told


@pytest.mark.parametrize(
    "condition",
    [
        {"type": "Available", "status": "True", "message": "all is well"},
        {"type": "MemoryPressure", "status": "False"},
        {"type": "ReplicaFailure", "status": "False"},
        {},
    ],
)
def test_a_condition_that_is_well_is_not_told(condition: dict[str, Any]) -> None:
    widget = made("Widget", "w", status={"conditions": [condition]})
    assert not status_of(widget, kind=EvidenceKind.STATUS)


async def test_owners_are_told_as_owners_and_what_fails_as_its_status() -> None:
    owns = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout", "controller": True}
    top = made("Deployment", "checkout", api_version="apps/v1", spec={"replicas": 3}, status={})
    below = made("ReplicaSet", "rs", api_version="apps/v1", ownerReferences=[owns], status={})
    reader = FakeReader(manifests=(top, below))
    found = await bring(gather_objects, reader, shown_by=below)
    assert "ReplicaSet rs" in found.words(EvidenceKind.STATUS)
    assert "Deployment checkout: wants 3" in found.words(EvidenceKind.OWNER)
    assert [each["kind"] for each in found.reading.manifests] == ["ReplicaSet", "Deployment"]


async def test_owners_that_own_each_other_end_somewhere() -> None:
    to_b = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "b", "controller": True}
    to_a = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a", "controller": True}
    a = made("Deployment", "a", api_version="apps/v1", ownerReferences=[to_b], status={})
    b = made("Deployment", "b", api_version="apps/v1", ownerReferences=[to_a], status={})
    found = await bring(gather_objects, FakeReader(manifests=(a, b)), shown_by=a)
    assert len(found.evidence) <= 3
