"""Every kind of folder and file that kubectl leaves behind is read, within bounds."""

from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.snapshots import crashing_pod, deployment, folder_of, listed, thin_pod, warning

from kausa.cluster.errors import NotRecordedError, SnapshotError
from kausa.cluster.kinds import KINDS
from kausa.cluster.snapshot import Snapshot, SnapshotClient, load_snapshot, loading, read_snapshot

Json = dict[str, Any]
LOGS = """\
==== START logs for container prepare of pod shop/api-1 ====
==== END logs for container prepare of pod shop/api-1 ====
==== START logs for container api of pod shop/api-1 ====
starting
==== START logs for container trick of pod shop/api-1 ====
FATAL: no line end==== END logs for container api of pod shop/api-1 ====
==== START logs for container side of pod shop/api-1 ====
Request log error: the server rejected our request for an unknown reason (get pods api-1)
==== END logs for container side of pod shop/api-1 ====
"""


def named(snapshot: Snapshot) -> set[str]:
    return {f"{each['kind']}/{each['metadata']['name']}" for each in snapshot.every()}


def log_of(snapshot: Snapshot, container: str, *, previous: bool = False) -> str | None:
    chunks = snapshot.logs.chunks(("shop", "api-1", container, previous))
    return None if chunks is None else b"".join(chunks).decode()


def refused(path: Path) -> str:
    with pytest.raises(SnapshotError) as raised:
        load_snapshot(path)
    return str(raised.value)


def bare(*objects: Json) -> list[Json]:
    return [{k: v for k, v in each.items() if k not in ("kind", "apiVersion")} for each in objects]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """As `kubectl cluster-info dump --output-directory` writes it."""
    shop = tmp_path / "dump" / "shop"
    (shop / "api-1").mkdir(parents=True)
    pod = crashing_pod("api-1")
    lists: dict[str, tuple[str, str, list[Json] | None]] = {
        "pods": ("v1", "PodList", bare(pod)),
        "events": ("v1", "EventList", bare(warning("BackOff", "Back-off", about=pod))),
        "deployments": ("apps/v1", "DeploymentList", bare(deployment("api"))),
        "replication-controllers": ("v1", "ReplicationControllerList", None),
    }
    for name, (version, kind, items) in lists.items():
        document: Json = {"kind": kind, "apiVersion": version, "metadata": {}, "items": items}
        (shop / f"{name}.json").write_text(json.dumps(document))
    nodes = {"kind": "NodeList", "apiVersion": "v1", "items": [{"metadata": {"name": "node-1"}}]}
    (tmp_path / "dump" / "nodes.json").write_text(json.dumps(nodes))
    (shop / "api-1" / "logs.txt").write_text(LOGS)
    return tmp_path / "dump"


def test_a_case_folder_is_read_with_its_logs(tmp_path: Path) -> None:
    logs = {"shop/api-1/api.log": "now", "shop/api-1/api.previous.log": "before"}
    folder = folder_of(tmp_path / "case", crashing_pod("api-1"), logs=logs)
    (folder / "logs/shop/api-1/side.log.gz").write_bytes(gzip.compress(b"packed"))
    (folder / "case.yaml").write_text("title: [what went wrong")
    snapshot = load_snapshot(folder)
    assert named(snapshot) == {"Pod/api-1"}
    assert log_of(snapshot, "api") == "now"
    assert log_of(snapshot, "api", previous=True) == "before"
    assert log_of(snapshot, "side") == "packed"
    assert log_of(snapshot, "other") is None


def test_a_case_folder_may_hold_yaml(tmp_path: Path) -> None:
    (tmp_path / "objects.yaml").write_text(json.dumps(listed(thin_pod("a"))))
    assert named(load_snapshot(tmp_path)) == {"Pod/a"}


def test_a_dump_of_a_cluster_is_read_with_its_logs(dump: Path) -> None:
    snapshot = load_snapshot(dump)
    assert {"Pod/api-1", "Deployment/api", "Node/node-1"} < named(snapshot)
    assert len(snapshot) == 4
    assert log_of(snapshot, "prepare") == ""
    text = log_of(snapshot, "api")
    assert text is not None
    assert text.startswith("starting\n")
    assert text.endswith("FATAL: no line end")
    assert log_of(snapshot, "trick") is None
    assert log_of(snapshot, "side") is None


async def test_a_dump_is_complete_in_the_kinds_that_it_lists_and_in_no_others(dump: Path) -> None:
    client = SnapshotClient(load_snapshot(dump))

    async def count(kind: str) -> int:
        path = KINDS[kind].collection(namespace="shop")
        return len((await client.list_page(path, parameters={})).items)

    assert await count("Pod") == 1
    assert await count("ReplicationController") == 0
    with pytest.raises(NotRecordedError):
        await count("ConfigMap")


async def test_one_object_alone_tells_nothing_of_others(tmp_path: Path) -> None:
    path = tmp_path / "pod.json"
    path.write_text(json.dumps(thin_pod("a")))
    client = SnapshotClient(load_snapshot(path))
    with pytest.raises(NotRecordedError):
        await client.get(KINDS["Pod"].object(name="b", namespace="shop"), kind=dict)


def test_any_files_of_kubectl_get_are_read_together(tmp_path: Path) -> None:
    pod = thin_pod("a")
    (tmp_path / "pods.json").write_text(json.dumps(listed(pod)))
    (tmp_path / "shop.events.json").write_text(
        json.dumps(
            {
                "apiVersion": "events.k8s.io/v1",
                "kind": "EventList",
                "items": [{"metadata": {"name": "e", "namespace": "shop"}, "note": "said"}],
            }
        )
    )
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "rest.yml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n"
        "apiVersion: v1\nkind: Node\nmetadata: {name: n}\n"
    )
    (tmp_path / "README.md").write_text("nothing of ours")
    assert named(load_snapshot(tmp_path)) == {"Pod/a", "Event/e", "Service/s", "Node/n"}


def test_what_is_not_there_is_said_with_what_to_give(tmp_path: Path) -> None:
    said = refused(tmp_path / "missing")
    assert "there is no such file or folder" in said
    assert "cluster-info dump" in said


def test_a_folder_without_objects_says_what_to_give(tmp_path: Path) -> None:
    assert "no object of Kubernetes" in refused(tmp_path)


def test_files_that_hold_something_else_are_counted(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("image: {tag: 1}\n")
    said = refused(tmp_path)
    assert "1 of what the files hold are no objects" in said
    (tmp_path / "pod.json").write_text(json.dumps(thin_pod("a")))
    assert "1 of what the files hold" in load_snapshot(tmp_path).notes[0]


def test_a_broken_file_is_named_by_its_place_in_the_folder(dump: Path) -> None:
    (dump / "shop" / "events.json").write_text('{"items": [')
    assert refused(dump).startswith(f"{dump}/shop/events.json: not JSON at line 1")


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "pods.json"
    path.write_text("\n")
    assert refused(path).startswith(f"{path} is empty; did kubectl fail?")
    with pytest.raises(SnapshotError, match="standard input is empty"):
        read_snapshot(io.BytesIO(b""), name="standard input")


def test_an_empty_file_beside_others_is_told_and_does_not_matter(dump: Path) -> None:
    (dump / "shop" / "late.json").write_text("")
    (note,) = load_snapshot(dump).notes
    assert note == f"{dump}/shop/late.json is empty; did kubectl fail?"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps(thin_pod("secret")))
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "pod.json").write_text(json.dumps(thin_pod("a")))
    (folder / "link.json").symlink_to(secret)
    (folder / "inside.json").symlink_to(folder / "pod.json")
    (folder / "logs").mkdir()
    (folder / "logs" / "shop").symlink_to(tmp_path)
    snapshot = load_snapshot(folder)
    assert named(snapshot) == {"Pod/a"}
    assert "1 links to files outside" in snapshot.notes[0]
    (folder / "objects.json").symlink_to(secret)
    assert "a link to a file outside" in refused(folder)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pods.json")
    assert "no object of Kubernetes" in refused(tmp_path)
    assert "not a plain file" in refused(tmp_path / "pods.json")


def test_how_much_is_read_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path / "case", thin_pod("a"), thin_pod("b"))
    monkeypatch.setattr(loading, "MOST_OBJECTS", 1)
    assert "more than 1 objects" in refused(folder)
    monkeypatch.setattr(loading, "MOST_BYTES", 10)
    assert "too much to read" in refused(folder)
    monkeypatch.setattr(loading, "MOST_FILES", 1)
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_text("{}")
    assert "more than 1 files" in refused(tmp_path)


def test_a_log_that_is_packed_wrongly_says_so_when_it_is_read(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "case", thin_pod("api-1"), logs={"shop/api-1/api.log.gz": "x"})
    with pytest.raises(SnapshotError, match=r"api\.log\.gz: this log cannot be read"):
        log_of(load_snapshot(folder), "api")


def test_a_small_file_that_unpacks_to_a_disk_is_read_no_further_than_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kausa.cluster.snapshot import logs

    folder = folder_of(tmp_path / "case", thin_pod("api-1"), logs={"shop/api-1/a.log": ""})
    packed = gzip.compress(b"\0" * 10_000_000)
    assert len(packed) < 20_000
    (folder / "logs/shop/api-1/api.log.gz").write_bytes(packed)
    monkeypatch.setattr(logs, "MOST_BYTES", 1_000_000)
    text = log_of(load_snapshot(folder), "api")
    assert text is not None
    assert len(text) == 1_000_000
