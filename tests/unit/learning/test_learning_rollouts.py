"""A workload as it stands tells which rollout it is in, and how that went."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from support.rollouts import BEGAN, after, daemon_set, deployment, stateful_set

from kausa.cluster.workloads import WORKLOADS
from kausa.learning.rollout_kinds import ROLLING_KINDS, Rolling, RollingDeployment
from kausa.learning.rollouts import image_changes, record_of_rollout, rollout_of


def outcome(found: Rolling, *, seconds: float = 60) -> str | None:
    rollout = rollout_of(found, now=after(seconds))
    return rollout.outcome if rollout is not None else None


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("NewReplicaSetCreated", "STARTED"),
        ("FoundNewReplicaSet", "STARTED"),
        ("ReplicaSetUpdated", "STARTED"),
        ("DeploymentPaused", "STARTED"),
        ("ReplicaSetCreateError", "STARTED"),
        ("NewReplicaSetAvailable", "SUCCEEDED"),
        ("ProgressDeadlineExceeded", "FAILED"),
    ],
)
def test_a_deployments_condition_tells(reason: str, expected: str) -> None:
    assert outcome(deployment(reason=reason)) == expected


def test_nothing_is_told_before_the_controller_has_seen_the_change() -> None:
    found = deployment(reason="NewReplicaSetAvailable", generation=2, observed=1)
    assert rollout_of(found, now=after(1)) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}, "SUCCEEDED"),
        ({"updatedReplicas": 3, "replicas": 4, "availableReplicas": 4}, "STARTED"),
        ({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 2}, "STARTED"),
        ({"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}, "STARTED"),
    ],
)
def test_a_deployment_without_a_deadline_is_counted(status: Any, expected: str) -> None:
    assert outcome(deployment(reason=None, **status)) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (stateful_set(updated=1), "STARTED"),
        (stateful_set(current="db-2", updated=3, ready=2), "SUCCEEDED"),
        (stateful_set(generation=1, current="db-2", ready=1), "STARTED"),
        (stateful_set(generation=1, current="db-2", ready=3), "SUCCEEDED"),
        (stateful_set(updated=1, partition=2), "SUCCEEDED"),
        (stateful_set(updated=1, partition=1), "STARTED"),
        (stateful_set(updated=1, strategy="OnDelete"), None),
        (daemon_set(updated=1), "STARTED"),
        (daemon_set(updated=4, available=3), "STARTED"),
        (daemon_set(updated=4), "SUCCEEDED"),
        (daemon_set(updated=1, updateStrategy={"type": "OnDelete"}), None),
    ],
)
def test_stateful_sets_and_daemon_sets_are_counted(found: Rolling, expected: str | None) -> None:
    assert outcome(found) == expected


@pytest.mark.parametrize("found", [stateful_set(updated=1, moved=100), daemon_set(moved=100)])
def test_without_any_progress_they_did_not_come_up(found: Rolling) -> None:
    assert outcome(found, seconds=699) == "STARTED"
    assert outcome(found, seconds=700) == "FAILED"


def test_the_record_says_what_how_and_how_long() -> None:
    found = deployment(reason="NewReplicaSetAvailable", at=42, revision="7")
    rollout = rollout_of(found, now=after(500))
    assert rollout is not None
    record = record_of_rollout(rollout, found, kind="Deployment", cluster="c1")
    assert (record.owner, record.revision, record.outcome) == (
        "Deployment/api",
        "7",
        "SUCCEEDED",
    )
    assert (record.first_seen, record.last_seen) == (BEGAN, after(42))
    assert record.duration_seconds == 42
    assert record.images == ("shop/init:1", "shop/api:1")


def test_the_same_object_is_the_same_record_whenever_it_is_read() -> None:
    found = deployment(reason="NewReplicaSetAvailable", at=42)
    records = [
        record_of_rollout(rollout, found, kind="Deployment", cluster="c1")
        for seconds in (50, 50_000)
        if (rollout := rollout_of(found, now=after(seconds))) is not None
    ]
    assert records[0] == records[1]


def test_who_touches_the_object_later_makes_no_negative_duration() -> None:
    found = deployment(reason="NewReplicaSetAvailable", at=42, began=90)
    rollout = rollout_of(found, now=after(100))
    assert rollout is not None
    record = record_of_rollout(rollout, found, kind="Deployment", cluster="c1")
    assert record.duration_seconds is None
    assert record.first_seen <= record.last_seen


def test_what_was_changed_is_told_as_what_mended_a_failure_is() -> None:
    before = (("app", "registry.example.com/shop/api:1"), ("old", "x:1"))
    after_ = (("app", "registry.example.com/shop/api:2"), ("new", "y:1"))
    assert image_changes(before, after_, at=BEGAN) == (
        "containers[app].image: shop/api:1 -> shop/api:2",
        "containers[old].image removed: x:1",
        "containers[new].image added: y:1",
    )


def test_the_kinds_that_are_decoded_instead_are_judged_as_before() -> None:
    plain = {kind for _, kind in WORKLOADS.values()}
    assert set(ROLLING_KINDS) <= plain
    for kind, rolling in ROLLING_KINDS.items():
        assert issubclass(rolling, kind)
        assert set(kind.__struct_fields__) <= set(rolling.__struct_fields__)
    whole = b'{"metadata":{"annotations":{"kausa.dev/diagnose":"false"}},"spec":{"paused":true}}'
    found = msgspec.json.decode(whole, type=RollingDeployment)
    assert found.metadata.annotations is not None
    assert (found.metadata.annotations.diagnose, found.spec.paused) == ("false", True)
