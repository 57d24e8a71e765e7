"""The operator's Deployment and what it stands on, for every switch."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from chart.rendering import Rendered, nested

pytestmark = pytest.mark.chart

Render = Callable[..., Rendered]
EXTERNAL = {
    "clusterName": "prod-eu",
    "memory": {"mode": "external", "external": {"url": "http://qdrant.qdrant.svc:6333"}},
}


def volumes(found: Rendered, name: str = "kausa") -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in found.pod(name)["volumes"]}


def mounts(found: Rendered, name: str = "kausa") -> dict[str, str]:
    return {each["name"]: each["mountPath"] for each in found.container(name)["volumeMounts"]}


# -- the defaults ----------------------------------------------------------------------------------


def test_without_values_there_is_an_operator_with_its_memory_and_no_model(
    defaults: Rendered,
) -> None:
    assert defaults.names("Deployment") == ["kausa", "kausa-embedder"]
    told = defaults.environment()
    assert told["KAUSA_MEMORY_STORE"] == "embedded"
    assert told["KAUSA_EMBEDDER_URL"] == "http://kausa-embedder.kausa-system.svc:8080"
    assert not [name for name in told if "MODEL" in name]
    assert defaults.container()["image"] == "ghcr.io/kausa-dev/kausa/operator:0.1.0"
    assert defaults.container()["args"] == ["run"]


def test_the_lease_is_held_in_the_name_of_the_pod(defaults: Rendered) -> None:
    named = defaults.environment()["POD_NAME"]
    assert named == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_its_own_namespace_is_left_out_because_it_finds_that_by_itself(
    defaults: Rendered,
) -> None:
    told = defaults.environment()
    assert not {"KAUSA_OWN_NAMESPACE", "KAUSA_WATCH_OWN_NAMESPACE", "KAUSA_NAMESPACE"} & set(told)


def test_each_probe_asks_for_what_it_means(defaults: Rendered) -> None:
    container = defaults.container()
    asked = {
        name: (container[name]["httpGet"]["path"], container[name]["httpGet"]["port"])
        for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert asked == {
        "startupProbe": ("/livez", "metrics"),
        "livenessProbe": ("/livez", "metrics"),
        "readinessProbe": ("/readyz", "metrics"),
    }
    (port,) = container["ports"]
    told = defaults.environment()["KAUSA_PROBE_PORT"]
    assert (port["name"], str(port["containerPort"])) == ("metrics", told)


def test_services_lead_to_the_pods_of_their_part_alone(defaults: Rendered) -> None:
    for service, component in (("kausa", "operator"), ("kausa-embedder", "embedder")):
        selector = defaults.one("Service", service)["spec"]["selector"]
        fitting = [
            name
            for name, pod in defaults.pods().items()
            if selector.items() <= pod["metadata"]["labels"].items()
        ]
        assert fitting == [f"Deployment/{service}"]
        assert selector["app.kubernetes.io/component"] == component


# -- how many --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "replicas", "strategy"),
    [
        ({}, 1, "Recreate"),
        ({"replicas": 0}, 0, "Recreate"),
        (EXTERNAL, 2, "RollingUpdate"),
        ({**EXTERNAL, "replicas": 3}, 3, "RollingUpdate"),
        (nested("memory.mode", "none"), 2, "RollingUpdate"),
        (
            nested("memory.embedded.persistence.accessModes", ["ReadWriteMany"]),
            2,
            "RollingUpdate",
        ),
        (nested("memory.embedded.persistence.enabled", False), 1, "RollingUpdate"),
        (
            {"replicas": 2, **nested("memory.embedded.persistence.enabled", False)},
            2,
            "RollingUpdate",
        ),
    ],
)
def test_there_are_two_where_the_memory_allows_it(
    render: Render, values: dict[str, Any], replicas: int, strategy: str
) -> None:
    spec = render(values).one("Deployment", "kausa")["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (replicas, strategy)


def test_a_budget_never_keeps_a_node_from_being_drained(defaults: Rendered) -> None:
    assert defaults.names("PodDisruptionBudget") == ["kausa", "kausa-embedder"]
    for budget in defaults.all("PodDisruptionBudget"):
        assert budget["spec"]["maxUnavailable"] == 1
        assert "minAvailable" not in budget["spec"]


def test_budgets_can_be_left_out(render: Render) -> None:
    found = render(nested("podDisruptionBudget.enabled", False))
    assert not found.all("PodDisruptionBudget")


# -- what is watched -------------------------------------------------------------------------------


def test_what_is_watched_is_told_to_the_operator(render: Render) -> None:
    values = {"watch": {"include": ["team-*", "shop"], "exclude": ["sandbox-?"], "own": True}}
    told = render(values).environment()
    assert told["KAUSA_NAMESPACES_INCLUDE"] == "team-*,shop"
    assert told["KAUSA_NAMESPACES_EXCLUDE"] == "sandbox-?"
    assert told["KAUSA_WATCH_OWN_NAMESPACE"] == "true"


def test_one_namespace_is_watched_with_its_lease_in_it(render: Render) -> None:
    told = render(nested("watch.namespace", "shop")).environment()
    assert told["KAUSA_NAMESPACE"] == told["KAUSA_OWN_NAMESPACE"] == "shop"


def test_names_and_logs_are_told(render: Render) -> None:
    values = {
        "clusterName": "prod-eu",
        "logging": {"level": "debug", "format": "text"},
        "redaction": {"emails": True, "addresses": True},
        "tracing": {"endpoint": "http://collector:4318"},
        "debug": {"endpoints": True},
    }
    found = render(values)
    told = found.environment()
    assert told["KAUSA_CLUSTER_NAME"] == "prod-eu"
    assert (told["KAUSA_LOG_LEVEL"], told["KAUSA_LOG_FORMAT"]) == ("debug", "text")
    assert (told["KAUSA_REDACT_EMAILS"], told["KAUSA_REDACT_ADDRESSES"]) == ("true", "true")
    assert told["KAUSA_OTLP_ENDPOINT"] == "http://collector:4318"
    assert told["KAUSA_DEBUG_ENDPOINTS"] == "true"
    worker = found.environment("kausa-embedder")
    assert worker["KAUSA_EMBEDDER_LOG_LEVEL"] == "debug"
    assert worker["KAUSA_EMBEDDER_DEBUG_ENDPOINTS"] == "true"


def test_nothing_is_traced_or_shown_unless_asked_for(defaults: Rendered) -> None:
    assert not {"KAUSA_OTLP_ENDPOINT", "KAUSA_DEBUG_ENDPOINTS"} & set(defaults.environment())


# -- the key for placeholders ----------------------------------------------------------------------


def test_the_key_for_placeholders_is_a_secret_of_the_installation(defaults: Rendered) -> None:
    secret = defaults.one("Secret", "kausa-redaction")
    assert len(base64.b64decode(secret["data"]["redaction.key"])) == 32
    assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    source = volumes(defaults)["redaction"]["secret"]
    assert source["secretName"] == "kausa-redaction"
    path = f"{mounts(defaults)['redaction']}/{source['items'][0]['path']}"
    assert defaults.environment()["KAUSA_REDACTION_KEY_PATH"] == path


def test_a_key_of_ones_own_is_taken_instead(render: Render) -> None:
    found = render(nested("redaction.existingSecret", "mine"))
    assert "kausa-redaction" not in found.names("Secret")
    assert volumes(found)["redaction"]["secret"]["secretName"] == "mine"


# -- the Pod ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("deployment", ["kausa", "kausa-embedder"])
def test_where_pods_run_can_be_said(render: Render, deployment: str) -> None:
    placed = {
        "priorityClassName": "high",
        "nodeSelector": {"pool": "tools"},
        "tolerations": [{"key": "tools", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "podAnnotations": {"note": "x"},
        "podLabels": {"team": "platform"},
        "terminationGracePeriodSeconds": 99,
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    }
    values = placed if deployment == "kausa" else {"embedder": placed}
    found = render(values)
    pod = found.pod(deployment)
    for key in ("priorityClassName", "nodeSelector", "tolerations", "affinity"):
        assert pod[key] == placed[key]
    assert pod["terminationGracePeriodSeconds"] == 99
    metadata = found.one("Deployment", deployment)["spec"]["template"]["metadata"]
    assert metadata["annotations"]["note"] == "x"
    assert metadata["labels"]["team"] == "platform"
    assert found.environment(deployment)["HTTPS_PROXY"] == "http://proxy:3128"
    other = "kausa-embedder" if deployment == "kausa" else "kausa"
    assert "nodeSelector" not in found.pod(other)


def test_pods_of_one_part_are_spread_over_nodes_and_zones_where_that_is_possible(
    defaults: Rendered, render: Render
) -> None:
    for name, component in (("kausa", "operator"), ("kausa-embedder", "embedder")):
        spread = defaults.pod(name)["topologySpreadConstraints"]
        assert {each["whenUnsatisfiable"] for each in spread} == {"ScheduleAnyway"}
        assert len({each["topologyKey"] for each in spread}) == 2
        for each in spread:
            labels = each["labelSelector"]["matchLabels"]
            assert labels["app.kubernetes.io/component"] == component
    without = render({"topologySpread": False})
    assert "topologySpreadConstraints" not in without.pod()


def test_further_volumes_are_mounted(render: Render) -> None:
    values = {
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}],
    }
    found = render(values)
    assert volumes(found)["ca"]["configMap"] == {"name": "ca"}
    assert mounts(found)["ca"] == "/etc/ca"


def test_resources_and_pull_secrets_are_taken(render: Render) -> None:
    values = {
        "resources": {"limits": {"memory": "2Gi"}},
        "imagePullSecrets": [{"name": "pull"}],
        "commonLabels": {"cost": "42"},
    }
    found = render(values)
    assert found.container()["resources"]["limits"] == {"memory": "2Gi"}
    for pod in found.pods().values():
        assert pod["spec"]["imagePullSecrets"] == [{"name": "pull"}]
        assert pod["metadata"]["labels"]["cost"] == "42"
    selector = found.one("Deployment", "kausa")["spec"]["selector"]["matchLabels"]
    assert "cost" not in selector, "a selector cannot be changed"


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({"image": {"tag": "1.2.3"}}, "ghcr.io/kausa-dev/kausa/operator:1.2.3"),
        ({"imageRegistry": "registry.local:5000/"}, "registry.local:5000/kausa/operator:0.1.0"),
        ({"imageRegistry": ""}, "kausa/operator:0.1.0"),
        (
            {"image": {"tag": "1.2.3", "digest": "sha256:" + "a" * 64}},
            "ghcr.io/kausa-dev/kausa/operator@sha256:" + "a" * 64,
        ),
        ({"image": {"repository": "me/op"}}, "ghcr.io/kausa-dev/me/op:0.1.0"),
    ],
)
def test_the_image_can_be_named(render: Render, values: dict[str, Any], image: str) -> None:
    assert render(values).container()["image"] == image


@pytest.mark.parametrize(
    ("release", "values", "name"),
    [
        ("kausa", {}, "kausa"),
        ("my-kausa", {}, "my-kausa"),
        ("tools", {}, "tools-kausa"),
        ("tools", {"nameOverride": "diagnosis"}, "tools-diagnosis"),
        ("tools", {"fullnameOverride": "why"}, "why"),
    ],
)
def test_names_follow_the_release(
    render: Render, release: str, values: dict[str, Any], name: str
) -> None:
    found = render(values, release=release)
    assert found.names("Deployment") == [name, f"{name}-embedder"]
    host = found.environment(name)["KAUSA_EMBEDDER_URL"].split("//")[1].split(".")[0]
    assert host in found.names("Service")


def test_long_names_stay_names(render: Render) -> None:
    external = {**EXTERNAL, "backup": {"enabled": True}}
    for values in (external, {**external, "fullnameOverride": "y" * 45}):
        found = render(values, release="kausa-" + "x" * 47)
        assert max(len(each["metadata"]["name"]) for each in found.manifests) <= 63
        assert all(len(name) <= 52 for name in found.names("CronJob")), "its Jobs add eleven"


# -- the model -------------------------------------------------------------------------------------


def test_a_model_is_asked_only_where_one_is_named(render: Render) -> None:
    values = {
        "provider": "openai",
        "url": "https://models.example/v1",
        "simple": "small",
        "reasoning": "large",
        "existingSecret": {"name": "model", "key": "token"},
    }
    told = render({"model": values}).environment()
    assert told["KAUSA_MODEL_KIND"] == "openai"
    assert told["KAUSA_MODEL_URL"] == "https://models.example/v1"
    assert (told["KAUSA_SIMPLE_MODEL"], told["KAUSA_REASONING_MODEL"]) == ("small", "large")
    assert told["KAUSA_MODEL_KEY"] == {"secretKeyRef": {"name": "model", "key": "token"}}
    ollama = render({"model": {"provider": "ollama", "url": "http://ollama:11434"}}).environment()
    assert ollama["KAUSA_MODEL_KIND"] == "ollama"
    assert "KAUSA_MODEL_KEY" not in ollama
