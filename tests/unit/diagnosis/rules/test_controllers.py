"""Rollouts, Jobs, Services, Ingresses and policies are judged by their own fields."""

from __future__ import annotations

from typing import Any

import pytest
from support.surroundings import best, dossier_of, lost, made, pod_of, said

from kausa.diagnosis.rules.batch import is_schedule
from kausa.diagnosis.rules.engine import decide_by_rules, find_all
from kausa.diagnosis.rules.rollouts import partition_holds_back, rollout_goes_back_and_forth
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category


def of(manifest: dict[str, Any], *events: Any, beside: tuple[dict[str, Any], ...] = ()) -> Dossier:
    """What somebody asks about, with what was read beside it."""
    about = (manifest["kind"], manifest["metadata"]["name"])
    return dossier_of(*events, shown_by=about, manifests=[manifest, *beside])


def deployment(*, wanted: int = 3, available: int = 3, **more: Any) -> dict[str, Any]:
    status = {"replicas": wanted, "availableReplicas": available, "updatedReplicas": 1}
    return made("Deployment", "web", spec={"replicas": wanted, **more}, status=status)


def test_a_partition_above_all_ordinals_holds_every_pod_back() -> None:
    held = made(
        "StatefulSet",
        "db",
        spec={"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 5}}},
        status={"currentRevision": "db-1", "updateRevision": "db-2", "updatedReplicas": 0},
    )
    found = best(of(held))
    assert found.category is Category.ROLLOUT
    assert "partition 5" in found.summary
    assert "above the highest ordinal 1" in found.root_cause


def test_a_partition_of_an_update_that_is_done_is_no_cause() -> None:
    done = made(
        "StatefulSet",
        "db",
        spec={"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
        status={"currentRevision": "db-2", "updateRevision": "db-2", "updatedReplicas": 2},
    )
    assert partition_holds_back(of(done)) is None


def test_replicas_that_are_missing_are_counted() -> None:
    found = best(of(deployment(available=1)))
    assert found.category is Category.ROLLOUT
    assert "only 1 of 3 replicas" in found.summary


def test_a_stalled_rollout_is_told_with_its_newest_replica_set() -> None:
    stalled = deployment(available=2, progressDeadlineSeconds=300)
    stalled["status"]["conditions"] = [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    ]
    owner = {"kind": "Deployment", "name": "web"}
    sets = tuple(
        made(
            "ReplicaSet",
            name,
            annotations={"deployment.kubernetes.io/revision": revision},
            ownerReferences=[owner],
            spec={"replicas": 2},
            status={"readyReplicas": 0},
        )
        for name, revision in (("web-old", "8"), ("web-new", "12"))
    )
    found = best(of(stalled, beside=sets))
    assert "web-new (revision 12) has 0 of 2" in found.summary
    assert "300 s" in found.root_cause


def scaled(way: str, name: str, to: int, *, minute: int, count: int = 1) -> Any:
    return said(
        "ScalingReplicaSet",
        f"Scaled {way} replica set {name} to {to}",
        about=("Deployment", "web"),
        type_="normal",
        minute=minute,
        count=count,
    )


def test_a_rollout_that_goes_back_and_forth_is_told() -> None:
    steps = (
        scaled("up", "web-b", 1, minute=9, count=2),
        scaled("down", "web-b", 0, minute=4),
        scaled("up", "web-a", 3, minute=5),
    )
    found = best(of(deployment(available=2), *steps))
    assert found.category is Category.ROLLOUT
    assert "in turn" in found.summary
    assert "web-b" in found.root_cause


def test_a_plain_rollout_and_a_single_rollback_are_no_oscillation() -> None:
    plain = (scaled("up", "web-b", 3, minute=1), scaled("down", "web-a", 0, minute=2))
    assert rollout_goes_back_and_forth(of(deployment(), *plain)) is None
    back = (*plain, scaled("up", "web-a", 3, minute=8), scaled("down", "web-b", 0, minute=9))
    assert rollout_goes_back_and_forth(of(deployment(), *back)) is None


def test_a_paused_rollout_is_told() -> None:
    assert "paused" in best(of(deployment(paused=True))).summary


def test_two_replica_sets_with_one_selector_are_told() -> None:
    spec = {"selector": {"matchLabels": {"app": "web"}}}
    one, other = made("ReplicaSet", "one", spec=spec), made("ReplicaSet", "other", spec=spec)
    found = best(of(one, beside=(other,)))
    assert "same selector app=web" in found.summary


def test_a_suspended_job_is_told() -> None:
    for kind in ("Job", "CronJob"):
        found = best(of(made(kind, "nightly", spec={"suspend": True})))
        assert found.category is Category.JOB
        assert "suspended" in found.summary


@pytest.mark.parametrize(
    "schedule",
    ["*/5 * * * *", "0 0 1 jan,JUL *", "15 10 * * mon-fri", "@daily", "@every 1h30m",
     "TZ=Europe/Paris 0 3 * * 0", "0-30/5 8-18 ? * *"],
)  # fmt: skip
def test_a_schedule_that_the_controller_reads_is_one(schedule: str) -> None:
    assert is_schedule(schedule)


@pytest.mark.parametrize(
    "schedule",
    ["", "every day", "61 * * * *", "* * * *", "* * * * * *", "*/0 * * * *", "5-1 * * * *",
     "0 0 0 * *", "0 24 * * *", "@sometimes", "0 0 * foo *"],
)  # fmt: skip
def test_a_schedule_that_nobody_can_read_is_none(schedule: str) -> None:
    assert not is_schedule(schedule)


def test_an_unreadable_schedule_is_told_as_it_stands() -> None:
    found = best(of(made("CronJob", "nightly", spec={"schedule": "25:00 daily"})))
    assert '"25:00 daily" is invalid' in found.summary


SERVICE = made("Service", "web", spec={"selector": {"app": "web"}})


def test_a_service_without_endpoints_is_told_with_its_selector() -> None:
    found = best(of(SERVICE, beside=(made("Endpoints", "web", subsets=[]),)))
    assert found.category is Category.SERVICE
    assert "no endpoints" in found.summary
    assert "app=web" in found.summary


def test_a_lock_of_a_leader_election_is_no_broken_service() -> None:
    lock = made("Endpoints", "web", annotations={"control-plane.alpha.kubernetes.io/leader": "x"})
    assert decide_by_rules(of(SERVICE, beside=(lock,))).category is None


def test_a_policy_that_selects_nobody_is_told_where_the_pods_were_read() -> None:
    policy = made("NetworkPolicy", "shut", spec={"podSelector": {"matchLabels": {"app": "web"}}})
    web, other = made("Pod", "a", labels={"app": "web"}), made("Pod", "b", labels={"app": "db"})
    assert "selects no Pods" in best(of(policy, beside=(other,))).summary
    assert decide_by_rules(of(policy, beside=(other, web))).category is None
    assert decide_by_rules(of(policy)).category is None
    told = lost("NetworkPolicy", "shut", by=("NetworkPolicy", "shut"), problem="selects no Pod")
    about = dossier_of(shown_by=("NetworkPolicy", "shut"), manifests=[policy], references=[told])
    assert best(about).category is Category.NETWORK


def test_a_service_with_endpoints_and_no_pod_that_was_read_does_well() -> None:
    told = lost("Service", "web", by=("Service", "web"), problem="selects no Pod")
    there = made("Endpoints", "web", subsets=[{"addresses": [{"ip": "10.0.0.1"}]}])
    about = dossier_of(shown_by=("Service", "web"), manifests=[SERVICE, there], references=[told])
    assert decide_by_rules(about).summary.startswith("no failure found")


def test_pods_that_are_not_ready_are_counted() -> None:
    lacks = made("DaemonSet", "agent", status={"desiredNumberScheduled": 4, "numberReady": 1})
    assert "only 1 of 4 Pods of DaemonSet agent" in best(of(lacks)).summary


def test_a_budget_that_allows_nothing_is_told_with_its_numbers() -> None:
    numbers = {"disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 2}
    found = best(of(made("PodDisruptionBudget", "web", status=numbers)))
    assert "1 Pods are healthy and 2 must stay so" in found.summary
    free = made("PodDisruptionBudget", "web", status={**numbers, "disruptionsAllowed": 1})
    assert not [each for each in find_all(of(free)) if each.rule.startswith("disruption")]


def test_an_ingress_of_no_class_and_without_rules_is_told() -> None:
    assert "ingressClassName" in best(of(made("Ingress", "edge", spec={}))).summary
    named = made("Ingress", "edge", spec={"ingressClassName": "nginx"})
    assert decide_by_rules(of(named)).category is None


@pytest.mark.parametrize(
    "manifest",
    [
        deployment(),
        made("DaemonSet", "agent", status={"desiredNumberScheduled": 2, "numberReady": 2}),
        made("StatefulSet", "db", spec={"replicas": 1}, status={"readyReplicas": 1}),
        made("HorizontalPodAutoscaler", "web", spec={"maxReplicas": 3}),
        made("CronJob", "nightly", spec={"schedule": "0 3 * * *"}),
        made("NetworkPolicy", "open", spec={"podSelector": {}}),
    ],
    ids=lambda each: each["kind"],
)
def test_an_object_that_does_well_is_said_to(manifest: dict[str, Any]) -> None:
    diagnosis = decide_by_rules(of(manifest))
    assert diagnosis.summary.startswith("no failure found")
    assert diagnosis.category is None


@pytest.mark.parametrize(
    "manifest",
    [
        made("DaemonSet", "agent", status={"desiredNumberScheduled": 2, "numberReady": 1}),
        made("StatefulSet", "db", spec={"replicas": 2}, status={"readyReplicas": 1}),
        made("HorizontalPodAutoscaler", "web",
             status={"conditions": [{"type": "ScalingActive", "status": "False"}]}),
        made("Service", "old", metadata_deleted=True) | {
            "metadata": {"name": "old", "namespace": "shop", "deletionTimestamp": "2026-01-01"}},
    ],
    ids=lambda each: each["kind"],
)  # fmt: skip
def test_an_object_that_does_not_is_never_said_to(manifest: dict[str, Any]) -> None:
    assert not [each for each in find_all(of(manifest)) if each.rule == "healthy.nothing-fails"]


def test_containers_that_fail_apart_are_all_named() -> None:
    statuses = [
        {"name": "api", "image": "shop/api:9", "state": {"waiting": {
            "reason": "ImagePullBackOff", "message": "Back-off pulling image"}}},
        {"name": "job", "state": {"waiting": {
            "reason": "CreateContainerConfigError", "message": 'configmap "flags" not found'}}},
    ]  # fmt: skip
    found = best(dossier_of(pod=pod_of(containerStatuses=statuses)))
    for word in ("api", "shop/api:9", "flags", "CreateContainerConfigError"):
        assert word in f"{found.summary} {found.root_cause}"
