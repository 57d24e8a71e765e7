"""What a real operator tells of its diagnoses: traces, ids on its lines, and pages, if it is asked.

The image is one that no registry has, so that every cluster has the failure within seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from kubernetes import client, config
from support.crds import apply_crds
from support.embedder_process import free_port
from support.namespace import Namespace
from support.operator_process import OperatorProcess
from support.trace_collector import TraceCollector, attributes, trace_collector

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

STEPS = {"diagnosis", "gather", "redact", "rules", "recall", "publish"}
DEPLOYMENT: dict[str, Any] = {
    "metadata": {"name": "checkout"},
    "spec": {
        "selector": {"matchLabels": {"app": "checkout"}},
        "template": {
            "metadata": {"labels": {"app": "checkout"}},
            "spec": {
                "containers": [{"name": "api", "image": "registry.invalid/shop/checkout:v1"}],
            },
        },
    },
}


@pytest.fixture
def namespace(cluster_kubeconfig: str) -> Iterator[Namespace]:
    apply_crds(cluster_kubeconfig)
    name = f"kausa-telemetry-{uuid.uuid4().hex[:8]}"
    with config.new_client_from_config(cluster_kubeconfig) as api:
        core = client.CoreV1Api(api)
        core.create_namespace({"metadata": {"name": name}})
        yield Namespace(api, name)
        core.delete_namespace(name, grace_period_seconds=0)


@contextlib.asynccontextmanager
async def operating(
    namespace: Namespace, kubeconfig: str, folder: Path, **settings: str
) -> AsyncIterator[OperatorProcess]:
    operator = OperatorProcess(
        kubeconfig=kubeconfig, folder=folder, KAUSA_NAMESPACE=namespace.name, **settings
    )
    try:
        await asyncio.to_thread(operator.start)
        yield operator
    finally:
        await asyncio.to_thread(operator.stop)


async def page(port: int, path: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        text = await response.text()
        return response.status, json.loads(text) if text.startswith("{") else None


def look_of(lines: list[dict[str, Any]], collector: TraceCollector) -> tuple[str, str]:
    """The first look that had a result, and its trace."""
    line = next(each for each in lines if each["event"] == "Diagnosed")
    assert collector.spans
    return line["diagnosis"], line["trace"]


async def test_a_diagnosis_is_traced_and_followed_in_the_log_and_pages_tell_of_the_operator(
    namespace: Namespace, cluster_kubeconfig: str, tmp_path: Path
) -> None:
    port = free_port()
    async with trace_collector() as collector:
        async with operating(
            namespace,
            cluster_kubeconfig,
            tmp_path,
            KAUSA_MEMORY_ENABLED="false",
            KAUSA_PROBE_PORT=str(port),
            KAUSA_PROBE_HOST="127.0.0.1",
            KAUSA_DEBUG_ENDPOINTS="true",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        ) as operator:
            await asyncio.to_thread(namespace.apply, DEPLOYMENT)
            resource = await asyncio.to_thread(namespace.diagnosis_of, "checkout")
            _, memory = await page(port, "/debug/memory")
            status, _ = await page(port, "/debug/models")
        lines = [json.loads(each) for each in operator.log().splitlines() if each[:1] == "{"]
    assert status == 200
    assert memory["parts"]["watch.pods"]["entries"] == 1
    assert memory["parts"]["sightings.failures"]["entries"] == 1

    name = f"{namespace.name}/{resource['metadata']['name']}"
    look, trace = look_of(lines, collector)
    assert look.startswith(f"{name}#")
    spans = [each for each in collector.spans if each.trace_id.hex() == trace]
    assert {each.name for each in spans} == STEPS
    assert {attributes(each)["kausa.diagnosis"] for each in spans} == {look}
    assert collector.resource["service.name"] == "kausa"
    assert collector.resource["service.version"]
    # Nothing that the cluster says is sent.
    assert b"registry.invalid" not in b"".join(collector.bodies)


async def test_nothing_of_it_is_there_unless_it_is_asked_for(
    namespace: Namespace, cluster_kubeconfig: str, tmp_path: Path
) -> None:
    port = free_port()
    async with operating(
        namespace,
        cluster_kubeconfig,
        tmp_path,
        KAUSA_MEMORY_ENABLED="false",
        KAUSA_PROBE_PORT=str(port),
        KAUSA_PROBE_HOST="127.0.0.1",
    ):
        assert (await page(port, "/debug/memory"))[0] == 404
        assert (await page(port, "/debug/models"))[0] == 404
        assert (await page(port, "/livez"))[0] != 404
