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


def test_configuration_that_cannot_be_read_for_minutes_is_a_failure() -> None:
    said = note("Failed", f"Error: {UNREAD}", container="api", first=0, last=110, count=9)
    assert verdict(waits_for(UNREAD), said, seconds=100).symptoms == ()
    (symptom,) = verdict(waits_for(UNREAD), said, seconds=300).symptoms
    assert symptom.occurrences == 9
