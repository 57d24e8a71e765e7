"""Whatever stands in a file: it is read, or a sentence names the file; no other error comes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kausa.cluster.errors import SnapshotError
from kausa.cluster.snapshot import load_snapshot

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=6), inside),
    max_leaves=12,
)
WORDS = st.sampled_from(["Pod", "Event", "Node", "List", "PodList", "Ingress", "", "v1", "apps/v1"])
OBJECTS = st.fixed_dictionaries(
    {"apiVersion": WORDS | JSON, "kind": WORDS | JSON},
    optional={
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "name": WORDS | JSON,
                "namespace": WORDS | JSON,
                "uid": WORDS | JSON,
                "resourceVersion": st.text("0123456789²", max_size=30) | JSON,
                "labels": JSON,
                "ownerReferences": JSON,
                "creationTimestamp": st.just("2026-13-45T99:00:00Z") | JSON,
            },
        )
        | JSON,
        "items": JSON,
        "status": JSON,
        "spec": JSON,
        "involvedObject": JSON,
        "regarding": JSON,
        "note": JSON,
    },
)
fuzzed = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def load(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        snapshot = load_snapshot(path)
    except SnapshotError as error:
        said = str(error)
        if path.name not in said or len(said) > 2_000:
            pytest.fail(said)
        return
    for each in snapshot.every():
        assert each["metadata"]["name"]
        assert each["metadata"]["uid"]
    assert snapshot.latest is None or snapshot.latest.tzinfo is not None


@pytest.mark.slow
@fuzzed
@given(found=st.lists(OBJECTS | JSON, max_size=4))
def test_any_objects_as_json(tmp_path: Path, found: list[Any]) -> None:
    whole = {"apiVersion": "v1", "kind": "List", "items": found}
    load(tmp_path / "file.json", json.dumps(whole).encode())


@pytest.mark.slow
@fuzzed
@given(found=OBJECTS | JSON)
def test_any_object_as_yaml(tmp_path: Path, found: Any) -> None:
    load(
        tmp_path / "file.yaml", yaml.safe_dump(found, allow_unicode=True).encode("utf-8", "replace")
    )


@fuzzed
@given(data=st.binary(max_size=200))
@pytest.mark.parametrize("name", ["file.json", "file.yaml"])
def test_any_bytes(tmp_path: Path, name: str, data: bytes) -> None:
    load(tmp_path / name, data)


@fuzzed
@given(text=st.text("{}[]:,\"'&*!|>-?#%@ \n\tab01", max_size=60))
@pytest.mark.parametrize("name", ["file.json", "file.yaml"])
def test_any_text_that_looks_like_a_file(tmp_path: Path, name: str, text: str) -> None:
    load(tmp_path / name, text.encode())
