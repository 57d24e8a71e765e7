"""What fails for something further up points to it, and a lost node speaks for all its Pods."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from msgspec import structs
from support.dossiers import DEPLOYMENT
from support.logs import captured_log
from support.objects import NOW, claim, deployment, node, said
from support.pods import condition, container, pod, terminated, waiting
from support.recording import Working

from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.cluster.workloads import Deployment, PersistentVolumeClaim
from kausa.resources.failure_diagnosis import FailureDiagnosis

IS_NODE = Owner(api_version="v1", kind="Node", name="node-1", uid="uid-of-node-1", namespace="ops")
QUOTA = Owner(
    api_version="v1", kind="ResourceQuota", name="compute", uid="quota-uid", namespace="shop"
)
LOST = node(said("Ready", "Unknown", "NodeStatusUnknown", ago=timedelta(minutes=1)))
OVER_QUOTA = said(
    "ReplicaFailure",
    "True",
    "FailedCreate",
    'pods "checkout-5d4f8-x2kpw" is forbidden: exceeded quota: compute, '
    "requested: requests.cpu=1, used: requests.cpu=4, limited: requests.cpu=4",
)
WAITS_FOR_CLAIM = pod(
    uid="db-2",
    name="db-2",
    phase="Pending",
    node="",
    spec={
        "nodeName": "",
        "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data-db-2"}}],
    },
    conditions=(
        condition(
            "PodScheduled",
            "False",
            "Unschedulable",
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
        ),
    ),
)


def working() -> Working:
    return Working(clock=lambda: NOW)


def crashing(uid: str = "a", *, name: str | None = None) -> Pod:
    return pod(
        container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2),
        uid=uid,
        name=name or f"checkout-{uid}",
        conditions=(condition("Ready", "False"),),
    )


def workload(name: str, *conditions: dict[str, object]) -> tuple[Deployment, Owner]:
    """A Deployment of this name, and it as an owner."""
    found = deployment(*conditions)
    meta = structs.replace(found.metadata, name=name, uid=f"uid-of-{name}")
    return structs.replace(found, metadata=meta), replace(
        DEPLOYMENT, name=name, uid=f"uid-of-{name}"
    )


def claim_of(number: int) -> tuple[PersistentVolumeClaim, Owner]:
    """One claim of a StatefulSet, and it as the owner of its own failure."""
    found = claim(storage_class=None)
    name, uid = f"data-db-{number}", f"claim-{number}"
    owner = Owner(
        api_version="v1", kind="PersistentVolumeClaim", name=name, uid=uid, namespace="shop"
    )
    return structs.replace(
        found, metadata=structs.replace(found.metadata, name=name, uid=uid)
    ), owner


def resource_of(work: Working, kind: str, name: str) -> FailureDiagnosis:
    (found,) = (
        each
        for each in work.store.resources.values()
        if (each.spec.target.kind, each.spec.target.name) == (kind, name)
    )
    return found


def warnings(log: str) -> list[str]:
    lines = [json.loads(line) for line in log.splitlines()]
    return [each["event"] for each in lines if each["level"] in ("warning", "error")]


# -- quotas ------------------------------------------------------------------------------------


async def over_one_quota() -> Working:
    """Two Deployments that one quota keeps out, recorded."""
    work = working()
    work.owners.named["ResourceQuota", "compute"] = QUOTA
    for name in ("cart", "checkout"):
        found, owner = workload(name, OVER_QUOTA)
        work.owners.of[owner.uid] = owner
        work.judge.workload(found)
    await work.work()
    return work


async def test_two_workloads_over_one_quota_are_three_failures_and_point_to_the_quotas() -> None:
    work = await over_one_quota()
    assert work.recorded() == ["Deployment/cart", "Deployment/checkout", "ResourceQuota/compute"]
    quota = resource_of(work, "ResourceQuota", "compute")
    for name in ("cart", "checkout"):
        status = resource_of(work, "Deployment", name).status
        assert status is not None
        assert status.failure is not None
        cause = status.failure.caused_by
        assert cause is not None
        assert (cause.kind, cause.name) == ("ResourceQuota", "compute")
        assert cause.diagnosis == quota.metadata.name
    assert quota.status is not None
    assert quota.status.failure is not None
    assert quota.status.failure.caused_by is None


async def test_a_quota_has_recovered_only_when_it_keeps_nobody_out_any_more() -> None:
    work = await over_one_quota()
    name = resource_of(work, "ResourceQuota", "compute").metadata.name
    for workload_name, over in (("cart", False), ("checkout", True)):
        work.judge.workload(workload(workload_name)[0])
        assert (("shop", name) in work.sightings.recovered(after_seconds=0)) is over


async def test_a_quota_that_cannot_be_read_leaves_the_workload_recorded() -> None:
    work = working()
    work.judge.workload(workload("checkout", OVER_QUOTA)[0])
    await work.work()
    assert work.recorded() == ["Deployment/checkout"]


# -- nodes ---------------------------------------------------------------------------------------


async def test_pods_of_a_lost_node_are_listed_in_its_resource_and_have_none() -> None:
    work = working()
    work.owners.of[IS_NODE.uid] = IS_NODE
    work.judge.workload(LOST)
    for uid in "abc":
        work.judge.pod(crashing(uid))
    await work.work()
    assert work.recorded() == ["Node/node-1"]
    ((_, sighting),) = work.sightings.of_owner(IS_NODE.uid)
    assert sorted(each.name for each in sighting.count.latest_pods(10)) == [
        "checkout-a",
        "checkout-b",
        "checkout-c",
    ]
    assert sighting.failing == {"a", "b", "c", IS_NODE.uid}


async def test_a_pod_that_is_looked_at_before_its_node_comes_again_until_the_node_is_there() -> (
    None
):
    work = working()
    work.owners.of[IS_NODE.uid] = IS_NODE
    work.judge.workload(LOST)
    (lost,) = await work.queued()
    work.judge.pod(crashing())
    with captured_log() as log:
        await work.work(seconds=0.05)
        assert work.recorded() == []
        work.queue.put(IS_NODE.uid, lost)
        await work.work()
    assert work.recorded() == ["Node/node-1"]
    ((_, sighting),) = work.sightings.of_owner(IS_NODE.uid)
    assert list(sighting.count.pods) == ["a"]
    assert warnings(log.getvalue()) == []


async def test_a_pod_that_works_again_before_its_node_is_recorded_is_not_listed_there() -> None:
    work = working()
    work.owners.of[IS_NODE.uid] = IS_NODE
    work.judge.workload(LOST)
    work.judge.pod(crashing())
    work.sightings.works("a")
    await work.work()
    ((_, sighting),) = work.sightings.of_owner(IS_NODE.uid)
    assert list(sighting.count.pods) == []


async def test_a_pod_of_a_lost_node_does_not_follow_what_the_node_failed_for_before() -> None:
    work = working()
    work.owners.of[IS_NODE.uid] = IS_NODE
    work.judge.workload(node(said("Ready", "True"), said("MemoryPressure", "True")))
    await work.work()
    ((pressed, _),) = work.sightings.of_owner(IS_NODE.uid)
    work.judge.workload(LOST)
    (lost,) = await work.queued()
    work.judge.pod(crashing())
    await work.work(seconds=0.05)
    assert not work.sightings.by_resource[pressed].count.pods
    work.queue.put(IS_NODE.uid, lost)
    await work.work()
    listed = {key: list(each.count.pods) for key, each in work.sightings.by_resource.items()}
    assert listed.pop(pressed) == []
    assert list(listed.values()) == [["a"]]


async def test_a_pod_waits_for_its_node_only_as_long_as_that_is_lost() -> None:
    """A new node is given minutes: nothing is said of it, nor of its Pods, until it is ready."""
    work = working()
    work.owners.of[IS_NODE.uid] = IS_NODE
    young = node(said("Ready", "False", ago=timedelta(0)), created=timedelta(seconds=30))
    work.judge.workload(young)
    work.judge.pod(crashing())
    await work.work(seconds=0.05)
    assert work.recorded() == []
    work.judge.workload(node(said("Ready", "True")))
    work.judge.due()
    await work.work()
    assert work.recorded() == ["Deployment/checkout"]


# -- claims --------------------------------------------------------------------------------------


async def test_three_claims_of_one_stateful_set_that_fail_at_once_are_one_failure() -> None:
    work = working()
    work.store.delay = 0.005
    for number in range(3):
        found, owner = claim_of(number)
        work.owners.of[owner.uid] = owner
        work.judge.workload(found)
    await work.work(workers=3)
    assert len(work.store.applied) == 1
    (key,) = work.sightings.by_resource
    for number in range(3):
        assert [known for known, _ in work.sightings.of_owner(f"claim-{number}")] == [key]
    assert work.sightings.by_resource[key].failing == {"claim-0", "claim-1", "claim-2"}


async def test_a_pod_points_to_the_resource_of_its_claims_whichever_of_them_opened_it() -> None:
    work = working()
    for number in range(3):
        found, owner = claim_of(number)
        work.owners.of[owner.uid] = owner
        work.judge.workload(found)
    await work.work()
    (claims,) = work.sightings.by_resource
    work.judge.pod(WAITS_FOR_CLAIM)
    await work.work()
    status = resource_of(work, "Deployment", "checkout").status
    assert status is not None
    assert status.failure is not None
    assert status.failure.caused_by is not None
    assert status.failure.caused_by.diagnosis == claims[1]


async def test_a_pod_that_was_recorded_before_its_claim_points_to_it_with_its_next_write() -> None:
    work = working()
    found, owner = claim_of(2)
    work.owners.of[owner.uid] = owner
    work.judge.workload(found)
    (unbound,) = await work.queued()
    work.judge.pod(WAITS_FOR_CLAIM)
    await work.work()
    ((_, sighting),) = work.sightings.of_owner(DEPLOYMENT.uid)
    assert not sighting.dirty
    work.queue.put(owner.uid, unbound)
    await work.work()
    assert sighting.dirty


async def test_the_claims_of_one_stateful_set_have_recovered_when_all_of_them_have() -> None:
    work = working()
    for number in range(2):
        found, owner = claim_of(number)
        work.owners.of[owner.uid] = owner
        work.judge.workload(found)
    await work.work()
    (key,) = work.sightings.by_resource
    for number, over in ((0, False), (1, True)):
        found, _ = claim_of(number)
        bound = structs.replace(found, status=structs.replace(found.status, phase="Bound"))
        work.judge.workload(bound)
        assert (key in work.sightings.recovered(after_seconds=0)) is over
