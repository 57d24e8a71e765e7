"""What a worker makes of one object, and that none of them keeps it from the others."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from msgspec import structs
from support.dossiers import DEPLOYMENT
from support.fake_store import overloaded
from support.logs import captured_log
from support.objects import NOW, deployment, note, said
from support.pods import condition, container, event, pod, terminated, waiting
from support.recording import Working
from support.virtual_time import VirtualTimeLoop

from kausa.cluster.objects import Marks, Pod
from kausa.cluster.owners import Owner
from kausa.cluster.workloads import Deployment
from kausa.controller.found import Found
from kausa.detection.workloads.deployments import DEADLINE

EVENT_LOOP = VirtualTimeLoop
REPLICA_SET = Owner(
    api_version="apps/v1", kind="ReplicaSet", name="loose", uid="uid-of-loose", namespace="shop"
)
OVER_QUOTA = said(
    "ReplicaFailure",
    "True",
    "FailedCreate",
    'pods "checkout-5d4f8-x2kpw" is forbidden: exceeded quota: compute, '
    "requested: requests.cpu=1, used: requests.cpu=4, limited: requests.cpu=4",
)
STOPPED = said("Progressing", "False", DEADLINE, 'ReplicaSet "checkout-5d4f8" has timed out')
SAYS_REFUSED = note(
    "FailedCreate",
    'pods "loose-" is forbidden: error looking up service account shop/x: not found',
    kind="ReplicaSet",
    name="loose",
    count=5,
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


def warnings(log: str) -> list[str]:
    lines = [json.loads(line) for line in log.splitlines()]
    return [each["event"] for each in lines if each["level"] in ("warning", "error")]


# -- owners ------------------------------------------------------------------------------------


async def test_pods_of_an_owner_that_opted_out_are_not_recorded_and_do_not_fail() -> None:
    work = working()
    work.owners.owner = replace(DEPLOYMENT, marked="disabled")
    work.judge.pod(crashing())
    await work.work()
    assert work.recorded() == []
    assert not work.sightings.failing


async def test_a_question_on_an_owner_is_no_opting_out() -> None:
    work = working()
    work.owners.owner = replace(DEPLOYMENT, marked="why?")
    work.judge.pod(crashing())
    await work.work()
    assert work.recorded() == ["Deployment/checkout"]


async def test_an_object_whose_owner_is_going_is_not_recorded() -> None:
    work = working()
    work.owners.of["a"] = None
    work.judge.pod(crashing())
    await work.work()
    assert work.recorded() == []
    assert work.metrics.registry.get_sample_value("kausa_queue_retries_total") == 0


# -- rollouts ------------------------------------------------------------------------------------


async def test_a_stopped_rollout_is_no_failure_of_its_own_while_its_pods_fail() -> None:
    work = working()
    found, owner = workload("checkout", STOPPED)
    work.owners.owner = owner
    work.judge.workload(found)
    (stopped,) = await work.queued()
    work.judge.pod(crashing())
    await work.work()
    work.queue.put(owner.uid, stopped)
    await work.work()
    assert [each.spec.target.container for each in work.store.applied] == ["api"]


async def test_a_stopped_rollout_without_failing_pods_is_a_failure() -> None:
    work = working()
    found, owner = workload("checkout", STOPPED)
    work.owners.owner = owner
    work.judge.workload(found)
    await work.work()
    (resource,) = work.store.applied
    assert "progressdeadlineexceeded" in resource.metadata.name


# -- what only an Event speaks of ----------------------------------------------------------------


async def test_a_replica_set_of_a_deployment_leaves_its_failure_to_the_deployment() -> None:
    work = working()
    work.judge.unwatched(SAYS_REFUSED)
    assert len(work.queue) == 1
    await work.work()
    assert work.recorded() == []


@pytest.mark.parametrize("of", ["nobody", "Rollout"])
async def test_a_replica_set_that_nobody_watches_from_above_is_recorded(of: str) -> None:
    work = working()
    rollout = replace(DEPLOYMENT, api_version="argoproj.io/v1alpha1", kind="Rollout", name="web")
    work.owners.owner = REPLICA_SET if of == "nobody" else rollout
    work.judge.unwatched(SAYS_REFUSED)
    await work.work()
    assert work.recorded() == ["ReplicaSet/loose" if of == "nobody" else "Rollout/web"]


PATH = "/apis/apps/v1/namespaces/shop/deployments/checkout-5d4f8-abcde"


def warned_of(uid: str) -> Working:
    """An Event has warned of a Deployment that seemed healthy."""
    work = working()
    work.judge.event(event("ReplicaSetCreateError", "refused", kind="Deployment", uid=uid))
    return work


async def test_a_workload_that_an_event_warns_of_is_read_and_judged() -> None:
    work = warned_of("uid-of-checkout")
    work.client.objects[PATH] = deployment(OVER_QUOTA)
    await work.work()
    assert work.client.requests == [PATH]
    assert work.recorded() == ["Deployment/checkout"]


@pytest.mark.parametrize("there", ["nothing", "another of the same name"])
async def test_a_workload_that_is_not_there_any_more_is_not_judged(there: str) -> None:
    work = warned_of("uid-of-one-before")
    if there != "nothing":
        work.client.objects[PATH] = deployment(OVER_QUOTA)
    await work.work()
    assert work.client.requests == [PATH]
    assert not work.sightings.failing
    assert work.recorded() == []


async def test_a_workload_that_cannot_be_read_now_is_read_again() -> None:
    work = warned_of("uid-of-checkout")
    work.client.objects[PATH] = overloaded()
    with captured_log() as log:
        await work.work(seconds=0.5)
        assert len(work.client.requests) > 1
        work.client.objects[PATH] = deployment(OVER_QUOTA)
        await work.work()
    assert work.recorded() == ["Deployment/checkout"]
    assert warnings(log.getvalue()) == ["Could not record what fails, trying until it works"]


# -- what goes wrong -----------------------------------------------------------------------------


async def test_what_cannot_be_recorded_is_tried_again_and_said_once() -> None:
    work = working()
    for uid in "ab":
        work.owners.of[uid] = overloaded()
        work.judge.pod(crashing(uid))
    with captured_log() as log:
        await work.work(seconds=0.5)
        assert warnings(log.getvalue()) == ["Could not record what fails, trying until it works"]
        assert work.recorded() == []
        work.owners.of.clear()
        await work.work()
    assert work.recorded() == ["Deployment/checkout"]
    assert "Recording works again" in log.getvalue()
    ((_, sighting),) = work.sightings.of_owner(DEPLOYMENT.uid)
    assert sorted(sighting.count.pods) == ["a", "b"]


async def test_an_object_that_cannot_be_named_does_not_stop_its_worker() -> None:
    work = working()
    work.queue.put("a", Found(object=cast(Any, object())))
    work.judge.pod(crashing("b"))
    with captured_log() as log:
        await work.work(workers=1)
    assert warnings(log.getvalue()) == ["Could not look at an object"]
    assert work.recorded() == ["Deployment/checkout"]


async def test_an_object_of_a_shape_that_nobody_thought_of_does_not_stop_its_worker() -> None:
    work = working()
    work.owners.of["a"] = RuntimeError("a shape that nobody thought of")
    for uid in "ab":
        work.judge.pod(crashing(uid))
    with captured_log() as log:
        await work.work(workers=1)
    assert warnings(log.getvalue()) == ["Could not look at an object"]
    ((_, sighting),) = work.sightings.of_owner(DEPLOYMENT.uid)
    assert list(sighting.count.pods) == ["b"]


# -- questions -----------------------------------------------------------------------------------


async def test_a_question_about_a_healthy_pod_is_asked_under_its_owner() -> None:
    work = working()
    asked = pod(
        uid="a",
        conditions=(condition("Ready", "True"),),
        annotations={"kausa.dev/diagnose": "why?"},
    )
    work.queue.put("a", Found(object=asked))
    await work.work()
    (resource,) = work.store.applied
    assert (resource.spec.question, resource.spec.target.name) == ("why?", "checkout")


async def test_a_question_about_a_failing_pod_goes_to_the_resource_of_its_failure() -> None:
    work = working()
    broken = crashing()
    marks = structs.replace(broken.metadata, annotations=Marks(diagnose="why?"))
    work.judge.pod(structs.replace(broken, metadata=marks))
    await work.work()
    first, second = work.store.applied
    assert first.metadata.name == second.metadata.name
    assert (first.spec.question, second.spec.question) == (None, "why?")


async def test_a_question_about_a_workload_goes_to_the_failure_of_its_pods() -> None:
    # The Deployment itself shows no failure, and a second resource about the same was made.
    work = working()
    found, owner = workload("checkout")
    work.owners.owner = owner
    work.judge.pod(crashing())
    await work.work()
    asked = structs.replace(found.metadata, annotations=Marks(diagnose="why?"))
    work.queue.put(owner.uid, Found(object=structs.replace(found, metadata=asked)))
    await work.work()
    first, second = work.store.applied
    assert first.metadata.name == second.metadata.name
    assert (first.spec.question, second.spec.question) == (None, "why?")
