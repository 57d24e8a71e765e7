"""One Event of a component is enough where it names the cause: each is told with its names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support.surroundings import best, dossier_of, made, pod_of, said

from kausa.diagnosis.rules.engine import find_all
from kausa.diagnosis.rules.stated import kubernetes_states_it
from kausa.resources.category import Category

SANDBOX = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for "
    'sandbox "0f": '
)

STATED = yaml.safe_load(Path(__file__).with_name("stated_events.yaml").read_text("utf-8"))
NORMAL = frozenset({"NotTriggerScaleUp", "Preempted", "TaintManagerEviction"})


@pytest.mark.parametrize("told", STATED, ids=lambda each: f"{each['reason']}-{each['says'][0]}")
def test_an_event_that_names_the_cause_decides_without_a_symptom(told: dict[str, Any]) -> None:
    type_ = "normal" if told["reason"] in NORMAL else "warning"
    found = best(dossier_of(said(told["reason"], told["message"], type_=type_), pod=pod_of()))
    assert found.category.value == told["category"], found
    answer = f"{found.summary} {found.root_cause}".lower()
    for word in told["says"]:
        assert word.lower() in answer
    assert found.confidence >= 80


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("Pulled", "Container image is present"),
        ("Created", "Created container: quota-watcher"),
        ("Scheduled", "Successfully assigned shop/webhook-0 to node-not-ready-1"),
        ("Started", "Started container etcd-browser"),
        ("LeaderElection", "web-0 became leader"),
    ],
)
def test_what_went_well_is_no_cause_whatever_its_words(reason: str, message: str) -> None:
    assert (
        kubernetes_states_it(dossier_of(said(reason, message, type_="normal"), pod=pod_of()))
        is None
    )


def running() -> dict[str, object]:
    ready = {"name": "app", "ready": True, "restartCount": 0, "state": {"running": {}}}
    return pod_of(
        phase="Running",
        node="n1",
        containerStatuses=[ready],
        conditions=[{"type": "Ready", "status": "True"}],
    )


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu."),
        ("FailedMount", 'MountVolume.SetUp failed for volume "cfg" : configmap "flags" not found'),
        ("FailedCreatePodSandBox", SANDBOX + "cni config uninitialized"),
    ],
)
def test_what_kept_a_pod_from_starting_is_history_when_it_is_ready(
    reason: str, message: str
) -> None:
    dossier = dossier_of(said(reason, message), pod=running())
    assert not [each for each in find_all(dossier) if each.rule != "healthy.nothing-fails"]


def test_a_claim_that_is_bound_by_now_is_no_cause() -> None:
    claim = made("PersistentVolumeClaim", "data", status={"phase": "Bound"})
    failed = said(
        "ProvisioningFailed",
        'failed to provision volume with StorageClass "fast": quota exceeded',
        about=("PersistentVolumeClaim", "data"),
    )
    probe = said("Unhealthy", "Readiness probe failed: connection refused", minute=9)
    found = best(
        dossier_of(failed, probe, pod=pod_of(phase="Running", node="n1"), manifests=[claim])
    )
    assert "fast" not in f"{found.summary} {found.root_cause}"


def test_of_two_that_are_as_sure_the_earlier_one_is_the_cause() -> None:
    early = said("Failed", 'no matches for kind "Widget" in version "acme.io/v1"', minute=1)
    late = said("Failed", 'no matches for kind "Gadget" in version "acme.io/v1"', minute=9)
    assert "Widget" in best(dossier_of(late, early, pod=pod_of())).summary


def test_another_pods_trouble_is_less_sure_than_ones_own() -> None:
    own = said("FailedMount", 'MountVolume.MountDevice failed for volume "v" : disk is gone')
    other = said("FailedCreate", "etcdserver: request timed out", about=("Pod", "other-1"))
    assert best(dossier_of(other, own, pod=pod_of())).category is Category.VOLUME


def test_words_that_are_not_known_are_repeated_as_a_description() -> None:
    found = best(dossier_of(said("FailedMount", "the moon is in the wrong house"), pod=pod_of()))
    assert "the moon is in the wrong house" in found.summary
    assert found.category is Category.VOLUME
    assert 50 <= found.confidence <= 60


def test_a_refusal_that_was_overcome_does_not_explain_a_pod_that_came_after() -> None:
    refused = said(
        "FailedCreate",
        'pods "web-" is forbidden: error looking up service account shop/web: not found',
        about=("Job", "web"),
    )
    came = pod_of(phase="Failed", startTime="2026-07-01T09:00:00Z")
    dossier = dossier_of(refused, shown_by=("Job", "web"), pod=came)
    assert not any("service account" in each.summary.lower() for each in find_all(dossier))
