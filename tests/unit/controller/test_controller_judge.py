"""What becomes of a change: judged with what stands around it, in whatever order that came."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from msgspec.structs import replace
from support.logs import captured_log
from support.objects import NOW, claim, deployment, node, note, said, service
from support.pods import at, condition, container, event, pod, running, terminated, waiting
from support.recording import Working

from kausa.cluster.objects import Marks, Pod
from kausa.cluster.workloads import Node, PersistentVolumeClaim
from kausa.controller.scope import Scope
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

UNREADY = condition("Ready", "False", "ContainersNotReady")
LOOPS = container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=4)
PULLS = pod(container(waiting("ImagePullBackOff")), uid="u", phase="Pending")
CRASHES = pod(LOOPS, uid="u", conditions=(UNREADY,))
HEARTBEATS_ENDED = said("Ready", "Unknown", "NodeStatusUnknown", ago=timedelta(minutes=1))
LOST: Node = node(HEARTBEATS_ENDED)
BACK: Node = node(said("Ready", "True"))
NO_SERVICE = Symptom(
    category=Category.SERVICE, reason="None", reason_class="None", detail="", message=""
)
UNBOUND = 'persistentvolumeclaim "data-db-0" is unbound'
VOLUMES = {
    "nodeName": "",
    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}],
}
WAITS_FOR_CLAIM = pod(
    uid="u",
    phase="Pending",
    node="",
    spec=VOLUMES,
    conditions=(
        condition(
            "PodScheduled",
            "False",
            "Unschedulable",
            "0/1 nodes are available: 1 pod has unbound immediate PersistentVolumeClaims.",
        ),
    ),
)


class Judging(Working):
    """With a clock that is set by hand."""

    def __init__(self, *, scope: Scope | None = None, queue_size: int = 100) -> None:
        self.now = NOW
        super().__init__(scope=scope or Scope(), clock=lambda: self.now, queue_size=queue_size)

    def shown(self, uid: str = "u") -> list[tuple[str, int, str]]:
        """Reason class, occurrences and upstream of all that the object shows now."""
        found = self.sightings.failing.get(uid)
        return [
            (each.reason_class, each.occurrences, each.caused_by.name if each.caused_by else "")
            for each in (found.now if found is not None else ())
        ]


# -- Events ------------------------------------------------------------------------------------


async def test_an_event_about_a_failing_pod_judges_it_again() -> None:
    judging = Judging()
    judging.judge.pod(PULLS)
    assert len(await judging.queued()) == 1
    judging.judge.event(event("Failed", "Failed to pull image", uid="u", count=7))
    (found,) = await judging.queued()
    assert [each.occurrences for each in found.symptoms] == [7]
    assert judging.shown() == [("ImagePull", 7, "")]


async def test_an_event_that_comes_before_its_pod_waits_for_it() -> None:
    judging = Judging()
    judging.judge.event(event("Failed", "Failed to pull image", uid="u", count=7))
    assert await judging.queued() == []
    judging.judge.pod(PULLS)
    assert judging.shown() == [("ImagePull", 7, "")]


async def test_an_event_that_is_delivered_again_is_no_work() -> None:
    judging = Judging()
    judging.judge.pod(PULLS)
    for _ in range(2):
        judging.judge.event(event("Failed", "Failed to pull image", uid="u", count=7))
    await judging.queued()
    judging.judge.event(event("Failed", "Failed to pull image", uid="u", count=7))
    assert await judging.queued() == []


async def test_an_event_about_a_pod_that_waits_for_its_grace_judges_it_again() -> None:
    judging = Judging()
    judging.now = at(30)
    starts = container(waiting("ContainerCreating"))
    ready = condition("PodReadyToStartContainers", "False")
    judging.judge.pod(pod(starts, uid="u", phase="Pending", conditions=(ready,)))
    assert judging.shown() == []
    judging.judge.event(event("FailedMount", 'secret "x" not found', uid="u", field_path=""))
    assert [each for each, _, _ in judging.shown()] == ["ConfigError"]


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "Gadget"])
async def test_an_event_about_an_unknown_object_that_is_no_pod_is_queued_to_be_read(
    kind: str,
) -> None:
    judging = Judging()
    judging.judge.event(event("FailedCreate", "pods is forbidden", kind=kind, uid="w"))
    (found,) = await judging.queued()
    assert isinstance(found.object, Note)
    assert (found.shown_by.kind, found.shown_by.uid, found.symptoms) == (kind, "w", ())
    assert not judging.sightings.failing


async def test_an_event_about_a_workload_that_fails_judges_the_workload_again() -> None:
    judging = Judging()
    stuck = claim(provisioner="csi.example", created=timedelta(minutes=20))
    uid = stuck.metadata.uid
    judging.judge.workload(stuck)
    assert judging.shown(uid) == [("ProvisioningFailed", 1, "")]
    judging.judge.event(
        event("ProvisioningFailed", "full", kind="PersistentVolumeClaim", uid=uid, count=4)
    )
    (found,) = await judging.queued()
    assert isinstance(found.object, PersistentVolumeClaim)
    assert judging.shown(uid) == [("ProvisioningFailed", 4, "")]


async def test_a_warning_about_an_object_that_nobody_watches_is_a_failure_while_it_repeats() -> (
    None
):
    judging = Judging()
    said_often = note(
        "SyncFailed", "cannot sync", kind="Gadget", api_version="x.dev/v1", count=9,
        first=timedelta(minutes=10),
    )  # fmt: skip
    judging.judge.unwatched(said_often)
    assert judging.shown("uid-of-checkout") == [("SyncFailed", 9, "")]
    judging.now = NOW + timedelta(minutes=30)
    judging.judge.due()
    assert judging.shown("uid-of-checkout") == []


async def test_an_event_in_a_namespace_that_is_not_watched_is_not_kept() -> None:
    judging = Judging(scope=Scope(exclude=("shop",)))
    judging.judge.event(event("FailedCreate", "refused", kind="Deployment", uid="w"))
    assert await judging.queued() == []
    assert judging.observed.notes_of("w") == ()


# -- nodes and claims --------------------------------------------------------------------------

NOT_READY_BY_ITS_NODE = pod(
    container(running(), ready=True), uid="u", conditions=(condition("Ready", "False"),)
)
STARTS = pod(container(waiting("ContainerCreating")), uid="u", phase="Pending")


@pytest.mark.parametrize(
    ("found", "pod_first"),
    [
        (CRASHES, True),
        (CRASHES, False),
        (STARTS, True),
        (STARTS, False),
        (NOT_READY_BY_ITS_NODE, True),
        (NOT_READY_BY_ITS_NODE, False),
    ],
)
async def test_a_pod_follows_its_node_whichever_of_them_came_first(
    found: Pod, pod_first: bool
) -> None:
    judging = Judging()
    judging.now = at(20)
    if pod_first:
        judging.judge.pod(found)
    judging.judge.workload(LOST)
    if not pod_first:
        judging.judge.pod(found)
    judging.judge.due()
    assert judging.shown() == [("NodeNotReady", 1, "node-1")]


async def test_pods_of_another_node_and_pods_that_are_ready_follow_no_node() -> None:
    judging = Judging()
    elsewhere = pod(LOOPS, uid="u", node="node-2", conditions=(UNREADY,))
    well = pod(container(running(), ready=True), uid="v", conditions=(condition("Ready", "True"),))
    for each in (elsewhere, well):
        judging.judge.pod(each)
    judging.judge.workload(LOST)
    assert [each for each, _, _ in judging.shown("u")] == ["CrashLoop"]
    assert judging.shown("v") == []


@pytest.mark.parametrize("end", ["ready", "deleted", "opted out"])
async def test_a_pod_stands_for_itself_again_when_its_node_does_not_any_more(end: str) -> None:
    judging = Judging()
    judging.judge.pod(CRASHES)
    judging.judge.workload(LOST)
    if end == "ready":
        judging.judge.workload(BACK)
    elif end == "deleted":
        judging.judge.node_gone("node-1")
    else:
        marked = replace(LOST.metadata, labels=Marks(diagnose="disabled"))
        judging.judge.workload(replace(LOST, metadata=marked))
    assert [each for each, _, _ in judging.shown()] == ["CrashLoop"]


@pytest.mark.parametrize("pod_first", [True, False])
async def test_a_pod_names_its_unbound_claim_whichever_of_them_came_first(pod_first: bool) -> None:
    judging = Judging()
    unbound = claim(storage_class=None)
    if pod_first:
        judging.judge.pod(WAITS_FOR_CLAIM)
    judging.judge.workload(unbound)
    if not pod_first:
        judging.judge.pod(WAITS_FOR_CLAIM)
    judging.judge.due()
    assert judging.shown() == [("VolumeClaim", 1, "data-db-0")]
    judging.judge.workload(claim(phase="Bound"))
    judging.judge.due()
    assert judging.shown() == [("VolumeClaim", 1, "")]


async def test_a_claim_that_is_gone_is_the_cause_of_nothing_any_more() -> None:
    judging = Judging()
    judging.judge.workload(claim(storage_class=None))
    judging.judge.claim_gone(namespace="shop", name="data-db-0")
    judging.judge.pod(WAITS_FOR_CLAIM)
    assert judging.shown() == [("VolumeClaim", 1, "")]


# -- time --------------------------------------------------------------------------------------


async def test_what_waits_for_its_grace_is_judged_again_when_that_ends_and_not_before() -> None:
    judging = Judging()
    judging.now = at(10)
    judging.judge.pod(
        pod(container(waiting("PodIsOdd")), uid="u", phase="Pending", spec={"nodeName": "node-1"})
    )
    for seconds in (30, 59):
        judging.now = at(seconds)
        judging.judge.due()
        assert await judging.queued() == []
    judging.now = at(61)
    judging.judge.due()
    (found,) = await judging.queued()
    assert found.shown_by.uid == "u"
    judging.judge.due()
    assert await judging.queued() == []


async def test_what_is_gone_is_not_judged_again() -> None:
    judging = Judging()
    judging.now = at(10)
    judging.judge.pod(pod(container(waiting("PodIsOdd")), uid="u", phase="Pending"))
    judging.judge.gone("u")
    judging.now = at(3600)
    judging.judge.due()
    assert await judging.queued() == []


# -- who is left alone ---------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["false", "disabled"])
async def test_a_pod_that_opts_out_is_forgotten(value: str) -> None:
    judging = Judging()
    judging.judge.event(event("Failed", "Failed to pull image", uid="u", count=7))
    judging.judge.pod(PULLS)
    marked = replace(PULLS.metadata, annotations=Marks(diagnose=value))
    judging.judge.pod(replace(PULLS, metadata=marked))
    assert await judging.queued() == []
    assert not judging.sightings.failing
    assert judging.observed.notes_of("u") == ()


async def test_a_workload_that_opts_out_is_forgotten() -> None:
    judging = Judging()
    refused = said("ReplicaFailure", "True", "FailedCreate", "pods is forbidden")
    broken = deployment(refused)
    judging.judge.workload(broken)
    assert judging.sightings.failing
    marked = replace(broken.metadata, labels=Marks(diagnose="disabled"))
    judging.judge.workload(replace(broken, metadata=marked))
    assert await judging.queued() == []
    assert not judging.sightings.failing


async def test_a_service_that_opts_out_is_forgotten() -> None:
    judging = Judging()
    judging.judge.service(service(), Verdict(symptoms=(NO_SERVICE,)))
    assert judging.sightings.failing
    marked = replace(service().metadata, labels=Marks(diagnose="disabled"))
    judging.judge.service(replace(service(), metadata=marked), Verdict(symptoms=(NO_SERVICE,)))
    assert await judging.queued() == []
    assert not judging.sightings.failing


async def test_a_namespace_that_is_not_watched_any_more_forgets_its_pods() -> None:
    scope = Scope()
    judging = Judging(scope=scope)
    judging.judge.pod(PULLS)
    scope.label("shop", "disabled")
    judging.judge.pod(PULLS)
    assert await judging.queued() == []
    assert not judging.sightings.failing


# -- the queue -----------------------------------------------------------------------------------


async def test_a_question_about_a_healthy_pod_reaches_a_worker() -> None:
    judging = Judging()
    well = pod(
        container(running(), ready=True),
        uid="u",
        conditions=(condition("Ready", "True"),),
        annotations={"kausa.dev/diagnose": "why is it slow?"},
    )
    judging.judge.pod(well)
    (found,) = await judging.queued()
    assert (found.symptoms, found.marked) == ((), "why is it slow?")
    assert not judging.sightings.failing


async def test_what_failed_stays_queued_though_it_works_by_now() -> None:
    judging = Judging()
    judging.judge.service(service(), Verdict(symptoms=(NO_SERVICE,)))
    judging.judge.service(service(), HEALTHY)
    (found,) = await judging.queued()
    assert found.symptoms == (NO_SERVICE,)
    assert not judging.sightings.failing


async def test_objects_whose_resource_is_gone_are_queued_anew() -> None:
    judging = Judging()
    judging.judge.pod(PULLS)
    first = await judging.queued()
    judging.judge.put_back(tuple(first))
    again = await judging.queued()
    assert [each.symptoms for each in again] == [each.symptoms for each in first]


async def test_that_the_queue_is_full_is_said_once_with_the_setting_that_helps() -> None:
    judging = Judging(queue_size=1)
    with captured_log() as log:
        for uid in "abc":
            judging.judge.pod(pod(LOOPS, uid=uid))
    assert judging.queue.dropped == 2
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [each.get("raise_with") for each in lines] == ["KAUSA_QUEUE_SIZE"]
    assert len(judging.sightings.failing) == 3
