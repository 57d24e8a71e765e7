"""Each thing is read once, whoever asks, and each missing permission is said once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from support.dossiers import FakeReader, bad_request, forbidden
from support.inquiries import made

from kausa.cluster.errors import (
    ApiError,
    ApiUnreachableError,
    ClusterError,
    ForbiddenError,
    NotRecordedError,
    OverloadedError,
)
from kausa.cluster.kinds import KINDS
from kausa.cluster.paging import Listed, is_whole
from kausa.cluster.paths import ResourcePath
from kausa.cluster.reader import Manifest
from kausa.evidence.single_reader import MOST_REFUSED, NotAskedError, SingleReader

CONFIG = KINDS["ConfigMap"]


async def test_what_many_ask_for_is_read_once() -> None:
    inner = FakeReader(manifests=(made("ConfigMap", "settings"),))
    async with SingleReader(reader=inner, deadline_seconds=1) as reader:
        found = await asyncio.gather(
            *(reader.manifest(CONFIG, name="settings", namespace="shop") for _ in range(20))
        )
        await reader.manifest(CONFIG, name="settings", namespace="shop")
    assert len({id(each) for each in found}) == 1
    assert inner.reads == [("get", "ConfigMap", "settings")]


async def test_a_reading_goes_on_for_the_others_when_the_first_who_asked_gives_up() -> None:
    inner = FakeReader(manifests=(made("ConfigMap", "settings"),), seconds=0.05)
    async with SingleReader(reader=inner, deadline_seconds=1) as reader:
        first = asyncio.create_task(reader.manifest(CONFIG, name="settings", namespace="shop"))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(reader.manifest(CONFIG, name="settings", namespace="shop"))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second) is not None
    assert len(inner.reads) == 1


async def test_a_list_that_is_forbidden_is_not_asked_for_again_and_is_one_gap() -> None:
    inner = FakeReader(errors={"ConfigMap": forbidden("configmaps")})
    async with SingleReader(reader=inner, deadline_seconds=1) as reader:
        for selector in ("", "app=web"):
            with pytest.raises(ForbiddenError):
                await reader.manifests(CONFIG, namespace="shop", label_selector=selector)
    assert inner.reads == [("list", "ConfigMap", "shop")]
    (gap,) = reader.gaps
    assert gap.permission == "list configmaps in namespace shop"


class OneNameAllowed(FakeReader):
    """As a Role with `resourceNames` lets one read."""

    async def manifest(
        self, path: ResourcePath, *, name: str, namespace: str | None = None
    ) -> Manifest | None:
        if name != "settings":
            self.reads.append(("get", path.kind, name))
            raise forbidden("configmaps")
        return await super().manifest(path, name=name, namespace=namespace)


async def test_a_name_that_is_forbidden_does_not_hide_one_that_is_allowed() -> None:
    inner = OneNameAllowed(manifests=(made("ConfigMap", "settings"),))
    async with SingleReader(reader=inner, deadline_seconds=1) as reader:
        for name in ("a", "b"):
            with pytest.raises(ForbiddenError):
                await reader.manifest(CONFIG, name=name, namespace="shop")
        assert await reader.manifest(CONFIG, name="settings", namespace="shop")
    (gap,) = reader.gaps
    assert gap.permission == "get configmaps in namespace shop"
    assert gap.what == "ConfigMap/a, ConfigMap/b"


async def test_names_of_a_kind_that_is_forbidden_are_not_tried_without_end() -> None:
    inner = FakeReader(errors={"ConfigMap": forbidden("configmaps")})
    async with SingleReader(reader=inner, deadline_seconds=1) as reader:
        for number in range(MOST_REFUSED + 5):
            with pytest.raises(ForbiddenError):
                await reader.manifest(CONFIG, name=f"c{number}", namespace="shop")
    assert len(inner.reads) == MOST_REFUSED


class Cut(FakeReader):
    """As a cluster with more than is read at once."""

    async def manifests(
        self, path: ResourcePath, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...]:
        found = await super().manifests(path, namespace=namespace, label_selector=label_selector)
        return Listed(found[:1], more=len(found) > 1)


async def test_a_list_of_which_only_the_beginning_was_read_is_a_gap() -> None:
    inner = Cut(manifests=(made("ConfigMap", "a"), made("ConfigMap", "b")))
    async with SingleReader(reader=inner, deadline_seconds=1) as reader:
        assert not is_whole(await reader.manifests(CONFIG, namespace="shop"))
        assert is_whole(await reader.manifests(KINDS["Service"], namespace="shop"))
    (gap,) = reader.gaps
    assert (gap.what, gap.why) == (
        "configmaps of namespace shop",
        "only the first 1 were read",
    )


async def test_permissions_are_named_as_kubectl_takes_them() -> None:
    inner = FakeReader(errors={"*": forbidden("all")})
    async with SingleReader(reader=inner, deadline_seconds=1) as reader:
        for asked in (
            reader.manifest(KINDS["StorageClass"], name="fast"),
            reader.manifests(KINDS["Node"]),
            reader.manifests(KINDS["ReplicaSet"], namespace="shop"),
            reader.events_about(namespace="shop", uid="u"),
        ):
            with pytest.raises(ForbiddenError):
                await asked
    assert {each.permission for each in reader.gaps} == {
        "get storageclasses.storage.k8s.io",
        "list nodes",
        "list replicasets.apps in namespace shop",
        "list events in namespace shop",
    }


async def test_what_files_do_not_tell_is_one_gap_without_a_permission() -> None:
    inner = FakeReader(errors={"*": NotRecordedError("not in the snapshot")})
    async with SingleReader(reader=inner, deadline_seconds=1) as reader:
        for kind in ("StorageClass", "Node"):
            with pytest.raises(NotRecordedError):
                await reader.manifest(KINDS[kind], name="x")
    (gap,) = reader.gaps
    assert (gap.permission, gap.why) == (None, "not in the snapshot")
    assert gap.what == "StorageClass/x, Node/x"


async def test_after_the_deadline_nothing_is_waited_for() -> None:
    inner = FakeReader(slow={"ConfigMap"}, manifests=(made("Service", "web"),))
    started = time.monotonic()
    async with SingleReader(reader=inner, deadline_seconds=0.05) as reader:
        assert await reader.manifests(KINDS["Service"], namespace="shop")
        for name in ("a", "b"):
            with pytest.raises(ApiUnreachableError):
                await reader.manifest(CONFIG, name=name, namespace="shop")
    assert time.monotonic() - started < 2
    (gap,) = reader.gaps
    assert gap.why == "no answer within 0.05 s"
    assert gap.what == "ConfigMap/a, ConfigMap/b"


async def test_secrets_are_never_asked_for_on_a_live_cluster_and_nobody_is_told() -> None:
    inner = FakeReader(manifests=(made("Secret", "token"),))
    async with SingleReader(reader=inner, deadline_seconds=1) as reader:
        with pytest.raises(NotAskedError):
            await reader.manifest(KINDS["Secret"], name="token", namespace="shop")
        with pytest.raises(NotAskedError):
            await reader.manifests(KINDS["Secret"], namespace="shop")
    assert not inner.reads
    assert not reader.gaps
    async with SingleReader(reader=inner, deadline_seconds=1, recorded=True) as reader:
        assert await reader.manifest(KINDS["Secret"], name="token", namespace="shop")


async def test_with_a_role_for_one_namespace_nothing_beyond_it_is_asked_for() -> None:
    inner = FakeReader()
    async with SingleReader(reader=inner, deadline_seconds=1, whole_cluster=False) as reader:
        for asked in (
            reader.manifest(KINDS["Node"], name="n"),
            reader.manifests(KINDS["StorageClass"]),
            reader.manifests(KINDS["Service"]),
            reader.pods(namespace=""),
        ):
            with pytest.raises(NotAskedError):
                await asked
        assert await reader.manifests(KINDS["Service"], namespace="shop") == ()
    assert inner.reads == [("list", "Service", "shop")]


@pytest.mark.parametrize("name", ["", "..", "a/b", "100%"])
async def test_a_name_that_nothing_can_have_is_not_asked_for(name: str) -> None:
    inner = FakeReader()
    async with SingleReader(reader=inner, deadline_seconds=1) as reader:
        assert await reader.manifest(CONFIG, name=name, namespace="shop") is None
    assert not inner.reads
    assert not reader.gaps


async def test_the_number_of_readings_is_bounded() -> None:
    inner = FakeReader()
    async with SingleReader(reader=inner, deadline_seconds=1, most_reads=3) as reader:
        for number in range(3):
            await reader.manifest(CONFIG, name=f"c{number}", namespace="shop")
        with pytest.raises(ClusterError, match="more than 3"):
            await reader.manifest(CONFIG, name="one-more", namespace="shop")
    assert len(inner.reads) == 3


async def test_a_log_comes_as_it_is_read() -> None:
    async with SingleReader(reader=FakeReader(current="words"), deadline_seconds=1) as reader:
        chunks = [each async for each in log_of(reader)]
    assert b"".join(chunks) == b"words"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (forbidden("pods/log"), "forbidden"),
        (OverloadedError("kubelet away", status=502), "kubelet away"),
        (bad_request(), None),
    ],
)
async def test_a_log_that_cannot_be_read_is_noted_unless_there_is_none(
    error: ApiError, why: str | None
) -> None:
    async with SingleReader(reader=FakeReader(current=error), deadline_seconds=1) as reader:
        with pytest.raises(type(error)):
            async with aclosing(log_of(reader)) as chunks:
                await anext(chunks)
    assert [each.why for each in reader.gaps] == ([why] if why else [])


async def test_a_log_that_hangs_ends_at_the_deadline() -> None:
    inner = FakeReader(current="words", slow={"log"})
    async with SingleReader(reader=inner, deadline_seconds=0.05) as reader:
        with pytest.raises(ApiUnreachableError):
            async with aclosing(log_of(reader)) as chunks:
                await anext(chunks)
    assert reader.gaps[0].what == "logs of Pod/p"


def log_of(reader: SingleReader) -> AsyncGenerator[bytes, None]:
    return reader.pod_log(namespace="shop", pod="p", container="c", previous=False)
