"""The storm's figures, from what was seen on the wire to the table with its goals."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import msgspec
import pytest
from bench.storm.documents import FAILS, FAILURES, FROM, UNTIL, deployment, told_to_fail
from bench.storm.metrics import lag_seconds, parse_metrics, total
from bench.storm.outcome import Outcome, Row, percentile, rows, table
from bench.storm.place import NODES, Size
from bench.storm.usage import Usage
from bench.storm.watching import Seen
from support.cluster import REPOSITORY

BEFORE = """
# HELP kausa_event_loop_lag_seconds How late a turn was.
# TYPE kausa_event_loop_lag_seconds histogram
kausa_event_loop_lag_seconds_bucket{loop="streams",le="0.01"} 100
kausa_event_loop_lag_seconds_bucket{loop="streams",le="0.1"} 100
kausa_event_loop_lag_seconds_bucket{loop="streams",le="+Inf"} 101
kausa_event_loop_lag_seconds_bucket{loop="kopf",le="0.01"} 50
kausa_event_loop_lag_seconds_bucket{loop="kopf",le="0.1"} 50
kausa_event_loop_lag_seconds_bucket{loop="kopf",le="+Inf"} 50
kausa_queue_dropped_total{queue="pods"} 1
kausa_queue_dropped_total{queue="events"} 2
"""


def pod_line(state: dict[str, Any], *, uid: str = "u1", app: str = "app-1") -> bytes:
    pod = {
        "metadata": {"uid": uid, "namespace": "storm-0", "labels": {"app": app}},
        "status": {"containerStatuses": [{"state": state}]},
    }
    return msgspec.json.encode({"type": "MODIFIED", "object": pod})


def resource_line(
    uid: str, *, app: str = "app-1", type_: str = "ADDED", namespace: str = "storm-0", pods: int = 0
) -> bytes:
    resource = {
        "metadata": {"uid": uid, "namespace": namespace, "name": uid},
        "spec": {"target": {"name": app}},
        "status": {"failure": {"podCount": pods}} if pods else {},
    }
    return msgspec.json.encode({"type": type_, "object": resource})


WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}
RUNNING: dict[str, Any] = {"running": {"startedAt": "2026-01-02T03:04:05Z"}}


def test_the_time_runs_from_a_deployments_first_failing_status_to_its_first_resource() -> None:
    seen = Seen(prefix="storm")
    seen.pod(1.0, pod_line(RUNNING))
    seen.pod(2.0, pod_line(WAITING))
    seen.pod(2.5, pod_line(WAITING, uid="u2"))
    seen.pod(2.75, pod_line({"terminated": {"exitCode": 1}}))
    seen.diagnosis(3.5, resource_line("r1"))
    seen.diagnosis(9.0, resource_line("r1", type_="MODIFIED", pods=2))
    assert seen.latencies() == [1.5]
    assert sorted(seen.failed.values()) == [2.0, 2.5]
    assert seen.pod_counts == {"r1": 2}


def test_a_second_resource_of_one_deployment_is_counted_and_does_not_shorten_the_time() -> None:
    seen = Seen(prefix="storm")
    seen.pod(2.0, pod_line(WAITING))
    seen.diagnosis(3.0, resource_line("r1"))
    seen.diagnosis(4.0, resource_line("r2"))
    assert len(seen.created) == 2
    assert seen.latencies() == [1.0]


def test_a_deployment_without_a_resource_has_no_time_and_others_namespaces_do_not_count() -> None:
    seen = Seen(prefix="storm")
    seen.pod(2.0, pod_line(WAITING))
    seen.diagnosis(3.0, resource_line("r1", namespace="shop"))
    assert seen.latencies() == []
    assert seen.created == {}


def test_a_resource_that_was_deleted_is_still_one_that_came() -> None:
    seen = Seen(prefix="storm")
    seen.diagnosis(3.0, resource_line("r1"))
    seen.diagnosis(4.0, resource_line("r1", type_="DELETED"))
    assert len(seen.created) == 1
    assert seen.deleted == {"r1"}


@pytest.mark.parametrize("state", [RUNNING, {}, {"terminated": {"exitCode": 0}}])
def test_a_healthy_status_starts_no_clock(state: dict[str, Any]) -> None:
    seen = Seen(prefix="storm")
    seen.pod(1.0, pod_line(state))
    assert seen.failed_first == {}


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 51)]
    assert percentile(values, 0.5) == 25.0
    assert percentile(values, 0.99) == 50.0
    assert percentile([7.0], 0.5) == 7.0
    assert math.isnan(percentile([], 0.99))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, 0.01),
        ({'kopf",le="0.1"} 50': 'kopf",le="0.1"} 51', 'kopf",le="+Inf"} 50': '"} 51'}, 0.1),
    ],
)
def test_no_new_turn_of_a_loop_means_the_smallest_bound(
    changed: dict[str, str], expected: float
) -> None:
    after = BEFORE
    for old, new in changed.items():
        after = after.replace(old, new if new.startswith("kopf") else f'kopf",le="+Inf{new}')
    assert lag_seconds(parse_metrics(BEFORE), parse_metrics(after)) == expected


def test_a_turn_beyond_all_bounds_is_endless_and_no_histogram_is_no_measurement() -> None:
    after = BEFORE.replace('le="+Inf"} 101', 'le="+Inf"} 102')
    assert lag_seconds(parse_metrics(BEFORE), parse_metrics(after)) == math.inf
    assert lag_seconds(None, None) is None
    assert lag_seconds(None, parse_metrics("up 1\n")) is None


def test_samples_of_one_name_are_added_up_and_a_name_that_is_not_there_is_no_zero() -> None:
    assert total(parse_metrics(BEFORE), "kausa_queue_dropped_total") == 3.0
    assert total(parse_metrics(BEFORE), "kausa_queue_dropped") is None
    assert total(None, "kausa_queue_dropped_total") is None


GOOD = Outcome(
    size=Size(),
    latencies=[0.5] * 50,
    failed_pods=5000,
    storm_seconds=8.0,
    resources=50,
    resources_late=0,
    resources_deleted=0,
    pods_counted=5000,
    writes=500,
    pod_changes=20_000,
    lag_seconds=0.1,
    bystander_seconds=0.03,
    drops=0.0,
    at_rest=Usage(resident_mib=100, peak_mib=120, cpu_seconds=10),
    after=Usage(resident_mib=110, peak_mib=130, cpu_seconds=20),
    setup=[("20000 pods stand after", 90.0)],
)


def missed(**changed: Any) -> list[str]:
    return [row.what for row in rows(dataclasses.replace(GOOD, **changed)) if row.failed]


def test_a_good_storm_misses_nothing() -> None:
    assert missed() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"resources": 51}, "resources"),
        ({"resources": 49}, "resources"),
        ({"latencies": [0.5] * 49}, "resources"),
        ({"resources_late": 1}, "of them after the storm"),
        ({"resources_deleted": 1}, "of them deleted"),
        ({"failed_pods": 4999}, "pods that failed"),
        ({"latencies": [0.5] * 49 + [2.1]}, "status to resource, p99"),
        ({"lag_seconds": 0.25}, "lag of its loops, at most"),
        ({"lag_seconds": None}, "lag of its loops, at most"),
        ({"drops": 1.0}, "dropped from queues"),
        ({"drops": None}, "dropped from queues"),
        ({"after": Usage(resident_mib=1, peak_mib=256, cpu_seconds=20)}, "memory at its peak"),
    ],
)
def test_every_goal_is_missed_by_itself(changed: dict[str, Any], expected: str) -> None:
    assert missed(**changed) == [expected]


def test_a_machine_that_lets_them_fail_too_slowly_is_said_and_is_no_fault_of_the_operator() -> None:
    found = rows(dataclasses.replace(GOOD, storm_seconds=10.5))
    assert [row.what for row in found if row.met is False] == ["they failed within"]
    assert not any(row.failed for row in found)
    assert "machine too slow" in table(found)


def test_the_table_says_which_goal_is_missed() -> None:
    text = table([Row("a", "1", "2", False), Row("b", "1", "1", True), Row("c", "1")])
    first, second, third = text.splitlines()
    assert first.endswith("MISSED")
    assert second.endswith("met")
    assert third.rstrip().endswith("1")


def test_the_words_of_the_documents_are_those_of_the_stages() -> None:
    stages = (REPOSITORY / "hack" / "kwok" / "stages" / "storm.yaml").read_text()
    for word in (FAILS, FROM, UNTIL, *FAILURES):
        assert word in stages
    labels = deployment("app-0", replicas=3, failure="oom", node="kwok-0")["spec"]["template"]
    assert labels["metadata"]["labels"][FAILS] == "true"
    assert set(told_to_fail(begins="b", ends="e")["metadata"]["annotations"]) == {FROM, UNTIL}


def test_all_pods_of_the_usual_size_have_room_on_the_nodes() -> None:
    usual = Size()
    assert usual.pods + usual.failing <= NODES * 1000
    assert usual.failing == 5000
