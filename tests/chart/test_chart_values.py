"""What values are taken: no key that nobody reads, and nothing that does not go together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from chart.rendering import CHART, Rendered, nested

from kausa.settings import Settings as OperatorSettings
from kausa_embedder.settings import Settings as EmbedderSettings

pytestmark = pytest.mark.chart

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())


def maps(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every map of the schema that has keys of its own."""
    if "properties" in schema:
        yield path, schema
    for name, each in schema.get("properties", {}).items():
        yield from maps(each, f"{path}.{name}" if path else name)


CLOSED = {path: each for path, each in maps(SCHEMA) if path != "global"}
OF_PARENTS = {"global", "enabled"}
"""What a chart may say that has this one among its dependencies."""


@pytest.mark.parametrize("path", sorted(CLOSED))
def test_every_map_refuses_keys_that_it_does_not_know(path: str) -> None:
    assert CLOSED[path]["additionalProperties"] is False


def test_helm_refuses_an_unknown_key_by_its_name(refusal: Callable[[dict[str, Any]], str]) -> None:
    for path in ("replica", "memory.mod", "embedder.gpu.cards", "networkPolicy.dns.port"):
        assert path.rpartition(".")[2] in refusal(nested(path, 1))


def test_a_chart_that_has_this_one_as_a_part_may_switch_it(render: Callable[..., Rendered]) -> None:
    assert render({"global": {"any": "thing"}, "enabled": True}).all("Deployment")


def test_helm_refuses_a_setting_that_the_operator_does_not_know(
    refusal: Callable[[dict[str, Any]], str],
) -> None:
    assert "KAUSA_REFRESH_SECOND" in refusal({"settings": {"KAUSA_REFRESH_SECOND": 300}})
    assert "KAUSA_MEMORY_URL" in refusal({"settings": {"KAUSA_MEMORY_URL": "http://q:6333"}})
    settings = {"settings": {"KAUSA_EMBEDDER_PORT": 9}}
    assert "KAUSA_EMBEDDER_PORT" in refusal({"embedder": settings})


def test_the_schema_knows_the_keys_of_the_values_and_no_others() -> None:
    def compare(values: dict[str, Any], schema: dict[str, Any], path: str) -> None:
        known = schema.get("properties")
        if known is None or path in {"settings", "embedder.settings"}:
            return
        assert set(values) == set(known) - (OF_PARENTS if not path else set()), path
        for name, value in values.items():
            if isinstance(value, dict):
                compare(value, known[name], f"{path}.{name}" if path else name)

    compare(VALUES, SCHEMA, "")


def test_every_setting_of_both_programs_can_be_set_in_one_way_and_no_other() -> None:
    for settings, place, file in (
        (OperatorSettings, SCHEMA["properties"]["settings"], "_environment.tpl"),
        (
            EmbedderSettings,
            SCHEMA["properties"]["embedder"]["properties"]["settings"],
            "embedder/_worker.tpl",
        ),
    ):
        prefix = settings.model_config["env_prefix"]
        every = {f"{prefix}{name.upper()}" for name in settings.model_fields}
        by_name = set(place["properties"])
        template = (CHART / "templates" / file).read_text()
        by_value = {name for name in every if f"- name: {name}\n" in template}
        assert by_name | by_value == every
        assert not by_name & by_value


def test_a_setting_reaches_its_program_as_it_was_written(
    render: Callable[..., Rendered],
) -> None:
    found = render(
        {
            "settings": {
                "KAUSA_QUEUE_SIZE": 1_000_000,
                "KAUSA_RANKING_FLOOR": 0.25,
                "KAUSA_MODEL_PULL": True,
                "KAUSA_MEMORY_AUDIT": "log",
            },
            "embedder": {"settings": {"KAUSA_EMBEDDER_QUEUE_TOKENS": 2_000_000}},
        }
    )
    told = found.environment()
    assert told["KAUSA_QUEUE_SIZE"] == "1000000", "not 1e+06, which no program reads as a number"
    assert told["KAUSA_RANKING_FLOOR"] == "0.25"
    assert told["KAUSA_MODEL_PULL"] == "true"
    assert told["KAUSA_MEMORY_AUDIT"] == "log"
    assert found.environment("kausa-embedder")["KAUSA_EMBEDDER_QUEUE_TOKENS"] == "2000000"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 2}, "memory's volume belongs to one Pod"),
        ({"memory": {"mode": "external"}}, "memory.external.url is not set"),
        (
            {"memory": {"mode": "external", "external": {"url": "http://q:6333"}}},
            "clusterName is not set",
        ),
        (
            {
                "clusterName": "default",
                "memory": {"mode": "external", "external": {"url": "http://q:6333"}},
            },
            "clusterName is not set",
        ),
        (
            {
                "clusterName": "a",
                "memory": {
                    "mode": "external",
                    "external": {"url": "https://q:6333", "tls": {"clientCertificate": True}},
                },
            },
            "names no Secret",
        ),
        ({"backup": {"enabled": True}}, "backup.enabled needs memory.mode external"),
        ({"embedder": {"mode": "external"}}, "embedder.external.url is not set"),
        ({"embedder": {"model": {"download": True}}}, "embedder.model.volume names no volume"),
        ({"model": {"provider": "ollama"}}, "model.provider is ollama, and model.url is not set"),
        (
            {
                "metrics": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}},
            },
            "would be read twice",
        ),
    ],
)
def test_what_does_not_go_together_is_said_with_what_to_do(
    refusal: Callable[[dict[str, Any]], str], values: dict[str, Any], said: str
) -> None:
    assert said in refusal(values)


@pytest.mark.parametrize(
    "values",
    [
        {"image": {"digest": "sha256:12"}},
        {"memory": {"mode": "disk"}},
        {"memory": {"external": {"url": "qdrant:6333"}}},
        {"watch": {"namespace": "Shop"}},
        {"watch": {"include": ["Shop*"]}},
        {"runbooks": [{"name": "a", "title": "b"}]},
        {"networkPolicy": {"apiServer": {"ports": []}}},
        {"networkPolicy": {"apiServer": {"cidrs": ["10.0.0.1"]}}},
        {"podLabels": {"a": 1}},
    ],
)
def test_values_of_the_wrong_shape_are_refused(
    refusal: Callable[[dict[str, Any]], str], values: dict[str, Any]
) -> None:
    assert "values don't meet the specifications" in refusal(values)
