"""Values that contradict each other, or that no program could live with, are refused in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from chart.rendering import EVERYTHING, Rendered, merged, nested

pytestmark = pytest.mark.chart

Refusal = Callable[[dict[str, Any]], str]
Render = Callable[..., Rendered]
MODEL = {"provider": "openai", "url": "https://m.example/v1"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (nested("model", MODEL), "model.simple is not set"),
        (nested("model.url", "http://ollama:11434"), "model.provider is none"),
        (nested("model.simple", "llama3.1"), "model.provider is none"),
        (nested("memory.external.url", "http://q:6333"), "memory.mode is embedded"),
        (nested("embedder.external.url", "http://tei:80"), "embedder.mode is deployed"),
        ({"watch": {"namespace": "shop", "include": ["a-*"]}}, "watch.namespace is set"),
        ({"watch": {"namespace": "shop", "exclude": ["a-*"]}}, "watch.namespace is set"),
        (nested("embedder.model.name", "cpu"), "embedder.model.volume"),
        (nested("embedder.autoscaling", {"enabled": True, "minReplicas": 9}), "maxReplicas is 4"),
        (
            nested("embedder.autoscaling", {"enabled": True, "targetCPUUtilization": 0}),
            "would look at nothing",
        ),
        (nested("fullnameOverride", "My_Kausa"), "Set fullnameOverride"),
        (nested("fullnameOverride", "9kausa"), "a letter first"),
        (nested("commonLabels", {"app.kubernetes.io/name": "x"}), "the chart sets itself"),
        (nested("podLabels", {"app.kubernetes.io/component": "x"}), "the chart sets itself"),
        (nested("embedder.podLabels", {"kausa.dev/embedder": "x"}), "the chart sets itself"),
        ({"commonLabels": {"team": "a"}, "podLabels": {"team": "b"}}, "so has commonLabels"),
    ],
)
def test_what_contradicts_itself_is_refused_with_what_to_do(
    refusal: Refusal, values: dict[str, Any], said: str
) -> None:
    assert said in refusal(values)


@pytest.mark.parametrize(
    ("path", "instead"),
    [
        ("memory.external.url", "memory.external.existingSecret"),
        ("model.url", "model.existingSecret"),
        ("tracing.endpoint", "the collector"),
        ("embedder.external.url", "embedder.external.existingSecret"),
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(
    refusal: Refusal, path: str, instead: str
) -> None:
    mode = {"embedder": {"mode": "external"}} if path.startswith("embedder") else {}
    values = merged(merged(EVERYTHING, mode), nested(path, "https://me:hunter2@there.example:1/v1"))
    said = refusal(values)
    assert path in said
    assert instead in said
    assert "hunter2" not in said


def test_an_at_sign_behind_the_host_is_no_credential(render: Render) -> None:
    endpoint = "http://collector:4318/v1/@team"
    told = render(nested("tracing.endpoint", endpoint)).environment()
    assert endpoint in told.values()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAUSA_REFRESH_SECONDS", "abc"),
        ("KAUSA_REFRESH_SECONDS", -5),
        ("KAUSA_REFRESH_SECONDS", "-5"),
        ("KAUSA_REFRESH_SECONDS", 29),
        ("KAUSA_MODEL_BELOW_CONFIDENCE", 500),
        ("KAUSA_MODEL_BELOW_CONFIDENCE", 0.5),
        ("KAUSA_MODEL_PULL", "perhaps"),
        ("KAUSA_MEMORY_AUDIT", "console"),
        ("KAUSA_MODEL_KEEP_ALIVE", "long"),
    ],
)
def test_a_setting_that_would_end_the_operator_at_its_start_is_refused(
    refusal: Refusal, name: str, value: Any
) -> None:
    assert name in refusal(nested("settings", {name: value}))


@pytest.mark.parametrize("value", ["lots", 0, 257, "-1"])
def test_a_setting_that_would_end_the_embedder_at_its_start_is_refused(
    refusal: Refusal, value: Any
) -> None:
    settings = {"KAUSA_EMBEDDER_THREADS": value}
    assert "KAUSA_EMBEDDER_THREADS" in refusal(nested("embedder.settings", settings))


def test_text_that_holds_a_number_or_a_switch_is_taken(render: Render) -> None:
    settings = {
        "KAUSA_REFRESH_SECONDS": "300",
        "KAUSA_RANKING_FLOOR": ".25",
        "KAUSA_MODEL_BELOW_CONFIDENCE": "70",
        "KAUSA_MODEL_PULL": "True",
        "KAUSA_LEADER_ELECTION": "0",
        "KAUSA_MODEL_KEEP_ALIVE": "10m",
        "KAUSA_QUEUE_SIZE": "",
    }
    told = render(nested("settings", settings)).environment()
    assert {name: told[name] for name in settings} == settings


def test_hard_questions_go_to_the_one_model_that_an_endpoint_was_said_to_have(
    render: Render,
) -> None:
    one = render(nested("model", MODEL | {"simple": "small"})).environment()
    assert one["KAUSA_REASONING_MODEL"] == "small"
    two = render(nested("model", MODEL | {"simple": "small", "reasoning": "large"})).environment()
    assert two["KAUSA_REASONING_MODEL"] == "large"


OF_A_SERVER: dict[str, Any] = {
    "clusterName": "a",
    "memory": {"mode": "external", "external": {"url": "http://q:6333"}},
}


def audited(path: str = "", *, mounted: str = "", how: str = "file") -> dict[str, Any]:
    told = {"KAUSA_MEMORY_AUDIT": how} | ({"KAUSA_MEMORY_AUDIT_PATH": path} if path else {})
    mounts = [{"name": "audit", "mountPath": mounted}] if mounted else []
    return {"settings": told, "extraVolumeMounts": mounts}


@pytest.mark.parametrize(
    "values",
    [
        OF_A_SERVER | audited(),
        audited("/audit/memory.jsonl"),
        audited("/audit/memory.jsonl", mounted="/audi"),
    ],
    ids=["server", "nowhere", "another-folder"],
)
def test_an_audit_where_nothing_can_be_written_is_refused(
    refusal: Refusal, values: dict[str, Any]
) -> None:
    assert "set it to log, or mount a volume" in refusal(values)


@pytest.mark.parametrize(
    "values",
    [
        audited(),
        audited("/tmp/memory.jsonl"),
        audited("/audit/memory.jsonl", mounted="/audit/"),
        OF_A_SERVER | audited(how="log"),
    ],
    ids=["volume-of-the-memory", "tmp", "own-volume", "log"],
)
def test_an_audit_that_can_be_written_is_taken(render: Render, values: dict[str, Any]) -> None:
    assert render(values).environment()["KAUSA_MEMORY_AUDIT"]
