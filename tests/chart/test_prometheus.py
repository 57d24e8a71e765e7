"""A real Prometheus reads what operator and worker show, and our rules and panels work on it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from chart.observing import ALERTS, alerts, expressions, groups, tool
from kubernetes import client, config
from support.cluster import REPOSITORY, kubeconfig_path
from support.crds import apply_crds
from support.embedder_process import EmbedderProcess, free_port
from support.every_metric import every_family, operator_metrics, samples_of, worker_metrics
from support.operator_process import OperatorProcess, wait_for
from support.prometheus_process import PrometheusProcess, prometheus_process

from kausa.settings import default_cache_folder
from kausa.telemetry.server import ProbeServer

pytestmark = [pytest.mark.chart, pytest.mark.timeout(600)]

EMPTY_WHILE_ALL_IS_WELL = {"Streams that do not work A", "Streams that do not work B"}
WAIT_SECONDS = 60.0


def as_grafana_asks(expr: str) -> str:
    """The query of a panel, its variables filled in."""
    return expr.replace("$__rate_interval", "10s").replace("$namespace", ".*")


def panels_of(expr: dict[str, str]) -> dict[str, str]:
    of_rules = {
        str(rule.get("alert") or rule["record"]) for each in groups().values() for rule in each
    }
    return {where: as_grafana_asks(each) for where, each in expr.items() if where not in of_rules}


def evaluated_without_error(prometheus: PrometheusProcess) -> list[dict[str, Any]]:
    def all_evaluated() -> list[dict[str, Any]] | None:
        rules = prometheus.rules()
        if any(each["lastEvaluation"].startswith("0001") for each in rules):
            return None
        return rules

    return wait_for(all_evaluated, what="all rules to be evaluated", seconds=WAIT_SECONDS)


@contextmanager
def shown() -> Iterator[dict[str, int]]:
    """Both registries with everything in them, over our own probe servers."""
    stop, ready = threading.Event(), threading.Event()
    ports: dict[str, int] = {}

    async def serve() -> None:
        registries = {
            "kausa": operator_metrics().registry,
            "kausa-embedder": worker_metrics().registry,
        }
        servers = {
            name: ProbeServer(
                host="127.0.0.1",
                port=0,
                livez=lambda: None,
                readyz=lambda: None,
                registry=registry,
            )
            for name, registry in registries.items()
        }
        async with servers["kausa"], servers["kausa-embedder"]:
            ports.update({name: server.port for name, server in servers.items()})
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield ports
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module")
def of_everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusProcess]:
    folder = tmp_path_factory.mktemp("prometheus")
    with (
        shown() as ports,
        prometheus_process(tool("prometheus"), folder, targets=ports, rules=ALERTS) as running,
    ):
        # For a rate there must have been several looks.
        wait_for(
            lambda: running.query("sum(count_over_time(up[1m])) >= 12") or None,
            what="some scrapes",
            seconds=WAIT_SECONDS,
        )
        yield running


def test_every_metric_is_read_by_its_name_and_with_its_type(
    of_everything: PrometheusProcess,
) -> None:
    names = of_everything.get("/api/v1/label/__name__/values")
    for name, family in every_family().items():
        assert samples_of(name, family) <= set(names)
    told = of_everything.get("/api/v1/metadata")
    types = {name.removesuffix("_total"): entries[0]["type"] for name, entries in told.items()}
    for name, family in every_family().items():
        assert types[name.removesuffix("_total")] == family.type


def test_every_rule_is_evaluated_without_an_error(of_everything: PrometheusProcess) -> None:
    rules = evaluated_without_error(of_everything)
    assert len(rules) == sum(len(each) for each in groups().values())
    assert {(each["health"], each.get("lastError", "")) for each in rules} == {("ok", "")}


def test_every_query_of_the_dashboard_finds_something(of_everything: PrometheusProcess) -> None:
    empty = {
        where for where, expr in panels_of(expressions()).items() if not of_everything.query(expr)
    }
    assert empty == EMPTY_WHILE_ALL_IS_WELL


def test_every_recorded_series_is_there(of_everything: PrometheusProcess) -> None:
    evaluated_without_error(of_everything)
    for rules in groups().values():
        for rule in rules:
            # 5xx answers are all that there is none of.
            if "record" in rule and rule["record"] != "job:kausa_embedder_failed:ratio_rate5m":
                assert of_everything.query(rule["record"]), rule["record"]


@pytest.fixture(scope="module")
def of_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusProcess]:
    """An operator that leads on a real cluster, with a real worker and a model that is away."""
    folder = tmp_path_factory.mktemp("observed")
    kubeconfig = kubeconfig_path()
    apply_crds(kubeconfig)
    subprocess.run([sys.executable, str(REPOSITORY / "hack" / "models" / "fetch.py")], check=True)
    namespace = f"kausa-metrics-{uuid.uuid4().hex[:8]}"
    worker = EmbedderProcess(
        folder=folder,
        model_path=default_cache_folder() / "models" / "all-MiniLM-L6-v2-w8a8",
        port=free_port(),
        settings={},
    )
    operator = OperatorProcess(
        kubeconfig=kubeconfig,
        folder=folder,
        KAUSA_NAMESPACE=namespace,
        KAUSA_PROBE_HOST="127.0.0.1",
        KAUSA_PROBE_PORT=str(port := free_port()),
        KAUSA_EMBEDDER="http",
        KAUSA_EMBEDDER_URL=worker.url,
        KAUSA_MODEL_URL="http://127.0.0.1:9",
    )
    with config.new_client_from_config(kubeconfig) as api:
        core = client.CoreV1Api(api)
        core.create_namespace({"metadata": {"name": namespace}})
        try:
            worker.start()
            asyncio.run(worker.ready())
            operator.start()
            targets = {"kausa": port, "kausa-embedder": worker.port}
            with prometheus_process(
                tool("prometheus"), folder, targets=targets, rules=ALERTS
            ) as running:
                yield running
        finally:
            operator.stop()
            asyncio.run(worker.stop())
            core.delete_namespace(namespace, grace_period_seconds=0)


def test_operator_and_worker_are_scraped_and_nothing_of_them_is_refused(
    of_processes: PrometheusProcess,
) -> None:
    def both_up() -> list[dict[str, Any]] | None:
        found = of_processes.targets()
        return found if {each["health"] for each in found} == {"up"} else None

    found = wait_for(both_up, what="both targets to be up", seconds=WAIT_SECONDS)
    assert {each["lastError"] for each in found} == {""}
    assert {each["labels"]["job"] for each in found} == {"kausa", "kausa-embedder"}


def test_a_real_operator_shows_that_it_leads_watches_and_remembers(
    of_processes: PrometheusProcess,
) -> None:
    for expr in (
        "kausa_leader == 1",
        'kausa_watch_synced{kind="pods"} == 1',
        "kausa_memory_available == 1",
        "kausa_model_available == 0",
        "kausa_embedder_ready == 1",
        'kausa_embedder_requests_total{route="/v1/embeddings", code="200"} > 0',
        'kausa_diagnosis_duration_seconds_count{decided_by="Rules"} == 0',
    ):
        wait_for(lambda expr=expr: of_processes.query(expr), what=expr, seconds=WAIT_SECONDS)  # type: ignore[misc]


def test_rules_and_panels_work_on_what_real_processes_show(
    of_processes: PrometheusProcess,
) -> None:
    rules = evaluated_without_error(of_processes)
    assert {(each["health"], each.get("lastError", "")) for each in rules} == {("ok", "")}
    for expr in panels_of(expressions()).values():
        of_processes.query(expr)


def test_the_only_alert_is_the_one_that_is_meant_and_its_text_is_whole(
    of_processes: PrometheusProcess,
) -> None:
    """The model is away, so that alert waits for its time; all else is well."""

    def no_other() -> dict[str, Any] | None:
        # What is not there yet at the start waits, too, until it is.
        found = of_processes.get("/api/v1/alerts")["alerts"]
        names = {each["labels"]["alertname"] for each in found}
        return found[0] if names == {"KausaModelAway"} else None

    alert = wait_for(no_other, what="no alert but that of the model", seconds=WAIT_SECONDS)
    assert alert["state"] == "pending"
    assert alert["labels"]["severity"] == "warning"
    assert alert["labels"]["namespace"] == "kausa-system"
    (ours,) = (each for each in alerts() if each.name == "KausaModelAway")
    assert alert["annotations"] == ours.annotations
