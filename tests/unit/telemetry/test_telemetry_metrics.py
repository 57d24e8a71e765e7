"""What is shown to Prometheus is what happened, is documented, and costs the streams nothing."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from enum import StrEnum

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.cluster import REPOSITORY
from support.every_metric import every_family, operator_metrics, pods_watcher

from kausa.memory.metrics import MemoryMetrics
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy
from kausa.telemetry.metrics import Metrics, measure_loop_lag

TABLE = REPOSITORY / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(kausa_\w+)` \| (\w+) \| ([^|]*)\| ([^|]*)\| ([^|]+)\|", re.MULTILINE)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_the_tables_and_the_registries_of_operator_and_worker_say_the_same() -> None:
    documented = {
        name: (type_, tuple(sorted(re.findall(r"`(\w+)`", labels))))
        for name, type_, labels, _, _ in ROW.findall(TABLE.read_text())
    }
    shown = {}
    for name, family in every_family().items():
        labels = {label for each in family.samples for label in each.labels} - {"le"}
        shown[name] = (family.type, tuple(sorted(labels)))
    assert shown == documented


def test_no_module_makes_metrics_that_the_tables_do_not_know_of() -> None:
    """Whoever adds one has it happen in `support.every_metric`, which the tables are held to."""
    makers = re.compile(
        r"prometheus_client(?:\.\w+)* import (?:\(|[^\n]*(?:Counter|Gauge|Histogram|MetricFamily))"
    )
    found = {
        str(path.relative_to(REPOSITORY))
        for folder in ("operator", "embedder")
        for path in (REPOSITORY / folder).rglob("*.py")
        if makers.search(path.read_text())
    }
    assert found == {
        "embedder/kausa_embedder/service/metrics.py",
        "operator/kausa/diagnosis/model/metrics.py",
        "operator/kausa/memory/metrics.py",
        "operator/kausa/telemetry/metrics.py",
        "operator/kausa/telemetry/watch_metrics.py",
    }


def test_every_row_of_the_table_is_whole() -> None:
    text = TABLE.read_text()
    rows = [each for each in text.splitlines() if each.startswith("| `")]
    assert len(rows) == len(ROW.findall(text))
    for row in rows:
        assert row.count("|") == 7
        name, unit = row.split("|")[1].strip(" `"), row.split("|")[4].strip()
        assert unit
        for base in ("seconds", "bytes"):
            assert (base in name.removesuffix("_total").split("_")) == (unit == base), name


def test_every_metric_is_explained_and_has_our_name() -> None:
    for name, family in every_family().items():
        assert family.documentation.endswith(".")
        assert name.startswith("kausa_")


def test_nothing_gets_into_the_registry_that_all_share() -> None:
    before = {family.name for family in prometheus_client.REGISTRY.collect()}
    every_family()
    every_family()
    assert {family.name for family in prometheus_client.REGISTRY.collect()} == before


def test_what_prometheus_reads_is_what_happened() -> None:
    text = prometheus_client.generate_latest(operator_metrics().registry).decode()
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples[("kausa_symptoms_total", ("category", "OOMKilled"))] == 1
    assert samples[("kausa_queue_depth",)] == 3
    assert samples[("kausa_queue_dropped_total",)] == 2
    assert samples[("kausa_failures_unresolved",)] == 5
    assert samples[("kausa_detection_latency_seconds_bucket", ("le", "0.5"))] == 1
    assert samples[("kausa_detection_latency_seconds_bucket", ("le", "0.25"))] == 0
    assert samples[("kausa_diagnosis_duration_seconds_count", ("decided_by", "Rules"))] == 1
    assert not [key for key in samples if str(key[0]).endswith("_created")]


def test_a_stream_is_read_when_somebody_asks() -> None:
    metrics, stream = Metrics(), pods_watcher()
    metrics.observe_watch("pods", stream)
    for name in ("listed", "added", "modified", "deleted", "vanished"):
        assert value(metrics, "kausa_watch_changes_total", kind="pods", type=name) == 0
    stream.tally.modified += 7
    stream.tally.relists += 2
    stream.tally.bytes_read += 1000
    assert value(metrics, "kausa_watch_changes_total", kind="pods", type="modified") == 7
    assert value(metrics, "kausa_watch_relists_total", kind="pods") == 2
    assert value(metrics, "kausa_watch_received_bytes_total", kind="pods") == 1000
    assert value(metrics, "kausa_watch_synced", kind="pods") == 0
    stream.synced.set()
    assert value(metrics, "kausa_watch_synced", kind="pods") == 1
    time.sleep(0.02)
    age = value(metrics, "kausa_watch_age_seconds", kind="pods")
    assert age is not None
    assert 0.02 <= age < 5


def test_a_stream_takes_the_place_of_the_one_before_it() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.observe_watch("pods", pods_watcher())
    families = {family.name: family for family in metrics.registry.collect()}
    assert len(families["kausa_watch_objects"].samples) == 1


def test_what_has_not_happened_yet_is_there_with_0_so_that_the_first_time_is_seen() -> None:
    metrics = Metrics()
    metrics.observe_deciders(DecidedBy)
    MemoryMetrics(metrics.registry)
    for name, label, values in (
        ("kausa_diagnosis_duration_seconds_count", "decided_by", ("Rules", "Model")),
        ("kausa_memory_syncs_total", "result", ("complete", "failed")),
        (
            "kausa_memory_records_dropped_total",
            "why",
            ("full", "malformed", "refused", "ending"),
        ),
    ):
        for each in values:
            assert value(metrics, name, **{label: each}) == 0


def test_leading_is_counted_when_it_changes() -> None:
    metrics = Metrics()
    assert value(metrics, "kausa_leader") == 0
    for leads in (False, True, True, False, True):
        metrics.leads(leads)
    assert value(metrics, "kausa_leader") == 1
    assert value(metrics, "kausa_leader_transitions_total") == 3


def test_every_category_is_a_label() -> None:
    metrics = Metrics()
    category: StrEnum
    for category in Category:
        metrics.symptom_seen(category)
        assert value(metrics, "kausa_symptoms_total", category=category.value) == 1


def test_a_symptom_that_was_seen_again_is_counted_again_with_its_own_category_alone() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.symptom_seen(Category.OOM_KILLED)
    metrics.symptom_seen(Category.IMAGE_PULL)
    assert value(metrics, "kausa_symptoms_total", category="OOMKilled") == 3
    assert value(metrics, "kausa_symptoms_total", category=Category.IMAGE_PULL.value) == 1


def test_to_count_a_symptom_costs_no_lookup_in_a_metric_of_prometheus() -> None:
    """Measured against the work that it is to save, so that a slow machine changes nothing."""
    metrics, registry = Metrics(), prometheus_client.CollectorRegistry()
    counter = prometheus_client.Counter("slow", "Slow.", ("category",), registry=registry)

    def best(count: Callable[[StrEnum], object]) -> float:
        rounds = []
        for _ in range(5):
            began = time.process_time()
            for _ in range(2_000):
                count(Category.OOM_KILLED)
            rounds.append(time.process_time() - began)
        return min(rounds)

    slow = best(lambda category: counter.labels(category).inc())
    assert best(metrics.symptom_seen) < slow / 2


@pytest.mark.parametrize(("held_up", "late"), [(0.0, False), (8.0, True)])
async def test_a_loop_that_is_held_up_is_seen(
    held_up: float, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics()
    loop = asyncio.get_running_loop()
    real, leap = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: real() + leap)
    task = asyncio.ensure_future(measure_loop_lag(metrics, every=0.01))
    await asyncio.sleep(0.03)
    leap = held_up  # As if nothing had run for so long.
    while (value(metrics, "kausa_event_loop_lag_seconds_count") or 0) < 3:
        await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    looked = value(metrics, "kausa_event_loop_lag_seconds_count")
    in_time = value(metrics, "kausa_event_loop_lag_seconds_bucket", le="5.0")
    assert looked is not None
    assert in_time is not None
    assert (in_time < looked) is late
