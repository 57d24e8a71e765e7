"""Nodes that are not ready or under pressure, and what the Pods on them learn of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.objects import NOW, node, said

from kausa.cluster.workloads import Node
from kausa.detection.verdict import HEALTHY
from kausa.detection.workloads.detect import detect_workload
from kausa.detection.workloads.nodes import node_state
from kausa.resources.category import Category

READY = said("Ready", "True", "KubeletReady", "kubelet is posting ready status")
LOST = said("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
NOT_READY = said("Ready", "False", "KubeletNotReady", "container runtime is down")


@pytest.mark.parametrize("ready", [LOST, NOT_READY])
def test_a_node_that_is_not_ready_is_one_failure_however_it_is_told(
    ready: dict[str, object],
) -> None:
    (symptom,) = detect_workload(node(ready), now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.NODE, "NodeNotReady")
    assert (symptom.reason_class, symptom.detail) == ("NodeNotReady", "")
    assert str(ready["message"]) in symptom.message


def test_a_node_may_be_not_ready_for_a_moment() -> None:
    verdict = detect_workload(node(said("Ready", "Unknown", ago=timedelta(seconds=2))), now=NOW)
    assert verdict.symptoms == ()
    assert verdict.look_again_at == NOW + timedelta(seconds=3)


def test_a_new_node_is_given_time_to_become_ready_but_not_to_vanish() -> None:
    young = timedelta(minutes=1)
    verdict = detect_workload(node(NOT_READY, created=young), now=NOW)
    assert verdict.symptoms == ()
    assert verdict.look_again_at == NOW + timedelta(minutes=2)
    assert len(detect_workload(node(LOST, created=young), now=NOW).symptoms) == 1


def test_every_pressure_is_a_failure_of_its_own() -> None:
    found = node(
        READY,
        said("MemoryPressure", "True", "KubeletHasInsufficientMemory", "low on memory"),
        said("DiskPressure", "True", "KubeletHasDiskPressure", "disk is full"),
        said("PIDPressure", "False"),
    )
    symptoms = detect_workload(found, now=NOW).symptoms
    assert [each.reason for each in symptoms] == ["MemoryPressure", "DiskPressure"]
    assert symptoms[1].message == "KubeletHasDiskPressure: disk is full"


def test_of_a_node_that_is_not_ready_nothing_else_is_known() -> None:
    symptoms = detect_workload(node(LOST, said("DiskPressure", "True")), now=NOW).symptoms
    assert [each.reason for each in symptoms] == ["NodeNotReady"]


def test_a_node_without_a_network_fails_when_it_is_no_longer_new() -> None:
    unrouted = said("NetworkUnavailable", "True", "NoRouteCreated", "no route")
    (symptom,) = detect_workload(node(READY, unrouted), now=NOW).symptoms
    assert symptom.reason == "NetworkUnavailable"
    new = detect_workload(node(READY, unrouted, created=timedelta(minutes=1)), now=NOW)
    assert (new.symptoms, new.look_again_at) == ((), NOW + timedelta(minutes=2))


@pytest.mark.parametrize(
    "healthy",
    [
        node(READY),
        node(READY, cordoned=True),
        node(),
        node(READY, said("MemoryPressure", "False"), said("DiskPressure", "Unknown")),
        node(READY, said("SomebodysGoodCondition", "True")),
        node(LOST, deleting=True),
    ],
    ids=["ready", "cordoned", "new", "no pressure", "somebody's condition", "deleted"],
)
def test_a_node_that_does_not_fail_has_no_symptom(healthy: Node) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY


@pytest.mark.parametrize(("ready", "is_ready"), [(READY, True), (LOST, False), (NOT_READY, False)])
def test_pods_learn_whether_their_node_is_ready(ready: dict[str, object], is_ready: bool) -> None:
    state = node_state(node(ready))
    assert (state.name, state.ready, state.uid) == ("node-1", is_ready, "uid-of-node-1")
    assert state.reason == ready["reason"]
    assert state.since == NOW - timedelta(hours=2)


def test_a_node_that_has_only_just_registered_is_not_held_against_its_pods() -> None:
    assert node_state(node()).ready
