"""Kubernetes Secrets lose every value, in a text and in a tree, whatever its key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from support.fake_secrets import FAKE

from kausa.evidence.redaction import Redactor

REDACTOR = Redactor(key=b"one key for one cluster")
ENCODED = "c3dvcmRmaXNo"


def _secret(*, field: str = "data", value: str = ENCODED) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db-credentials", "namespace": "shop"},
        field: {"a": value, "config.yaml": value, "z": value},
        "type": "Opaque",
    }


FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "json": json.dumps,
    "json lines": lambda each: json.dumps(each, indent=2),
    "json in json": lambda each: json.dumps({"log": json.dumps(each)}),
    "yaml": yaml.safe_dump,
    "yaml as written": lambda each: yaml.safe_dump(each, sort_keys=False),
    "yaml in json": lambda each: json.dumps({"log": yaml.safe_dump(each)}),
    "logged lines": lambda each: "".join(
        f"2026-01-02T03:04:05Z {line}\n" for line in json.dumps(each, indent=2).splitlines()
    ),
    "list": lambda each: yaml.safe_dump({"kind": "List", "items": [each]}),
}


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("field", ["data", "stringData"])
def test_a_secret_in_a_text_keeps_its_keys_and_loses_its_values(form: str, field: str) -> None:
    text = FORMS[form](_secret(field=field))

    found = REDACTOR.text(text)

    assert ENCODED not in found.value
    assert found.counts == {"secret-data": 3}
    for kept in ("config.yaml", "db-credentials", "Opaque"):
        assert kept in found.value


def test_a_block_of_a_secret_is_hidden_to_its_last_line() -> None:
    text = yaml.safe_dump(_secret(field="stringData", value="one\ntwo three\nfour\n"))

    found = REDACTOR.text(text).value

    assert not any(word in found for word in ("one\n", "two three", "four"))
    assert "type: Opaque" in found


def test_a_secret_in_a_tree_keeps_its_keys_and_loses_its_values() -> None:
    found = REDACTOR.tree({"items": [_secret(), _secret(field="stringData", value=FAKE)]})

    assert ENCODED not in repr(found.value)
    assert FAKE not in repr(found.value)
    assert list(found.value["items"][0]["data"]) == ["a", "config.yaml", "z"]
    assert found.counts == {"secret-data": 6}


@pytest.mark.parametrize("kind", ["ConfigMap", "SecretProviderClass", "SecretStore"])
def test_data_of_what_is_no_secret_stays(kind: str) -> None:
    document = {**_secret(), "kind": kind}

    assert REDACTOR.tree(document).value is document
    assert REDACTOR.text(json.dumps(document)).value == json.dumps(document)
    assert REDACTOR.text(yaml.safe_dump(document)).value == yaml.safe_dump(document)
