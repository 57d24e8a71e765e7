"""Files answer as an API server does, and say where they do not tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.snapshots import client_of, crashing_pod, deployment, loaded, thin_pod, warning

from kausa.cluster.errors import ApiError, NotFoundError, NotRecordedError, UndecodableError
from kausa.cluster.kinds import KINDS
from kausa.cluster.objects import Pod
from kausa.cluster.paths import EVENTS, PODS, api_root
from kausa.cluster.reader import LiveCluster
from kausa.cluster.snapshot import SnapshotClient

Json = dict[str, Any]
ANY: type[Json] = dict


async def names(client: SnapshotClient, path: str, **parameters: str) -> list[str]:
    page = await client.list_page(path, parameters=parameters)
    return [name_in(each) for each in page.items]


def name_in(raw: Any) -> str:
    return str(msgspec.json.decode(raw)["metadata"]["name"])


async def test_an_object_is_found_by_the_url_of_its_kind(tmp_path: Path) -> None:
    client = client_of(tmp_path, crashing_pod("a"))
    pod = await client.get(PODS.object(name="a", namespace="shop"), kind=Pod)
    assert pod.status.all_container_statuses[0].restart_count == 5


async def test_an_object_of_an_older_version_of_its_group_is_found(tmp_path: Path) -> None:
    ingress = {
        "apiVersion": "extensions/v1beta1",
        "kind": "Ingress",
        "metadata": {"name": "i", "namespace": "shop"},
    }
    client = client_of(tmp_path, ingress)
    path = KINDS["Ingress"].object(name="i", namespace="shop")
    assert (await client.get(path, kind=ANY))["metadata"]["name"] == "i"


async def test_what_is_missing_in_a_namespace_that_was_recorded_does_not_exist(
    tmp_path: Path,
) -> None:
    client = client_of(tmp_path, thin_pod("a"))
    with pytest.raises(NotFoundError):
        await client.get(KINDS["ConfigMap"].object(name="c", namespace="shop"), kind=ANY)
    assert await names(client, KINDS["ConfigMap"].collection(namespace="shop")) == []


async def test_what_is_missing_elsewhere_is_not_known(tmp_path: Path) -> None:
    client = client_of(tmp_path, thin_pod("a"))
    with pytest.raises(NotRecordedError, match="configmaps of namespace other"):
        await client.get(KINDS["ConfigMap"].object(name="c", namespace="other"), kind=ANY)
    with pytest.raises(NotRecordedError, match="storageclasses are not in the snapshot"):
        await client.list_page(KINDS["StorageClass"].collection(), parameters={})


async def test_collections_are_filtered_sorted_and_paged(tmp_path: Path) -> None:
    pods = [crashing_pod(name) for name in ("c", "a", "b")]
    client = client_of(tmp_path, *pods, thin_pod("z", "other"))
    path = PODS.collection(namespace="shop")
    assert await names(client, path) == ["a", "b", "c"]
    assert await names(client, PODS.collection()) == ["z", "a", "b", "c"]
    assert await names(client, path, fieldSelector="metadata.name!=b") == ["a", "c"]
    assert await names(client, path, labelSelector="app=api") == ["a", "b", "c"]
    assert await names(client, path, labelSelector="app=db") == []
    first = await client.list_page(path, parameters={"limit": "2"})
    assert first.metadata.continue_
    assert await names(client, path, **{"limit": "2", "continue": first.metadata.continue_}) == [
        "c"
    ]


async def test_the_events_about_an_object_are_found_by_its_uid(tmp_path: Path) -> None:
    pod = thin_pod("a")
    client = client_of(tmp_path, pod, warning("Failed", "said", about=pod))
    uid = (await client.get(PODS.object(name="a", namespace="shop"), kind=Pod)).metadata.uid
    (event,) = await LiveCluster(client=client).events_about(namespace="shop", uid=uid)
    assert event.message == "said"
    assert await names(client, EVENTS.collection(), fieldSelector="type=Normal") == []


async def test_discovery_tells_the_kinds_that_were_recorded(tmp_path: Path) -> None:
    custom = {
        "apiVersion": "acme.io/v1",
        "kind": "Policy",
        "metadata": {"name": "p", "namespace": "shop"},
    }
    client = client_of(tmp_path, custom)
    found = await client.get(api_root("acme.io/v1"), kind=ANY)
    assert found["resources"] == [{"name": "policies", "kind": "Policy", "namespaced": True}]
    with pytest.raises(NotFoundError):
        await client.get(api_root("other.io/v1"), kind=ANY)


async def test_an_object_of_another_shape_is_said_to_be_so(tmp_path: Path) -> None:
    client = client_of(tmp_path, thin_pod("a", status={"containerStatuses": 3}))
    with pytest.raises(UndecodableError, match="/api/v1/namespaces/shop/pods/a"):
        await client.get(PODS.object(name="a", namespace="shop"), kind=Pod)


async def test_a_log_is_read_in_chunks_and_as_far_as_asked(tmp_path: Path) -> None:
    text = "x" * 150_000
    client = client_of(tmp_path, thin_pod("a"), logs={"shop/a/api.previous.log": text})

    async def read(**asked: Any) -> str:
        chunks = client.pod_log(namespace="shop", pod="a", container="api", **asked)
        return b"".join([chunk async for chunk in chunks]).decode()

    assert await read(previous=True) == text
    assert await read(previous=True, limit_bytes=100_000) == text[:100_000]
    with pytest.raises(ApiError) as raised:
        await read(previous=False)
    assert (raised.value.status, raised.value.reason) == (404, "NotRecorded")
    assert str(raised.value) == "the log is not in these files: kubectl -n shop logs a -c api"


def test_the_newer_of_two_records_of_one_object_stays(tmp_path: Path) -> None:
    old, new = crashing_pod("a"), crashing_pod("a")
    old["metadata"]["resourceVersion"], new["metadata"]["resourceVersion"] = "99", "100"
    old["status"]["phase"] = "Pending"
    for order in ((old, new), (new, old)):
        (found,) = loaded(tmp_path, *order).every()
        assert found["status"]["phase"] == "Running"


def test_two_events_of_one_name_stay_two(tmp_path: Path) -> None:
    pod = thin_pod("a")
    one, two = warning("Failed", "x", about=pod), warning("Failed", "x", about=pod)
    one["metadata"]["uid"], two["metadata"]["uid"] = "1", "2"
    assert len(loaded(tmp_path, one, two)) == 2


def test_the_last_time_in_a_snapshot_is_found_and_none_of_the_future(tmp_path: Path) -> None:
    pod = crashing_pod("a")
    pod["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    pod["metadata"]["annotations"] = {"time": "2031-01-01T00:00:00Z"}
    pod["spec"]["startTime"] = "2032-01-01T00:00:00Z"
    pod["status"]["startTime"] = "no time"
    latest = loaded(tmp_path, pod).latest
    assert latest is not None
    assert latest.isoformat() == "2026-01-31T12:10:00+00:00"
    assert loaded(tmp_path, deployment("d")).latest is None
