"""What files hold: every form in which kubectl writes objects, and clear words for broken ones."""

from __future__ import annotations

import gzip

import pytest

from kausa.cluster.errors import SnapshotError
from kausa.cluster.snapshot.documents import Document, read_documents

POD = b'{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}'


def names(*documents: Document) -> list[str]:
    return [each["metadata"]["name"] for document in documents for each in document.objects]


def read(data: bytes, name: str = "file.json") -> tuple[Document, ...]:
    return read_documents(data, name=name)


def refused(data: bytes, name: str = "file.json") -> str:
    with pytest.raises(SnapshotError) as raised:
        read(data, name)
    return str(raised.value)


def test_one_object_is_read_and_is_no_list() -> None:
    (found,) = read(POD)
    assert names(found) == ["a"]
    assert not found.is_list


def test_a_list_of_kubectl_get_is_read() -> None:
    (found,) = read(b'{"apiVersion": "v1", "kind": "List", "items": [%s, %s]}' % (POD, POD))
    assert names(found) == ["a", "a"]
    assert found.is_list


def test_a_typed_list_gives_its_kind_to_items_that_leave_it_out() -> None:
    items = b'"items": [{"metadata": {"name": "d"}}]'
    (found,) = read(b'{"apiVersion": "apps/v1", "kind": "DeploymentList", %s}' % items)
    assert (found.objects[0]["kind"], found.objects[0]["apiVersion"]) == ("Deployment", "apps/v1")
    assert found.kind == "Deployment"


def test_a_list_whose_items_are_null_is_an_empty_list() -> None:
    (found,) = read(b'{"kind": "ReplicationControllerList", "apiVersion": "v1", "items": null}')
    assert (found.kind, found.is_list, found.objects) == ("ReplicationController", True, ())


def test_several_json_documents_in_one_file_are_all_read() -> None:
    assert names(*read(POD + b"\n" + POD.replace(b'"a"', b'"b"') + b"\n")) == ["a", "b"]


def test_several_yaml_documents_in_one_file_are_all_read() -> None:
    data = b"""
apiVersion: v1
kind: Pod
metadata: {name: a}
---
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: b}}
"""
    assert names(*read(data, "file.yaml")) == ["a", "b"]


def test_yaml_times_stay_texts_and_keys_become_texts() -> None:
    data = b"""
apiVersion: v1
kind: ConfigMap
metadata: {name: a, creationTimestamp: 2026-01-31T12:00:00Z}
data: {8080: port, true: flag, date: 2026-01-31}
"""
    ((found,),) = (document.objects for document in read(data, "file.yaml"))
    assert found["metadata"]["creationTimestamp"] == "2026-01-31T12:00:00Z"
    assert found["data"] == {"8080": "port", "true": "flag", "date": "2026-01-31"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_powershell_writes_is_read(encoding: str) -> None:
    assert names(*read(POD.decode().encode(encoding))) == ["a"]


def test_json_in_a_file_that_is_called_yaml_is_read() -> None:
    assert names(*read(POD, "file.yaml")) == ["a"]


def test_an_empty_file_holds_nothing() -> None:
    assert read(b" \n") == ()


def test_what_is_no_object_is_counted() -> None:
    data = b'{"kind": "List", "items": [%s, 3, {"kind": "Pod"}, {"apiVersion": "v1"}]}' % POD
    (found,) = read(data)
    assert names(found) == ["a"]
    assert found.unreadable == 3


def test_json_that_was_cut_off_says_so_with_the_file_and_the_place() -> None:
    said = refused(POD[:-20], "shop/pods.json")
    assert said.startswith("shop/pods.json: not JSON at line 1, column ")
    assert "cut off" in said
    assert "kubectl get" in said


def test_broken_json_names_the_line() -> None:
    assert "file.json: not JSON at line 2, column 1: Expecting" in refused(b'{"a": 1,\n}')


def test_broken_yaml_names_the_line() -> None:
    assert "file.yaml: not YAML at line 2, column" in refused(b"a: 1\n b: [", "file.yaml")


def test_bytes_that_are_no_text_are_named() -> None:
    assert "file.json: this is no text" in refused(b"\x80\x81\x82")


def test_values_nested_without_end_are_refused() -> None:
    assert "nested deeper" in refused(b"[" * 5_000)
    assert "nested deeper" in refused(b"[" * 500 + b"]" * 500, "file.yaml")


def test_yaml_that_grows_without_end_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases make it grow" in refused("\n".join(lines).encode(), "file.yaml")


def test_yaml_that_holds_itself_is_refused() -> None:
    assert "nested deeper" in refused(b"a: &a [*a]", "file.yaml")


@pytest.mark.parametrize("data", [b"!!python/object/apply:os.system [id]", b"!secret x"])
def test_yaml_makes_no_objects_of_ours(data: bytes) -> None:
    assert "not YAML" in refused(data, "file.yaml")


@pytest.mark.parametrize(
    "line",
    [
        "Error from server (Forbidden): pods is forbidden",
        "W1121 17:00:00.1 warnings.go:70] v1 Endpoints is deprecated",
        'error: the server doesn\'t have a resource type "hpas"',
    ],
)
@pytest.mark.parametrize("name", ["pods.json", "pods.yaml", "standard input"])
def test_a_line_of_kubectl_among_the_objects_is_shown(line: str, name: str) -> None:
    assert line in refused(line.encode() + b"\n" + POD, name)
    assert line in refused(POD + b"\n" + line.encode(), "pods.json")


def test_a_tab_in_yaml_is_called_a_tab() -> None:
    assert "line 2, column 1: the line is indented by a tab" in refused(b"a:\n\tb: 1\n", "a.yaml")


@pytest.mark.parametrize(
    ("data", "how"),
    [
        # Without the time: workers that name a test by its bytes must agree.
        (gzip.compress(POD, mtime=0), "gzip"),
        (b"objects.json".ljust(257, b"\0") + b"ustar\0", "tar"),
        (b"PK\x03\x04rest", "zip"),
    ],
)
def test_a_packed_file_is_to_be_unpacked_first(data: bytes, how: str) -> None:
    assert f"this is packed ({how}). Unpack it first." in refused(data)
