"""The same Pod has the same top owner, whatever the API server answered in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
import pytest
from aiohttp import web
from support.fake_api_server import FakeApiServer, status

from kausa.cluster import owners
from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials
from kausa.cluster.errors import ApiUnreachableError, OverloadedError
from kausa.cluster.objects import Marks, Meta, ObjectReference, Pod
from kausa.cluster.owners import Owner, OwnerResolver

REPLICA_SET = "/apis/apps/v1/namespaces/shop/replicasets/web-1"
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/web"
DISCOVERY = "/apis/argoproj.io/v1alpha1"
ROLLOUT = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web"
FORBIDDEN = (status(403, "Forbidden", "not for you"), 403)
UNAVAILABLE = (status(503, "ServiceUnavailable"), 503)
MISSING = (status(404, "NotFound"), 404)


def reference(kind: str, name: str, api_version: str = "apps/v1") -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": name,
        "uid": f"uid-of-{name}",
        "controller": True,
    }


def owned(name: str, *by: dict[str, Any]) -> tuple[Any, int]:
    return {"metadata": {"name": name, "uid": f"uid-of-{name}", "ownerReferences": list(by)}}, 200


def pod(by: dict[str, Any]) -> Pod:
    meta = {"name": "p", "namespace": "shop", "uid": "uid-of-p", "ownerReferences": [by]}
    return msgspec.convert({"metadata": meta}, Pod)


WEB = pod(reference("ReplicaSet", "web-1"))
ROLLED = pod(reference("Rollout", "web", "argoproj.io/v1alpha1"))
DISCOVERED = (
    {
        "resources": [
            {"name": "rollouts/status", "kind": "Rollout"},
            {"name": "rollouts", "kind": "Rollout"},
        ]
    },
    200,
)


async def top_owner(resolver: OwnerResolver, found: Pod) -> Owner | None:
    meta = found.metadata
    about = ObjectReference(
        api_version="v1", kind="Pod", namespace=meta.namespace, name=meta.name, uid=meta.uid
    )
    return await resolver.top_owner(about, meta=meta)


class Cluster:
    """What the API server has at each path, and what it was asked."""

    def __init__(self, server: FakeApiServer, client: KubernetesClient) -> None:
        self.has: dict[str, tuple[Any, int]] = {
            REPLICA_SET: owned("web-1", reference("Deployment", "web")),
            DEPLOYMENT: owned("web"),
            DISCOVERY: DISCOVERED,
            ROLLOUT: owned("web"),
        }
        self._server = server
        self.credentials = server.credentials
        self.owners = OwnerResolver(client=client)
        server.answers_by(self._choose)

    def _choose(self, request: web.Request) -> tuple[Any, int]:
        return self.has.get(request.path, MISSING)

    @property
    def asked(self) -> list[str]:
        return [request.path for request in self._server.requests]

    async def top(self, found: Pod) -> tuple[str, str] | None:
        owner = await top_owner(self.owners, found)
        return None if owner is None else (owner.kind, owner.name)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        yield Cluster(server, client)


async def test_the_chain_is_followed_once_for_all_pods(cluster: Cluster) -> None:
    for _ in range(3):
        assert await cluster.top(WEB) == ("Deployment", "web")
    assert cluster.asked == [REPLICA_SET, DEPLOYMENT]


async def test_a_parent_that_we_may_not_read_is_the_top(cluster: Cluster) -> None:
    cluster.has[REPLICA_SET] = FORBIDDEN
    for _ in range(3):
        assert await cluster.top(WEB) == ("ReplicaSet", "web-1")
    assert cluster.asked == [REPLICA_SET]


async def test_what_we_may_read_by_now_is_found_out(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "REMEMBERED_SECONDS", 0.0)
    readable = cluster.has[REPLICA_SET]
    cluster.has[REPLICA_SET] = FORBIDDEN
    assert await cluster.top(WEB) == ("ReplicaSet", "web-1")
    cluster.has[REPLICA_SET] = readable
    assert await cluster.top(WEB) == ("Deployment", "web")


@pytest.mark.parametrize("path", [REPLICA_SET, DEPLOYMENT])
async def test_a_parent_that_cannot_be_read_now_is_asked_for_again(
    cluster: Cluster, path: str
) -> None:
    readable = cluster.has[path]
    cluster.has[path] = UNAVAILABLE
    with pytest.raises(OverloadedError):
        await cluster.top(WEB)
    cluster.has[path] = readable
    assert await cluster.top(WEB) == ("Deployment", "web")


async def test_a_kind_that_cannot_be_discovered_now_is_asked_for_again(cluster: Cluster) -> None:
    owner = Owner(
        api_version="argoproj.io/v1alpha1",
        kind="Rollout",
        name="web",
        uid="uid-of-web",
        namespace="shop",
    )
    cluster.has[ROLLOUT] = owned("web", reference("Deployment", "web"))
    cluster.has[DISCOVERY] = UNAVAILABLE
    with pytest.raises(OverloadedError):
        await cluster.top(ROLLED)
    with pytest.raises(OverloadedError):
        await cluster.owners.exists(owner)
    cluster.has[DISCOVERY] = DISCOVERED
    cluster.has[DEPLOYMENT] = ({"metadata": {"name": "web", "uid": "uid-of-web"}}, 200)
    assert await cluster.top(ROLLED) == ("Deployment", "web")
    assert await cluster.owners.exists(owner)


async def test_an_api_server_that_is_away_decides_nothing() -> None:
    async with KubernetesClient(Credentials(server="http://127.0.0.1:9")) as client:
        for found in (WEB, ROLLED):
            with pytest.raises(ApiUnreachableError):
                await top_owner(OwnerResolver(client=client), found)


@pytest.mark.parametrize("answer", [FORBIDDEN, MISSING, ({"resources": None}, 200)])
async def test_a_kind_that_is_not_known_to_us_is_the_top(
    cluster: Cluster, answer: tuple[Any, int]
) -> None:
    cluster.has[DISCOVERY] = answer
    for _ in range(2):
        assert await cluster.top(ROLLED) == ("Rollout", "web")
    assert cluster.asked == [DISCOVERY]


async def test_an_owner_that_is_gone_or_replaced_is_none(cluster: Cluster) -> None:
    cluster.has[REPLICA_SET] = MISSING
    assert await cluster.top(WEB) is None
    cluster.has[REPLICA_SET] = ({"metadata": {"name": "web-1", "uid": "another"}}, 200)
    assert await cluster.top(WEB) is None


async def test_existence_is_asked_for_every_time(cluster: Cluster) -> None:
    owner = await top_owner(cluster.owners, WEB)
    assert owner is not None
    assert await cluster.owners.exists(owner)
    cluster.has[DEPLOYMENT] = FORBIDDEN
    assert await cluster.owners.exists(owner)
    cluster.has[DEPLOYMENT] = MISSING
    assert not await cluster.owners.exists(owner)
    cluster.has[DEPLOYMENT] = UNAVAILABLE
    with pytest.raises(OverloadedError):
        await cluster.owners.exists(owner)


@pytest.mark.parametrize(
    "hostile",
    [
        reference("ReplicaSet", "../../../../../api/v1/namespaces/kube-system/configmaps/x"),
        reference("ReplicaSet", ".."),
        reference("ReplicaSet", ""),
        reference("Thing", "x", "../../api/v1"),
        reference("", "x"),
    ],
)
async def test_a_reference_to_what_is_no_object_is_never_followed(
    cluster: Cluster, hostile: dict[str, Any]
) -> None:
    assert await cluster.top(pod(hostile)) == ("Pod", "p")
    cluster.has[REPLICA_SET] = owned("web-1", hostile)
    assert await cluster.top(WEB) == ("ReplicaSet", "web-1")
    assert cluster.asked == [REPLICA_SET]


async def test_what_is_remembered_is_bounded(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "REMEMBERED_PATHS", 2)
    async with KubernetesClient(cluster.credentials) as client:
        cluster.owners = OwnerResolver(client=client)
        for number, group in enumerate((0, 1, 2, 0)):
            cluster.has[f"/apis/g{group}.example/v1"] = ({"resources": []}, 200)
            await cluster.top(pod(reference("Thing", f"x{number}", f"g{group}.example/v1")))
    assert cluster.asked.count("/apis/g0.example/v1") == 2


@pytest.mark.parametrize("where", ["labels", "annotations"])
async def test_an_owner_is_marked_by_its_label_or_its_annotation(where: str) -> None:
    given: dict[str, Any] = {where: Marks(diagnose="disabled")}
    marks = Meta(name="web", namespace="shop", uid="u", **given)
    owner = await OwnerResolver(client=cast(Any, None)).top_owner(
        ObjectReference(api_version="v1", kind="Pod", name="web", namespace="shop", uid="u"),
        meta=marks,
    )
    assert owner is not None
    assert owner.marked == "disabled"


async def test_pods_of_one_owner_that_fail_at_the_same_moment_ask_once(cluster: Cluster) -> None:
    found = await asyncio.gather(*(cluster.top(WEB) for _ in range(20)))
    assert set(found) == {("Deployment", "web")}
    assert cluster.asked == [REPLICA_SET, DEPLOYMENT]
    assert cluster.owners._asked == {}


async def test_an_owner_that_cannot_be_read_is_an_error_for_each_of_its_pods(
    cluster: Cluster,
) -> None:
    cluster.has[REPLICA_SET] = UNAVAILABLE
    found = await asyncio.gather(*(cluster.top(WEB) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [OverloadedError] * 3
    assert cluster.owners._asked == {}


async def test_an_owner_that_is_watched_is_not_read(cluster: Cluster) -> None:
    marks = Marks(diagnose="false")
    cluster.owners.watched(Meta(name="web", uid="uid-of-web", annotations=marks))
    owner = await top_owner(cluster.owners, WEB)
    assert owner is not None
    assert (owner.kind, owner.marked) == ("Deployment", "false")
    assert cluster.asked == [REPLICA_SET]


async def test_an_owner_that_is_watched_no_more_is_read_again(cluster: Cluster) -> None:
    cluster.owners.watched(Meta(name="web", uid="uid-of-web"))
    assert await cluster.top(WEB) == ("Deployment", "web")
    cluster.owners.gone("uid-of-web")
    cluster.has[DEPLOYMENT] = MISSING
    assert await cluster.top(WEB) is None
