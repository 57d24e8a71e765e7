"""Services whose Pods fail, and objects that only a Warning Event speaks of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.objects import NOW, endpoint_slice, note, service
from support.pods import condition, pod

from kausa.cluster.objects import Pod
from kausa.cluster.workloads import Service
from kausa.detection.surroundings import Note
from kausa.detection.verdict import HEALTHY
from kausa.detection.workloads.others import detect_notes
from kausa.detection.workloads.services import detect_service
from kausa.resources.category import Category

FAILING = frozenset({"a", "b"})


def test_a_service_fails_when_none_of_its_pods_is_ready_and_some_fail() -> None:
    (symptom,) = detect_service(
        service(),
        (endpoint_slice(("a", False)), endpoint_slice(("b", False), ("c", False))),
        failing=FAILING,
        now=NOW,
    ).symptoms
    assert (symptom.category, symptom.reason) == (Category.SERVICE, "NoReadyEndpoints")
    assert "none of the 3 Pods behind it is ready, and 2 of them fail" in symptom.message
    assert symptom.caused_by is None


@pytest.mark.parametrize("ready", [True, None])
def test_one_ready_pod_is_enough(ready: bool | None) -> None:
    slices = (endpoint_slice(("a", False)), endpoint_slice(("z", ready)))
    assert detect_service(service(), slices, failing=FAILING, now=NOW) is HEALTHY


def test_a_service_whose_pods_only_start_is_healthy() -> None:
    slices = (endpoint_slice(("x", False), ("y", False)),)
    assert detect_service(service(), slices, failing=FAILING, now=NOW) is HEALTHY


@pytest.mark.parametrize("slices", [(), (endpoint_slice(),)])
def test_a_service_that_fits_no_pod_is_not_ours_to_judge(slices: tuple[()]) -> None:
    assert detect_service(service(), slices, failing=FAILING, now=NOW) is HEALTHY


@pytest.mark.parametrize(
    "healthy",
    [
        service(cluster_ip="None"),
        service(type_="ExternalName"),
        service(selector={}),
        service(unready_too=True),
        service(deleting=True),
    ],
    ids=["headless", "elsewhere", "without a selector", "publishes the unready", "is deleted"],
)
def test_services_that_need_no_ready_pod_are_healthy(healthy: Service) -> None:
    slices = (endpoint_slice(("a", False)),)
    assert detect_service(healthy, slices, failing=FAILING, now=NOW) is HEALTHY


def test_a_new_service_has_its_endpoints_after_a_moment() -> None:
    verdict = detect_service(
        service(created=timedelta(seconds=10)),
        (endpoint_slice(("a", False)),),
        failing=FAILING,
        now=NOW,
    )
    assert (verdict.symptoms, verdict.look_again_at) == ((), NOW + timedelta(seconds=20))


JOB = {"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": "x", "controller": True}


def test_pods_that_have_no_address_yet_count_where_the_selector_fits_them() -> None:
    selected = (pod(uid="a", phase="Pending"), pod(uid="c", phase="Pending"))
    (symptom,) = detect_service(
        service(), (endpoint_slice(),), selected=selected, failing=FAILING, now=NOW
    ).symptoms
    assert "none of the 2 Pods behind it is ready, and 1 of them fail" in symptom.message


def test_a_pod_of_nobodys_that_was_evicted_leaves_its_service_alone() -> None:
    selected = (pod(uid="a", phase="Failed"),)
    assert detect_service(service(), (), selected=selected, failing=FAILING, now=NOW).symptoms


@pytest.mark.parametrize(
    "selected",
    [
        pod(uid="z", phase="Pending"),
        pod(uid="a", phase="Succeeded"),
        pod(uid="a", phase="Pending", deleting=True),
        pod(uid="a", phase="Failed", owner=JOB),
    ],
    ids=["does not fail", "is done", "goes", "is a failed Job's"],
)
def test_a_pod_that_a_service_does_not_wait_for_is_not_held_against_it(selected: Pod) -> None:
    verdict = detect_service(service(), (), selected=(selected,), failing=FAILING, now=NOW)
    assert verdict is HEALTHY


@pytest.mark.parametrize("ready", ["by its endpoint", "by its own word"])
def test_one_ready_pod_is_enough_beside_those_without_an_address(ready: str) -> None:
    by_endpoint = ready == "by its endpoint"
    well = pod(uid="z", conditions=(condition("Ready", "True"),))
    verdict = detect_service(
        service(),
        (endpoint_slice(("z", True)),) if by_endpoint else (),
        selected=(pod(uid="a", phase="Pending"), *(() if by_endpoint else (well,))),
        failing=FAILING,
        now=NOW,
    )
    assert verdict is HEALTHY


# -- what nobody watches -------------------------------------------------------------------------

QUOTA = (
    'Error creating: pods "web-x" is forbidden: exceeded quota: tight, requested: pods=1, '
    "used: pods=1, limited: pods=1"
)


def test_a_replica_set_of_nobodys_over_quota_is_seen_by_its_event_alone() -> None:
    said = note("FailedCreate", QUOTA, kind="ReplicaSet", name="web", count=6)
    verdict = detect_notes((said,), now=NOW)
    (symptom,) = verdict.symptoms
    assert (symptom.category, symptom.reason) == (Category.QUOTA, "FailedCreate")
    assert symptom.caused_by is not None
    assert verdict.look_again_at == NOW + timedelta(minutes=19)


def test_a_warning_that_repeats_and_lasts_is_a_failure_of_whatever_it_is_about() -> None:
    said = note(
        "SyncFailed", "no", kind="Gateway", api_version="a.example/v1", count=3,
        first=timedelta(minutes=9),
    )  # fmt: skip
    (symptom,) = detect_notes((said,), now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.OTHER, "SyncFailed")
    assert symptom.occurrences == 3


@pytest.mark.parametrize(
    "silent",
    [
        note("SyncFailed", kind="Gateway", count=2, first=timedelta(minutes=9)),
        note(
            "SyncFailed", kind="Gateway", count=9, first=timedelta(minutes=9),
            last=timedelta(minutes=8),
        ),
        note(
            "SyncFailed", kind="Gateway", count=9, first=timedelta(hours=9),
            last=timedelta(minutes=20),
        ),
        note("SyncFailed", kind="Gateway", count=9, first=None, last=None),
        note("BackOff", kind="Pod", api_version="v1", count=99, first=timedelta(hours=1)),
        note("FailedCreate", QUOTA, kind="StatefulSet", count=99),
        note(
            "Any", kind="FailureDiagnosis", api_version="kausa.dev/v1alpha1", count=99,
            first=timedelta(hours=1),
        ),
    ],
    ids=[
        "twice", "a burst", "long ago", "without times", "of a pod", "of a workload", "of ours",
    ],
)  # fmt: skip
def test_a_warning_is_no_failure(silent: Note) -> None:
    assert detect_notes((silent,), now=NOW) is HEALTHY


@pytest.mark.parametrize(
    ("api_version", "kind", "shown"),
    [
        ("batch.volcano.sh/v1alpha1", "Job", True),
        ("serving.example/v1", "Service", True),
        ("cluster.example/v1", "Node", True),
        ("metrics.example/v1", "Pod", True),
        ("batch/v1", "Job", False),
        ("", "Job", False),
        ("autoscaling/v1", "HorizontalPodAutoscaler", False),
        ("v1", "Node", False),
        ("", "Node", False),
        ("", "Pod", False),
    ],
)
def test_a_kind_of_another_group_is_another_kind(api_version: str, kind: str, shown: bool) -> None:
    said = note("SyncFailed", kind=kind, api_version=api_version, count=9, first=timedelta(hours=1))
    assert bool(detect_notes((said,), now=NOW).symptoms) is shown


def test_a_warning_that_began_just_now_is_looked_at_again() -> None:
    said = note("SyncFailed", kind="Gateway", count=9, first=timedelta(minutes=4))
    assert detect_notes((said,), now=NOW).look_again_at == NOW + timedelta(minutes=1)
