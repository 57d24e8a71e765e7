"""What answers for a target, and what fails where no target is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.snapshots import (
    BEGAN,
    crashing_pod,
    deployment,
    loaded,
    replica_set,
    thin_pod,
    warning,
)

from kausa.cluster.owners import OwnerResolver
from kausa.cluster.snapshot import Snapshot
from kausa.offline.owner_view import OwnerView
from kausa.offline.scene import set_the_scene
from kausa.offline.subjects import Subject, Subjects
from kausa.offline.targets import find_target, parse_target

Json = dict[str, Any]
NOW = datetime(2026, 1, 31, 12, 10, 5, tzinfo=UTC)


def subjects(snapshot: Snapshot, *, now: datetime = NOW) -> Subjects:
    owners = OwnerResolver(client=OwnerView(snapshot))
    return Subjects(set_the_scene(snapshot), owners=owners, now=now)


async def of(snapshot: Snapshot, target: str, *, now: datetime = NOW) -> tuple[Subject, ...]:
    return await subjects(snapshot, now=now).of(find_target(snapshot, parse_target(target)))


def healthy(name: str, **fields: Any) -> Json:
    pod = crashing_pod(name, **fields)
    pod["status"]["conditions"][0]["status"] = "True"
    pod["status"]["containerStatuses"][0] |= {
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": BEGAN}},
        "lastState": {},
    }
    return pod


def summary(subject: Subject) -> tuple[str, str, str]:
    reason = subject.symptom.reason if subject.symptom is not None else ""
    return f"{subject.owner.kind}/{subject.owner.name}", subject.shown_by.name, reason


async def test_a_pod_answers_for_the_deployment_that_owns_it(tmp_path: Path) -> None:
    api = deployment("api")
    middle = replica_set("api-5d8f9c7b6d", of=api)
    pods = [healthy("api-1", owner=middle), crashing_pod("api-2", owner=middle)]
    snapshot = loaded(tmp_path, api, middle, *pods)
    expected = ("Deployment/api", "api-2", "CrashLoopBackOff")
    for target in ("deploy/api", "rs/api-5d8f9c7b6d", "pod/api-2"):
        (found,) = await of(snapshot, target)
        assert summary(found) == expected


async def test_a_deployment_is_the_owner_also_where_its_replica_set_was_not_recorded(
    tmp_path: Path,
) -> None:
    api = deployment("api")
    pod = crashing_pod("api-2", owner=replica_set("api-5d8f9c7b6d", of=api))
    (found,) = await of(loaded(tmp_path, api, pod), "deploy/api")
    assert summary(found) == ("Deployment/api", "api-2", "CrashLoopBackOff")


async def test_an_owner_that_was_not_recorded_stands_for_its_pods(tmp_path: Path) -> None:
    owner = {"apiVersion": "acme.io/v1", "kind": "Farm", "metadata": {"name": "f", "uid": "u"}}
    (found,) = await subjects(loaded(tmp_path, crashing_pod("a", owner=owner))).all()
    assert summary(found) == ("Farm/f", "a", "CrashLoopBackOff")


async def test_pods_that_fail_in_the_same_way_are_one_failure(tmp_path: Path) -> None:
    api = deployment("api")
    middle = replica_set("api-5d8f9c7b6d", of=api)
    pods = [crashing_pod(f"api-{n}", owner=middle) for n in range(3)]
    (found,) = await subjects(loaded(tmp_path, api, middle, *pods)).all()
    assert len(found.pods) == 3


async def test_a_rollout_that_stops_because_its_pods_fail_is_no_failure_of_its_own(
    tmp_path: Path,
) -> None:
    api = deployment("api")
    api["status"] = {
        "conditions": [
            {
                "type": "Progressing",
                "status": "False",
                "reason": "ProgressDeadlineExceeded",
                "lastTransitionTime": BEGAN,
            }
        ]
    }
    middle = replica_set("api-5d8f9c7b6d", of=api)
    alone = await subjects(loaded(tmp_path, api, middle)).all()
    assert [summary(each)[2] for each in alone] == ["ProgressDeadlineExceeded"]
    pod = crashing_pod("api-1", owner=middle)
    both = await subjects(loaded(tmp_path, api, middle, pod)).all()
    assert [summary(each)[2] for each in both] == ["CrashLoopBackOff"]


async def test_what_is_healthy_stands_as_it_is(tmp_path: Path) -> None:
    api = deployment("api")
    middle = replica_set("api-5d8f9c7b6d", of=api)
    snapshot = loaded(tmp_path, api, middle, healthy("api-1", owner=middle))
    assert await subjects(snapshot).all() == ()
    (found,) = await of(snapshot, "deploy/api")
    assert found.symptom is None
    assert found.pod.metadata.name == "api-1"
    assert found.owner.name == "api"


async def test_a_kind_that_nobody_watches_stands_as_it_is(tmp_path: Path) -> None:
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}}
    (found,) = await of(loaded(tmp_path, ingress), "ing/i")
    assert (found.shown_by.kind, found.owner.kind, found.symptom) == ("Ingress", "Ingress", None)


async def test_a_young_pod_that_complains_is_judged_at_the_end_of_its_grace(
    tmp_path: Path,
) -> None:
    pod = thin_pod("a", status={"phase": "Pending", "startTime": "2026-01-31T12:10:00Z"})
    pod["spec"]["nodeName"] = "n"
    said = warning("FailedMount", 'secret "s" not found', about=pod, firstTimestamp="")
    said["firstTimestamp"] = "2026-01-31T12:10:00Z"
    snapshot = loaded(tmp_path, pod, said)
    (found,) = await of(snapshot, "pod/a")
    assert found.early
    assert found.now > NOW
    assert found.symptom is not None
    assert found.symptom.reason == "FailedMount"
    (untold,) = await subjects(snapshot).all()
    assert (untold.early, untold.symptom) == (True, found.symptom)


async def test_what_fails_already_is_not_told_again_as_early(tmp_path: Path) -> None:
    api = deployment("api")
    middle = replica_set("api-5d8f9c7b6d", of=api)
    young = crashing_pod("api-2", owner=middle)
    young["metadata"]["creationTimestamp"] = "2026-01-31T12:10:00Z"
    young["status"] = {"phase": "Pending", "startTime": "2026-01-31T12:10:00Z"}
    said = warning("FailedMount", 'secret "s" not found', about=young)
    said["firstTimestamp"] = "2026-01-31T12:10:00Z"
    snapshot = loaded(tmp_path, api, middle, crashing_pod("api-1", owner=middle), young, said)
    found = await subjects(snapshot).all()
    assert [(summary(each)[0], each.early) for each in found] == [("Deployment/api", False)]


async def test_only_one_namespace_is_told_with_what_its_failures_follow_from(
    tmp_path: Path,
) -> None:
    snapshot = loaded(tmp_path, crashing_pod("a"), crashing_pod("b", namespace="front"))
    found = await subjects(snapshot).all(namespace="front")
    assert [summary(each)[0] for each in found] == ["Pod/b"]


async def test_a_lost_node_is_told_for_the_namespace_whose_pods_it_stands_for(
    tmp_path: Path,
) -> None:
    lost = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-1", "uid": "n", "creationTimestamp": BEGAN},
        "status": {"conditions": [{**lost, "lastTransitionTime": BEGAN}]},
    }
    pod = healthy("a")
    pod["status"]["conditions"][0] |= {"status": "False", "lastTransitionTime": BEGAN}
    snapshot = loaded(tmp_path, node, pod, healthy("b", namespace="front"))
    found = await subjects(snapshot).all(namespace="shop")
    assert [summary(each)[0] for each in found] == ["Node/node-1"]
    assert await subjects(snapshot).all(namespace="front") == ()


async def test_a_young_pod_that_is_silent_is_well(tmp_path: Path) -> None:
    pod = thin_pod("a", status={"phase": "Pending", "startTime": "2026-01-31T12:10:00Z"})
    pod["metadata"]["creationTimestamp"] = "2026-01-31T12:10:00Z"
    pod["spec"]["nodeName"] = "n"
    pod["status"]["containerStatuses"] = [
        {"name": "api", "state": {"waiting": {"reason": "ContainerCreating"}}}
    ]
    (found,) = await of(loaded(tmp_path, pod), "pod/a")
    assert (found.symptom, found.early) == (None, False)


async def test_a_program_that_starts_slowly_within_its_probes_time_is_well(tmp_path: Path) -> None:
    pod = healthy("a")
    pod["status"]["conditions"][0]["status"] = "False"
    pod["status"]["containerStatuses"][0] |= {
        "ready": False,
        "started": False,
        "state": {"running": {"startedAt": "2026-01-31T12:10:00Z"}},
    }
    pod["spec"]["containers"][0]["startupProbe"] = {"periodSeconds": 10, "failureThreshold": 30}
    said = warning("Unhealthy", "Startup probe failed: 503", about=pod, count=3)
    said["involvedObject"]["fieldPath"] = "spec.containers{api}"
    (found,) = await of(loaded(tmp_path, pod, said), "pod/a")
    assert found.symptom is None


async def test_a_warning_that_no_detector_knows_is_the_symptom_of_its_target(
    tmp_path: Path,
) -> None:
    api = deployment("api")
    middle = replica_set("api-5d8f9c7b6d", of=api)
    said = warning("FailedCreate", "admission webhook denied the request", about=middle)
    (found,) = await of(loaded(tmp_path, api, middle, said), "deploy/api")
    assert found.symptom is not None
    assert found.symptom.message == "admission webhook denied the request"
    assert found.shown_by.kind == "ReplicaSet"
    assert found.owner.name == "api"


async def test_what_a_ready_pod_has_overcome_is_no_symptom(tmp_path: Path) -> None:
    pod = healthy("a")
    notes = [
        warning("FailedScheduling", "0/3 nodes are available", about=pod),
        warning("FailedMount", "MountVolume.SetUp failed", about=pod),
        warning("Unhealthy", "Readiness probe failed", about=pod),
        warning("Failed", "Error: ErrImagePull", about=pod),
    ]
    (found,) = await of(loaded(tmp_path, pod, *notes), "pod/a")
    assert found.symptom is None
    other = warning("Failed", "DNS lookup failed for db", about=pod)
    (found,) = await of(loaded(tmp_path, pod, *notes, other), "pod/a")
    assert found.symptom is not None
    assert found.symptom.message == "DNS lookup failed for db"


async def test_what_has_failed_for_good_fails_however_long_ago_it_was(tmp_path: Path) -> None:
    pod = crashing_pod("a", owner=replica_set("r", of=deployment("d")))
    ended = {"exitCode": 1, "reason": "Error", "finishedAt": BEGAN, "startedAt": BEGAN}
    pod["status"] |= {
        "phase": "Failed",
        "reason": "Evicted",
        "message": "The node was low on resource: memory.",
        "conditions": [],
    }
    pod["status"]["containerStatuses"][0] |= {"state": {"terminated": ended}, "lastState": {}}
    snapshot = loaded(tmp_path, pod)
    long_after = datetime(2026, 3, 1, tzinfo=UTC)
    assert await subjects(snapshot, now=long_after).all() == ()
    (found,) = await of(snapshot, "pod/a", now=long_after)
    assert found.symptom is not None
    assert found.symptom.reason == "Evicted"
    assert (found.now, found.early) == (long_after, False)


async def test_events_alone_tell_what_fails(tmp_path: Path) -> None:
    pod = thin_pod("a")
    recent = warning("Failed", "Failed to pull image x: not found", about=pod)
    old = warning("Failed", "y", about=thin_pod("b"), last="2026-01-30T00:00:00Z")
    (found,) = await subjects(loaded(tmp_path, recent, old)).all()
    assert summary(found) == ("Pod/a", "a", "Failed")


async def test_a_lost_node_stands_for_its_pods(tmp_path: Path) -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-1", "uid": "n", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {
            "conditions": [
                {
                    "type": "Ready",
                    "status": "Unknown",
                    "reason": "NodeStatusUnknown",
                    "lastTransitionTime": BEGAN,
                }
            ]
        },
    }
    pod = healthy("a")
    pod["status"]["conditions"][0] |= {"status": "False", "lastTransitionTime": BEGAN}
    found = await subjects(loaded(tmp_path, node, pod)).all()
    assert [summary(each)[0] for each in found] == ["Node/node-1"]
    (asked,) = await of(loaded(tmp_path, node, pod), "pod/a")
    assert asked.symptom is not None
    assert asked.symptom.caused_by is not None
    assert asked.symptom.caused_by.name == "node-1"


NO_ADDRESSES = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {
        "name": "api-x",
        "namespace": "shop",
        "labels": {"kubernetes.io/service-name": "api"},
    },
    "addressType": "IPv4",
    "endpoints": [],
}


@pytest.mark.parametrize("slices", [(), (NO_ADDRESSES,)], ids=["none", "one without addresses"])
async def test_a_service_whose_slices_list_nobody_has_the_pods_that_it_selects(
    tmp_path: Path, slices: tuple[dict[str, Any], ...]
) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "api", "namespace": "shop", "creationTimestamp": BEGAN},
        "spec": {"selector": {"app": "api"}},
    }
    found = await subjects(loaded(tmp_path, service, *slices, crashing_pod("a"))).all()
    (of_service,) = [each for each in found if each.owner.kind == "Service"]
    assert of_service.symptom is not None
    assert of_service.symptom.caused_by is not None
    assert of_service.symptom.caused_by.name == "a"
    well = loaded(tmp_path, service, *slices, crashing_pod("a"), healthy("b"))
    assert [each.owner.kind for each in await subjects(well).all()] == ["Pod"]
