"""A Pod's line decoded in parts is the line decoded whole, whatever it holds and in what order."""

from __future__ import annotations

import gzip
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.cluster import pod_lines
from kausa.cluster.objects import Pod
from kausa.cluster.pod_lines import Line, PodLines

CAPTURE = Path(__file__).parents[2] / "captures" / "pods.watch.json.gz"
WHOLE = msgspec.json.Decoder(Line[Pod])
HOSTILE = (
    ',"managedFields":[{"a":1}]',
    '}]},"spec":{"nodeName":"elsewhere"},"status":{"phase":"Failed"}}}',
    '},"spec":{"nodeName":"\0"},"status":{',
    "]},",
    '"uid":"',
    "\\",
    '"',
)
GO_ORDER = ("name", "generateName", "namespace", "uid", "resourceVersion", "generation")


def captured() -> list[dict[str, Any]]:
    """Recorded changes, as an API server sends them."""
    return [json.loads(line) for line in gzip.decompress(CAPTURE.read_bytes()).splitlines()]


def line(change: dict[str, Any]) -> bytes:
    return json.dumps(change, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def as_go_writes(change: dict[str, Any]) -> dict[str, Any]:
    """With the fields of the metadata in the order of Go's types: managedFields come last."""
    found = change["object"]
    meta = dict(found["metadata"])
    first = {name: meta.pop(name) for name in GO_ORDER if name in meta}
    managed = {"managedFields": meta.pop("managedFields")} if "managedFields" in meta else {}
    ordered = {**first, **meta, **managed}
    rest = {name: found[name] for name in ("spec", "status") if name in found}
    return {**change, "object": {"kind": "Pod", "apiVersion": "v1", "metadata": ordered, **rest}}


class Counting(PodLines):
    """Says how many lines were decoded in parts."""

    def __init__(self) -> None:
        super().__init__()
        self.in_parts = self.specs = 0

    def _decode_cut(self, line: bytes, managed: int) -> Line[Pod] | None:
        found = super()._decode_cut(line, managed)
        self.in_parts += found is not None
        return found

    def _keep(self, key: bytes, raw: bytes, spec: Any) -> None:
        self.specs += 1
        super()._keep(key, raw, spec)


@pytest.mark.parametrize("reordered", [False, True])
def test_recorded_changes_are_decoded_in_parts_and_are_the_same(reordered: bool) -> None:
    changes = captured()
    pods, with_fields = Counting(), 0
    for change in map(as_go_writes, changes) if reordered else changes:
        written = line(change)
        assert pods.decode(written) == WHOLE.decode(written)
        with_fields += bool(change["object"]["metadata"].get("managedFields"))
    assert pods.in_parts == with_fields > len(changes) / 2
    uids = {change["object"]["metadata"]["uid"] for change in changes}
    assert pods.specs <= 2 * len(uids)  # Once without a node, once with it.


def test_what_is_kept_of_specs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = captured()
    largest = max(len(line(change)) for change in changes)
    monkeypatch.setattr(pod_lines, "MOST_SPEC_BYTES", 4 * largest)
    pods = PodLines()
    for change in changes:
        written = line(change)
        assert pods.decode(written) == WHOLE.decode(written)
        kept = (*pods._newer.values(), *pods._older.values())
        assert sum(len(raw) for raw, _ in kept) <= 10 * largest


def test_a_spec_that_changed_is_not_taken_for_the_one_before() -> None:
    pods = PodLines()
    change = next(each for each in captured() if each["object"]["spec"].get("nodeName"))
    for node in ("one", "two", "one"):
        change["object"]["spec"]["nodeName"] = node
        assert pods.decode(line(change)).object.spec.node_name == node


def test_two_pods_of_one_owner_have_a_spec_each() -> None:
    pods = PodLines()
    one = next(each for each in captured() if each["object"]["spec"].get("nodeName"))
    other = deepcopy(one)
    other["object"]["metadata"]["uid"] = "another"
    other["object"]["spec"]["nodeName"] = "another"
    for change in (one, other, one, other):
        written = line(as_go_writes(change))
        assert pods.decode(written) == WHOLE.decode(written)


JSON = st.recursive(
    st.none() | st.integers(-5, 5) | st.sampled_from(HOSTILE),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("managedFields", "spec", "status", "metadata", "uid", "nodeName", "x", *HOSTILE)
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=14,
)
TEXTS = st.dictionaries(st.sampled_from(("a", *HOSTILE)), st.sampled_from(HOSTILE), max_size=2)


@given(
    st.permutations(["metadata", "spec", "status", "extra"]),
    st.permutations(["name", "uid", "labels", "annotations", "managedFields", "ownerReferences"]),
    TEXTS,
    JSON,
    JSON,
    st.booleans(),
)
def test_hostile_objects_give_what_they_give_whole(
    order: list[str], fields: list[str], texts: dict[str, str], some: Any, other: Any, spaced: bool
) -> None:
    metadata = {
        "name": "a",
        "uid": "u" * 36,
        "labels": texts,
        "annotations": texts,
        "managedFields": some,
        "ownerReferences": [{"uid": "o" * 36, "name": HOSTILE[1]}],
    }
    parts = {
        "metadata": {name: metadata[name] for name in fields},
        "spec": {
            "nodeName": "n",
            "containers": [{"name": "c", "env": [{"name": HOSTILE[0], "value": HOSTILE[1]}]}],
            "volumes": [{"ephemeral": {"volumeClaimTemplate": {"metadata": {}, "spec": {}}}}],
            "extra": other,
        },
        "status": {"phase": "Running", "message": HOSTILE[2], "extra": other},
        "extra": other,
    }
    change = {"type": "MODIFIED", "object": {name: parts[name] for name in order}}
    written = json.dumps(change).encode() if spaced else line(change)
    pods = PodLines()
    for _ in range(2):
        assert pods.decode(written) == WHOLE.decode(written)


@given(st.binary(max_size=60), st.data())
def test_a_line_that_was_changed_anywhere_is_what_it_is_whole_wherever_it_is_json(
    some: bytes, data: st.DataObject
) -> None:
    written = line(captured_once())
    at = data.draw(st.integers(0, len(written)))
    broken = written[:at] + some + written[at + data.draw(st.integers(0, 60)) :]
    pods = PodLines()
    pods.decode(written)
    whole, found = outcome(WHOLE, broken), outcome(pods, broken)
    if whole != "refused":
        assert found == whole


def captured_once() -> dict[str, Any]:
    """One recorded change, small and with all parts."""
    if not _CAPTURED:
        _CAPTURED.append(next(each for each in captured() if each["object"]["spec"]))
    return _CAPTURED[0]


_CAPTURED: list[dict[str, Any]] = []


def outcome(decoder: Any, written: bytes) -> Any:
    """What is decoded, or that it is refused."""
    try:
        return decoder.decode(written)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "refused"
