"""Configuration that is missing, and configuration that the kubelet could not ask for."""

from __future__ import annotations

import pytest
from support.pods import at, container, note, pod, waiting

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.verdict import Verdict
from kausa.resources.category import Category

REASON = "CreateContainerConfigError"
MISSING = 'configmap "settings" not found'
UNREAD = "failed to sync configmap cache: timed out waiting for the condition"


def waits_for(message: str) -> Pod:
    return pod(container(waiting(REASON, message)), phase="Pending")


def verdict(found: Pod, *notes: Note, seconds: float) -> Verdict:
    return detect_pod(found, around=Surroundings(notes=notes), now=at(seconds))


def test_a_missing_configmap_is_a_failure_at_once() -> None:
    (symptom,) = verdict(waits_for(MISSING), seconds=1).symptoms
    assert symptom.category is Category.CONFIG
    assert symptom.detail == MISSING


@pytest.mark.parametrize(
    "message",
    [
        UNREAD,
        "failed to sync secret cache: timed out waiting for the condition",
        'Get "https://10.0.0.1:6443/api/v1/configmaps": dial tcp 10.0.0.1:6443: connect: '
        "connection refused",
    ],
)
def test_what_the_kubelet_could_not_ask_for_is_not_said_to_be_missing(message: str) -> None:
    found = verdict(waits_for(message), seconds=3600)
    assert found.symptoms == ()
    assert found.look_again_at is not None


HASH = "7c54f31e3fc8b87a115f11a214efe060c94e93ae822c9819a472bfb382c2839c"
RESERVED = {
    "containerd": (
        'failed to reserve container name "api_{pod}_shop_{uid}_{attempt}": name '
        '"api_{pod}_shop_{uid}_{attempt}" is reserved for "{id}"'
    ),
    "CRI-O": (
        "Kubelet may be retrying requests that are timing out in CRI-O due to system load. "
        "Currently at stage container storage creation: context deadline exceeded: error "
        "reserving ctr name k8s_api_{pod}_shop_{uid}_{attempt} for id {id}: name is reserved"
    ),
    "dockershim": (
        "Error response from daemon: Conflict. The container name "
        '"/k8s_api_{pod}_shop_{uid}_{attempt}" is already in use by container "{id}". You have to '
        "remove (or rename) that container to be able to reuse that name."
    ),
}
UIDS = (
    "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    "eab4d444-3197-4924-81f8-d6e37c4a75c0",
    "37b2b42d18b011bd117353a3847450aa",  # Of a static Pod.
    "uid-of-no-known-shape",
)


def reserved(runtime: str, *, number: int, attempt: int = 0) -> tuple[Pod, str]:
    name, uid = f"checkout-5d8b7c9f64-{'xvbzq'[number:]}{'24567'[:number]}", UIDS[number]
    message = RESERVED[runtime].format(
        pod=name, uid=uid, attempt=attempt, id=HASH[number:] + HASH[:number]
    )
    return (
        pod(
            container(waiting("CreateContainerError", message)),
            name=name,
            uid=uid,
            phase="Pending",
        ),
        message,
    )


@pytest.mark.parametrize("runtime", RESERVED)
def test_a_name_that_the_runtime_still_holds_is_one_failure_of_all_pods_and_attempts(
    runtime: str,
) -> None:
    """In a storm every Pod would have a resource for every attempt."""
    details = {
        symptom.detail
        for number in range(4)
        for attempt in (0, 1, 17)
        for symptom in verdict(
            reserved(runtime, number=number, attempt=attempt)[0], seconds=60
        ).symptoms
    }
    assert len(details) == 1
    (detail,) = details
    assert "api_<pod>_shop" in detail


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('failed to generate spec: key "step_1"', 'failed to generate spec: key "step_2"'),
        ('exec "/bin/app_64": not found', 'exec "/bin/app_32": not found'),
        ("mkdir /data/deadbeef_1: denied", "mkdir /data/deadbeef_2: denied"),
    ],
)
def test_names_of_ones_own_with_numbers_behind_them_stay_two_failures(one: str, other: str) -> None:
    details = {
        verdict(pod(container(waiting("CreateContainerError", each)), phase="Pending"), seconds=60)
        .symptoms[0]
        .detail
        for each in (one, other)
    }
    assert len(details) == 2


def test_attempts_that_the_runtime_numbers_are_counted_together() -> None:
    found, _ = reserved("containerd", number=0, attempt=4)
    _, before = reserved("containerd", number=0, attempt=3)
    said = note("Failed", f"Error: {before}", container="api", count=4, last=50)
    (symptom,) = verdict(found, said, seconds=60).symptoms
    assert (symptom.occurrences, symptom.last_seen) == (4, at(50))


def test_configuration_that_cannot_be_read_for_minutes_is_a_failure() -> None:
    said = note("Failed", f"Error: {UNREAD}", container="api", first=0, last=110, count=9)
    assert verdict(waits_for(UNREAD), said, seconds=100).symptoms == ()
    (symptom,) = verdict(waits_for(UNREAD), said, seconds=300).symptoms
    assert symptom.occurrences == 9
