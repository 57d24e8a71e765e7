"""Rollouts are remembered once each as they begin and end, and nothing else is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from support.rollouts import after, daemon_set, deployment, stateful_set

from kausa.cluster.workloads import Deployment, Node
from kausa.controller.rollouts import RolloutTracker
from kausa.learning.rollout_kinds import RollingMarks
from kausa.memory.records import RolloutRecord


class FakeQueue:
    def __init__(self) -> None:
        self.records: list[RolloutRecord] = []

    def offer(self, record: RolloutRecord) -> None:
        self.records.append(record)

    def said(self) -> list[tuple[str, str]]:
        return [(each.revision, each.outcome) for each in self.records]


class Clock:
    def __init__(self) -> None:
        self.seconds = 1.0

    def __call__(self) -> datetime:
        return after(self.seconds)


def tracker(queue: FakeQueue, clock: Clock | None = None) -> RolloutTracker:
    return RolloutTracker(
        queue=queue,
        cluster="c1",
        redact=lambda text: text.replace("secret", "*"),
        watches=lambda namespace: namespace == "shop",
        clock=clock or Clock(),
    )


def test_a_rollout_is_said_as_it_begins_and_as_it_ends() -> None:
    queue = FakeQueue()
    found = tracker(queue)
    found.saw(deployment(reason="NewReplicaSetCreated"))
    found.saw(deployment(reason="ReplicaSetUpdated", at=3))
    found.saw(deployment(reason="NewReplicaSetAvailable", at=9))
    found.saw(deployment(reason="NewReplicaSetAvailable", at=9, generation=2))
    assert queue.said() == [("1", "STARTED"), ("1", "SUCCEEDED")]
    assert len({each.record_id for each in queue.records}) == 1
    assert queue.records[-1].duration_seconds == 9
    assert len(found) == 0


def test_the_next_revision_says_what_was_changed() -> None:
    queue = FakeQueue()
    found = tracker(queue)
    found.saw(deployment(reason="NewReplicaSetAvailable"))
    found.saw(deployment(image="shop/api:2", revision="2", generation=2))
    assert queue.said() == [("1", "SUCCEEDED"), ("2", "STARTED")]
    assert queue.records[-1].changed == ("containers[app].image: shop/api:1 -> shop/api:2",)
    found.saw(
        deployment(
            image="shop/api:2",
            revision="2",
            generation=2,
            reason="NewReplicaSetAvailable",
            at=9,
        )
    )
    assert queue.records[-1].changed == ("containers[app].image: shop/api:1 -> shop/api:2",)


def test_the_end_of_the_rollout_before_is_not_taken_for_its_own() -> None:
    queue = FakeQueue()
    found = tracker(queue)
    found.saw(deployment(reason="NewReplicaSetAvailable", at=5))
    new: dict[str, Any] = {"revision": "2", "generation": 2, "began": 60}
    found.saw(deployment(reason="NewReplicaSetAvailable", at=5, **new))
    found.saw(deployment(reason="NewReplicaSetAvailable", at=5, **new))
    assert queue.said() == [("1", "SUCCEEDED"), ("2", "STARTED")]
    found.saw(deployment(reason="ReplicaSetUpdated", at=61, **new))
    found.saw(deployment(reason="ProgressDeadlineExceeded", at=90, **new))
    newer: dict[str, Any] = {"revision": "3", "generation": 3, "began": 100}
    found.saw(deployment(reason="ProgressDeadlineExceeded", at=90, **newer))
    found.saw(deployment(reason="NewReplicaSetAvailable", at=104, **newer))
    assert queue.said()[2:] == [("2", "FAILED"), ("3", "STARTED"), ("3", "SUCCEEDED")]


def test_a_rollout_that_is_replaced_before_it_came_up_did_not() -> None:
    queue = FakeQueue()
    found = tracker(queue)
    found.saw(deployment())
    found.saw(deployment(revision="2", generation=2, began=30))
    assert queue.said() == [("1", "STARTED"), ("1", "FAILED"), ("2", "STARTED")]
    assert queue.records[1].reason == "Replaced"
    assert queue.records[1].last_seen == after(30)


def test_one_that_failed_may_come_up_later_and_one_that_came_up_stays_so() -> None:
    queue = FakeQueue()
    found = tracker(queue)
    found.saw(deployment(reason="ProgressDeadlineExceeded", at=600))
    found.saw(deployment(reason="NewReplicaSetAvailable", at=700))
    found.saw(deployment(reason="ProgressDeadlineExceeded", at=800))
    assert queue.said() == [("1", "FAILED"), ("1", "SUCCEEDED")]


def test_a_pod_that_fails_later_or_a_node_that_comes_begins_no_rollout() -> None:
    queue = FakeQueue()
    found = tracker(queue)
    found.saw(daemon_set(updated=4))
    found.saw(daemon_set(updated=3, available=3))
    found.saw(daemon_set(updated=4, available=2))
    assert queue.said() == [("2", "SUCCEEDED")]


def test_what_stands_still_is_found_by_looking_again() -> None:
    queue, clock = FakeQueue(), Clock()
    found = tracker(queue, clock)
    found.saw(stateful_set(updated=1, moved=5))
    found.look_again()
    assert queue.said() == [("db-2", "STARTED")]
    clock.seconds = 700
    found.look_again()
    found.look_again()
    assert queue.said() == [("db-2", "STARTED"), ("db-2", "FAILED")]


def test_after_a_restart_the_same_is_said_again_and_no_more() -> None:
    first, second = FakeQueue(), FakeQueue()
    tracker(first).saw(deployment(reason="NewReplicaSetAvailable", at=9))
    tracker(second).saw(deployment(reason="NewReplicaSetAvailable", at=9))
    assert first.records == second.records


def test_what_began_long_ago_is_not_said_at_the_start() -> None:
    queue, clock = FakeQueue(), Clock()
    clock.seconds = 2 * 86_400
    found = tracker(queue, clock)
    found.saw(deployment(reason="NewReplicaSetAvailable", at=9))
    found.saw(stateful_set(generation=1, current="db-2", ready=1, moved=clock.seconds))
    found.saw(daemon_set(updated=4, available=3, moved=clock.seconds))
    assert queue.records == []
    assert len(found) == 0
    found.saw(deployment(revision="2", generation=2, began=clock.seconds, at=clock.seconds))
    assert queue.said() == [("2", "STARTED")]


def test_a_rollout_whose_workload_is_deleted_has_failed_and_is_forgotten() -> None:
    queue, clock = FakeQueue(), Clock()
    found = tracker(queue, clock)
    found.saw(deployment())
    clock.seconds = 30.0
    found.gone("uid-api")
    found.look_again()
    assert (len(found), queue.said()) == (0, [("1", "STARTED"), ("1", "FAILED")])
    assert (queue.records[-1].reason, queue.records[-1].last_seen) == ("Deleted", after(30))
    assert queue.records[-1].record_id == queue.records[0].record_id


def test_a_rollout_that_came_up_stays_so_when_its_workload_is_deleted() -> None:
    queue = FakeQueue()
    found = tracker(queue)
    found.saw(deployment(reason="NewReplicaSetAvailable"))
    found.gone("uid-api")
    assert queue.said() == [("1", "SUCCEEDED")]


def test_a_rollout_has_the_labels_of_its_pods_without_secrets_and_what_controllers_write() -> None:
    queue = FakeQueue()
    tracker(queue).saw(deployment())
    assert queue.records[-1].labels == ("app=api", "note=*")


def test_other_kinds_and_namespaces_are_nothing() -> None:
    queue = FakeQueue()
    found = tracker(queue)
    found.saw(Node())
    found.saw(Deployment())
    away = deployment()
    found.saw(type(away)(spec=away.spec, status=away.status))
    assert queue.records == []


def test_who_asks_to_be_left_alone_is() -> None:
    queue = FakeQueue()
    found = deployment()
    marks = msgspec.structs.replace(found.metadata.annotations or RollingMarks(), diagnose="false")
    meta = msgspec.structs.replace(found.metadata, annotations=marks)
    tracker(queue).saw(msgspec.structs.replace(found, metadata=meta))
    assert queue.records == []


def test_images_are_redacted() -> None:
    queue = FakeQueue()
    found = tracker(queue)
    found.saw(deployment(image="secret/api:1", reason="NewReplicaSetAvailable"))
    found.saw(deployment(image="secret/api:2", revision="2", generation=2))
    assert "secret" not in repr(queue.records)
