"""A patch of somebody else's object is only ever asked about: it cannot be sent to be applied."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from support.fake_api_server import FakeApiServer, status

from kausa.cluster import client as client_module
from kausa.cluster import errors
from kausa.cluster.client import KubernetesClient

PATH = "/apis/apps/v1/namespaces/shop/deployments/checkout"
PATCH = {"spec": {"replicas": 2}}


async def test_a_patch_goes_out_as_a_dry_run_that_is_strict_and_under_a_name_of_its_own() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({})
        await client.dry_run(PATH, PATCH)
        (request,) = server.requests
        assert request.method == "PATCH"
        assert dict(request.query) == {
            "dryRun": "All",
            "fieldManager": "kausa-dry-run",
            "fieldValidation": "Strict",
        }
        assert request.headers["Content-Type"] == "application/strategic-merge-patch+json"


@pytest.mark.parametrize(
    "parameters", [{}, {"dryRun": ""}, {"dryRun": "None"}, {"fieldManager": "x"}]
)
async def test_a_patch_that_lost_its_dry_run_on_the_way_is_stopped_before_it_is_sent(
    parameters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "DRY_RUN", MappingProxyType(parameters))
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({})
        with pytest.raises(errors.ClusterError, match="never sent"):
            await client.dry_run(PATH, PATCH)
        assert not server.requests


@pytest.mark.parametrize("content_type", ["merge-patch", "json-patch", "strategic-merge-patch"])
async def test_no_kind_of_patch_is_sent_but_our_own_apply_and_dry_runs(content_type: str) -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({})
        with pytest.raises(errors.ClusterError, match="never sent"):
            await client._read(
                "PATCH",
                PATH,
                document=PATCH,
                content_type=f"application/{content_type}+json",
                timeout_seconds=5,
            )
        assert not server.requests
        await client.apply(PATH, {}, manager="kausa-streams")
        assert len(server.requests) == 1


async def test_a_path_cannot_bring_a_query_of_its_own() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({})
        with pytest.raises(errors.UndecodableError):
            await client.dry_run(f"{PATH}?dryRun=None&", PATCH)
        assert not server.requests


async def test_who_leads_no_more_does_not_even_ask() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({})
        client.fence(lambda: False)
        with pytest.raises(errors.LeadershipLostError):
            await client.dry_run(PATH, PATCH)
        assert not server.requests


async def test_what_the_api_server_says_against_a_patch_comes_out() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers(status(422, "Invalid", "spec.replicas: must not be negative"), code=422)
        with pytest.raises(errors.ApiError, match="must not be negative"):
            await client.dry_run(PATH, PATCH)
