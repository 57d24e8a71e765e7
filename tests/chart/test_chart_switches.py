"""Every single value does something: set to another, what is rendered is another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from chart.rendering import CHART, EVERYTHING, KUBERNETES, Helm, Rendered, merged, nested

pytestmark = pytest.mark.chart

Render = Callable[..., Rendered]
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
WORDS = (
    "other",
    "7Gi",
    "7s",
    "http://other.example:1234",
    "sha256:" + "b" * 64,
    "10.9.8.7/32",
    "0 3 * * *",
)
"""One of them is of the shape that any text must have."""
RUNBOOK = {"name": "other", "title": "Other", "content": "Other."}
OF_ONES_OWN = {"embedder": {"mode": "external", "external": {"url": "http://tei:80"}}}
WHERE: dict[str, dict[str, Any]] = {
    "memory.embedded": {},
    "memory.mode": {},
    "replicas": {},
    "embedder.mode": {},
    "embedder.model.name": {"embedder": {"model": {"volume": {"emptyDir": {}}}}},
    "embedder.replicas": {},
    "embedder.gpu": {"embedder": {"gpu": {"enabled": True}}},
    "embedder.model.download": {"embedder": {"model": {"volume": {"emptyDir": {}}}}},
    "embedder.external": {
        "embedder": {
            "mode": "external",
            "external": {"url": "http://tei:80", "existingSecret": {"name": "tei"}},
        }
    },
    "backup.persistence": EVERYTHING,
    "metrics.serviceMonitor": {"metrics": {"serviceMonitor": {"enabled": True}}},
    "metrics.podMonitor": {"metrics": {"podMonitor": {"enabled": True}}},
    "metrics": {"metrics": {"rules": {"enabled": True}, "dashboard": {"enabled": True}}},
    "networkPolicy.embedderTo": OF_ONES_OWN,
    "networkPolicy.embedderPorts": OF_ONES_OWN,
}
"""What else has to be set for a value, or those below it, to matter; else EVERYTHING."""
SWITCHED_ON: dict[str, dict[str, Any]] = {
    "metrics.serviceMonitor.enabled": {},
    "metrics.podMonitor.enabled": {},
}
GIVEN: dict[str, Any] = {
    "memory.mode": "none",
    "model.provider": "ollama",
    "metrics.dashboard.labels": {"other": "other"},
    "settings": {"KAUSA_QUEUE_SIZE": 200},
    "embedder.settings": {"KAUSA_EMBEDDER_BATCH_TEXTS": 7},
    "runbooks": [RUNBOOK],
    "replicas": 0,
    "podSecurityContext": {"runAsUser": 7},
    "securityContext": {"readOnlyRootFilesystem": False},
    "resources": {"limits": {"memory": "7Gi"}},
    "embedder.resources": {"limits": {"memory": "7Gi"}},
    "backup.resources": {"limits": {"memory": "7Gi"}},
    "memory.embedded.persistence.accessModes": ["ReadWriteMany"],
    "watch.include": ["other-*"],
    "watch.exclude": ["other-*"],
}
"""Values that cannot be made up from their shape alone."""
TOGETHER: dict[str, dict[str, Any]] = {
    "embedder.mode": {"embedder": {"external": {"url": "http://tei:80"}}},
}
"""What has to be set with another value, and must not be without it."""


def leaves(values: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in values.items():
        below = f"{path}.{name}" if path else name
        if isinstance(value, dict) and value and below not in GIVEN:
            yield from leaves(value, below)
        else:
            yield below


def schema_of(path: str) -> dict[str, Any]:
    found = SCHEMA
    for part in path.split("."):
        found = resolved(found["properties"][part])
    return found


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: dict[str, Any] = SCHEMA["definitions"][reference.rpartition("/")[2]]
    return found


def other(schema: dict[str, Any], present: Any) -> Any:
    """A value of this shape that is not the present one."""
    if "enum" in schema:
        return next(each for each in schema["enum"] if each != present)
    match schema["type"]:
        case "boolean":
            return not present
        case "integer":
            return present - 1 if present == schema.get("maximum") else (present or 0) + 1
        case "array":
            return [other(resolved(schema["items"]), (present or [None])[0])]
        case "object" if "properties" in schema:
            return {
                name: other(resolved(each), None) for name, each in schema["properties"].items()
            }
        case "object":
            return {"other": "other"}
    pattern, least = re.compile(schema.get("pattern", "")), schema.get("minLength", 0)
    return next(
        word for word in WORDS if pattern.search(word) and len(word) >= least and word != present
    )


def context(path: str) -> dict[str, Any]:
    if path in SWITCHED_ON:
        return SWITCHED_ON[path]
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        if (found := WHERE.get(".".join(parts[:length]))) is not None:
            return found
    return EVERYTHING


def at(values: dict[str, Any], path: str) -> Any:
    for part in path.split("."):
        values = values.get(part) or {}
    return values


def without_chance(found: Rendered) -> list[dict[str, Any]]:
    """Less what is drawn anew at each rendering."""
    return [
        {key: value for key, value in each.items() if each["kind"] != "Secret" or key != "data"}
        for each in found.manifests
    ]


@pytest.fixture(scope="module")
def before(render: Render) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    known: dict[str, list[dict[str, Any]]] = {}

    def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
        name = json.dumps(values, sort_keys=True)
        if name not in known:
            known[name] = without_chance(render(values))
        return known[name]

    return rendered


@pytest.mark.parametrize("path", sorted(leaves(VALUES)))
def test_every_value_changes_what_is_rendered(
    render: Render, before: Callable[[dict[str, Any]], list[dict[str, Any]]], path: str
) -> None:
    values = context(path)
    present = at(merged(VALUES, values), path)
    changed = GIVEN.get(path) if path in GIVEN else other(schema_of(path), present)
    together = merged(values, TOGETHER.get(path, {}))
    after = render(merged(together, nested(path, changed)))
    assert without_chance(after) != before(values), f"{path} = {changed!r} is read by nobody"


@pytest.mark.parametrize("path", sorted(leaves(VALUES)))
def test_a_value_that_is_set_to_null_ends_no_rendering_but_with_our_words(
    helm: Helm, path: str
) -> None:
    """As `--set path=null` does to be rid of a value; it takes the chart's own away, too."""
    done = helm.run(
        *("template", "kausa", str(CHART), "--kube-version", KUBERNETES),
        values=merged(EVERYTHING, nested(path, None)),
    )
    assert done.returncode == 0 or "execution error at" in done.stderr, done.stderr
