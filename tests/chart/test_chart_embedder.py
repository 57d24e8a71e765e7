"""The embedder, for every switch, and whether both programs take what they are told."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from chart.rendering import Rendered, nested

from kausa.settings import Settings as OperatorSettings
from kausa_embedder.settings import Settings as EmbedderSettings

pytestmark = pytest.mark.chart

Render = Callable[..., Rendered]
NAMES = ("kausa", "kausa-embedder")


def volumes(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in pod["volumes"]}


def test_operator_and_embedder_share_a_token_that_is_made_once(defaults: Rendered) -> None:
    secret = defaults.one("Secret", "kausa-embedder-token")
    assert len(base64.b64decode(secret["data"]["token"])) == 48
    reference = {"secretKeyRef": {"name": "kausa-embedder-token", "key": "token"}}
    for name in ("kausa", "kausa-embedder"):
        assert defaults.environment(name)["KAUSA_EMBEDDER_TOKEN"] == reference


def test_the_token_can_be_ones_own_or_none(render: Render) -> None:
    mine = render(nested("embedder.auth.existingSecret", "mine"))
    none = render(nested("embedder.auth.enabled", False))
    for found in (mine, none):
        assert found.names("Secret") == ["kausa-redaction"]
    for name in ("kausa", "kausa-embedder"):
        reference = mine.environment(name)["KAUSA_EMBEDDER_TOKEN"]["secretKeyRef"]
        assert reference["name"] == "mine"
        assert "KAUSA_EMBEDDER_TOKEN" not in none.environment(name)


def test_with_certificates_all_is_https_and_only_the_worker_has_the_key(render: Render) -> None:
    found = render(nested("embedder.tls.existingSecret", "tls"))
    assert found.environment()["KAUSA_EMBEDDER_URL"].startswith("https://")
    assert found.environment()["KAUSA_EMBEDDER_CA_FILE"] == "/etc/kausa/embedder-tls/ca.crt"
    operator = volumes(found.pod())["embedder-tls"]["secret"]
    assert [each["key"] for each in operator["items"]] == ["ca.crt"]
    worker = found.environment("kausa-embedder")
    assert worker["KAUSA_EMBEDDER_TLS_CERT_FILE"] == "/etc/kausa/tls/tls.crt"
    assert worker["KAUSA_EMBEDDER_TLS_KEY_FILE"] == "/etc/kausa/tls/tls.key"
    run = found.container("kausa-embedder")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert run[probe]["httpGet"]["scheme"] == "HTTPS"


def test_the_worker_has_its_probes_and_no_account(defaults: Rendered) -> None:
    pod, run = defaults.pod("kausa-embedder"), defaults.container("kausa-embedder")
    assert pod["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod
    paths = {name: run[name]["httpGet"]["path"] for name in run if name.endswith("Probe")}
    assert paths == {
        "startupProbe": "/readyz",
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }
    told = defaults.environment("kausa-embedder")
    assert told["KAUSA_EMBEDDER_PORT"] == str(run["ports"][0]["containerPort"])


def test_it_ends_after_its_requests_have_ended(defaults: Rendered) -> None:
    fields = EmbedderSettings.model_fields
    drains = fields["drain_seconds"].default + fields["drain_notice_seconds"].default
    grace = defaults.pod("kausa-embedder")["terminationGracePeriodSeconds"]
    assert grace > drains


@pytest.mark.parametrize("deployment", ["kausa", "kausa-embedder"])
def test_without_a_cpu_limit_only_who_counts_no_threads(
    defaults: Rendered, deployment: str
) -> None:
    limits = defaults.container(deployment)["resources"]["limits"]
    assert "memory" in limits
    assert ("cpu" in limits) == (deployment == "kausa-embedder")


def test_another_model_is_named_and_lies_in_a_volume(render: Render) -> None:
    model = {
        "name": "cpu",
        "path": "/models/mine",
        "reranker": "none",
        "download": True,
        "volume": {"persistentVolumeClaim": {"claimName": "models"}},
    }
    found = render(nested("embedder.model", model))
    told = found.environment("kausa-embedder")
    assert told["KAUSA_EMBEDDER_MODEL"] == "cpu"
    assert told["KAUSA_EMBEDDER_MODEL_PATH"] == "/models/mine"
    assert told["KAUSA_EMBEDDER_RERANKER"] == "none"
    assert told["KAUSA_EMBEDDER_DOWNLOAD"] == "true"
    mounted = {
        each["name"]: each["mountPath"]
        for each in found.container("kausa-embedder")["volumeMounts"]
    }
    assert told["KAUSA_EMBEDDER_CACHE"] == mounted["models"]
    source = volumes(found.pod("kausa-embedder"))["models"]["persistentVolumeClaim"]
    assert source == {"claimName": "models"}


def version(found: Rendered) -> str:
    """Which embedder the operator starts with, the Service leads to, and the Pods are."""
    key = "kausa.dev/embedder"
    templates = [found.one("Deployment", each)["spec"]["template"] for each in NAMES]
    operator = templates[0]["metadata"]["annotations"][key]
    pod = templates[1]["metadata"]["labels"][key]
    selected = found.one("Service", "kausa-embedder")["spec"]["selector"][key]
    assert operator == pod == selected
    assert key not in found.one("Deployment", "kausa-embedder")["spec"]["selector"]["matchLabels"]
    return str(pod)


def test_another_model_starts_the_operator_anew_with_embedders_of_that_model_only(
    defaults: Rendered, render: Render
) -> None:
    others = [
        nested("embedder.model", {"name": "cpu", "volume": {"emptyDir": {}}}),
        nested("embedder.model.path", "/models/mine"),
        nested("embedder.image.tag", "other"),
        nested("embedder.gpu.enabled", True),
    ]
    versions = {version(defaults)} | {version(render(each)) for each in others}
    assert len(versions) == len(others) + 1
    same = render({"embedder": {"replicas": 3, "settings": {"KAUSA_EMBEDDER_BATCH_TEXTS": 7}}})
    assert version(same) == version(defaults)


def test_a_gpu_is_asked_for_and_insisted_on(render: Render) -> None:
    values = {"gpu": {"enabled": True, "count": 2}, "runtimeClassName": "nvidia"}
    found = render({"embedder": values})
    run = found.container("kausa-embedder")
    assert run["image"] == "ghcr.io/kausa-dev/kausa/embedder-gpu:0.1.0"
    assert run["resources"]["limits"]["nvidia.com/gpu"] == 2
    assert run["resources"]["limits"]["memory"] == "1Gi"
    assert found.environment("kausa-embedder")["KAUSA_EMBEDDER_PROVIDER"] == "cuda"
    assert found.pod("kausa-embedder")["runtimeClassName"] == "nvidia"
    rolling = found.one("Deployment", "kausa-embedder")["spec"]["strategy"]["rollingUpdate"]
    assert rolling["maxSurge"] == 0, "there may be no other GPU"


def test_a_claim_for_one_node_holds_up_no_upgrade(render: Render, defaults: Rendered) -> None:
    def rolling(found: Rendered) -> dict[str, Any]:
        spec = found.one("Deployment", "kausa-embedder")["spec"]
        return dict(spec["strategy"]["rollingUpdate"])

    claim = {"persistentVolumeClaim": {"claimName": "models"}}
    assert rolling(render(nested("embedder.model.volume", claim))) == {
        "maxSurge": 0,
        "maxUnavailable": 1,
    }
    kept = {"maxSurge": 1, "maxUnavailable": 0}
    assert rolling(render(nested("embedder.model.volume", {"emptyDir": {}}))) == kept
    assert rolling(defaults) == kept


def test_workers_are_counted_by_hand_or_by_an_autoscaler(render: Render) -> None:
    by_hand = render(nested("embedder.replicas", 3))
    assert by_hand.one("Deployment", "kausa-embedder")["spec"]["replicas"] == 3
    assert not by_hand.all("HorizontalPodAutoscaler")
    scaling = {"enabled": True, "minReplicas": 2, "maxReplicas": 9}
    found = render(nested("embedder.autoscaling", scaling))
    assert "replicas" not in found.one("Deployment", "kausa-embedder")["spec"]
    scaler = found.one("HorizontalPodAutoscaler", "kausa-embedder")["spec"]
    assert scaler["scaleTargetRef"]["name"] == "kausa-embedder"
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 9)
    assert [each["type"] for each in scaler["metrics"]] == ["Resource"]


def test_the_autoscaler_can_look_at_the_wait(render: Render) -> None:
    scaling = {"enabled": True, "targetCPUUtilization": 0, "queueWait": {"enabled": True}}
    scaler = render(nested("embedder.autoscaling", scaling)).one(
        "HorizontalPodAutoscaler", "kausa-embedder"
    )
    (metric,) = scaler["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] == "kausa_embedder_queue_wait_seconds"
    assert metric["pods"]["target"] == {"type": "AverageValue", "averageValue": "500m"}


def test_an_embedder_of_ones_own_is_asked_instead(render: Render) -> None:
    external = {
        "kind": "openai",
        "url": "https://tei.example/v1",
        "model": "bge",
        "queryPrefix": "query: ",
        "passagePrefix": "passage: ",
        "existingSecret": {"name": "tei"},
        "tls": {"existingSecret": "tei-tls"},
    }
    found = render({"embedder": {"mode": "external", "external": external}})
    assert found.names("Deployment") == ["kausa"]
    assert found.names("Service") == ["kausa"]
    told = found.environment()
    assert told["KAUSA_EMBEDDER"] == "openai"
    assert told["KAUSA_EMBEDDER_URL"] == "https://tei.example/v1"
    assert told["KAUSA_EMBEDDER_MODEL"] == "bge"
    assert told["KAUSA_EMBEDDER_QUERY_PREFIX"] == "query: "
    assert told["KAUSA_EMBEDDER_PASSAGE_PREFIX"] == "passage: "
    assert told["KAUSA_EMBEDDER_TOKEN"]["secretKeyRef"] == {"name": "tei", "key": "token"}
    assert volumes(found.pod())["embedder-tls"]["secret"]["secretName"] == "tei-tls"


# -- what the programs say to it -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["defaults", "server", "none", "filtered", "namespaced", "model"])
def test_both_programs_take_what_the_chart_tells_them(
    render: Render, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    values = {
        "defaults": {},
        "server": {
            "clusterName": "prod-eu",
            "memory": {
                "mode": "external",
                "external": {
                    "url": "https://qdrant.example:6333",
                    "grpc": {"enabled": True},
                    "tls": {"existingSecret": "tls"},
                },
            },
        },
        "none": nested("memory.mode", "none"),
        "filtered": {"watch": {"include": ["a*"], "exclude": ["b"]}},
        "namespaced": {"watch": {"namespace": "shop"}},
        "model": {"model": {"provider": "ollama", "url": "http://ollama:11434"}},
    }[name]
    found = render(values)
    told: dict[str, str] = {}
    for deployment in found.names("Deployment"):
        known = {
            key: value
            for key, value in found.environment(deployment).items()
            if isinstance(value, str)
        }
        with monkeypatch.context() as patched:
            for key, value in known.items():
                patched.setenv(key, value)
            settings = EmbedderSettings if "embedder" in deployment else OperatorSettings
            read = settings.from_environment()
        prefix = settings.model_config["env_prefix"]
        for key, value in known.items():
            field = key.removeprefix(prefix).lower()
            if key.startswith(prefix) and field in settings.model_fields:
                told[key] = value
                shown = str(getattr(read, field)).lower().rstrip("/")
                assert value.lower() in {shown, shown.strip("()'\",")}, key
    assert told
