"""Claims: which wait as they should, which wait in vain, and what the Pods that need them learn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.objects import NOW, claim, note, said

from kausa.cluster.workloads import PersistentVolumeClaim
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.verdict import HEALTHY
from kausa.detection.workloads.claims import claim_state
from kausa.detection.workloads.detect import detect_workload
from kausa.resources.category import Category


def _note(reason: str, message: str = "", *, count: int = 1) -> Note:
    return note(
        reason, message, kind="PersistentVolumeClaim", name="data-db-0", api_version="v1",
        count=count,
    )  # fmt: skip


NO_CLASS = _note(
    "ProvisioningFailed", 'storageclass.storage.k8s.io "missing-class" not found', count=23
)


def test_a_claim_of_a_class_that_does_not_exist_fails() -> None:
    (symptom,) = detect_workload(
        claim(storage_class="missing-class"), around=Surroundings(notes=(NO_CLASS,)), now=NOW
    ).symptoms
    assert (symptom.category, symptom.reason) == (Category.VOLUME, "ProvisioningFailed")
    assert symptom.occurrences == 23


def test_a_provisioner_that_fails_is_the_storages_failure() -> None:
    said_so = _note(
        "ProvisioningFailed",
        'failed to provision volume with StorageClass "fast": rpc error: code = '
        "ResourceExhausted desc = no capacity in pool 7",
    )
    (symptom,) = detect_workload(
        claim(provisioner="csi.example"), around=Surroundings(notes=(said_so,)), now=NOW
    ).symptoms
    assert (symptom.category, symptom.detail) == (Category.STORAGE, "")


def test_a_class_may_come_with_its_claim() -> None:
    verdict = detect_workload(
        claim(created=timedelta(seconds=4)), around=Surroundings(notes=(NO_CLASS,)), now=NOW
    )
    assert verdict.symptoms == ()
    assert verdict.look_again_at == NOW + timedelta(seconds=6)


@pytest.mark.parametrize("storage_class", [None, ""])
def test_a_claim_that_nobody_provisions_fails_after_two_minutes(storage_class: str | None) -> None:
    (symptom,) = detect_workload(
        claim(storage_class=storage_class, created=timedelta(minutes=2)), now=NOW
    ).symptoms
    assert (symptom.category, symptom.reason) == (Category.VOLUME, "FailedBinding")
    assert "no storage class is set" in symptom.message
    young = claim(storage_class=storage_class, created=timedelta(seconds=119))
    verdict = detect_workload(young, now=NOW)
    assert verdict.symptoms == ()
    assert verdict.look_again_at == NOW + timedelta(seconds=1)


def test_a_claim_that_names_its_volume_and_is_not_bound_to_it_fails() -> None:
    (symptom,) = detect_workload(claim(volume="pv-7"), now=NOW).symptoms
    assert symptom.reason == "FailedBinding"
    assert "pv-7" in symptom.message


def test_a_provisioner_that_was_asked_and_is_silent_is_a_failure_of_storage() -> None:
    (symptom,) = detect_workload(claim(provisioner="csi.example"), now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.STORAGE, "ExternalProvisioning")
    assert "csi.example" in symptom.message
    young = claim(provisioner="csi.example", created=timedelta(minutes=4))
    assert detect_workload(young, now=NOW).look_again_at == NOW + timedelta(minutes=1)


def test_a_silent_provisioner_that_speaks_at_last_is_the_same_failure() -> None:
    found = claim(provisioner="csi.example")
    spoken = _note("ProvisioningFailed", "timed out")
    (silent,) = detect_workload(found, now=NOW).symptoms
    (loud,) = detect_workload(found, around=Surroundings(notes=(spoken,)), now=NOW).symptoms
    assert (silent.reason_class, silent.detail) == (loud.reason_class, loud.detail)


def test_a_claim_that_lost_its_volume_fails_at_once() -> None:
    found = claim(phase="Lost", volume="pv-7", created=timedelta(seconds=1))
    (symptom,) = detect_workload(found, now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.VOLUME, "ClaimLost")
    assert "pv-7" in symptom.message


@pytest.mark.parametrize("type_", ["ControllerResizeError", "NodeResizeError", "ModifyVolumeError"])
def test_a_volume_that_cannot_grow_is_a_failure_of_a_bound_claim(type_: str) -> None:
    found = claim(said(type_, "True", message="quota exceeded"), phase="Bound")
    (symptom,) = detect_workload(found, now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.VOLUME, type_)


def test_a_resize_fails_while_it_is_tried_and_an_event_says_so() -> None:
    around = Surroundings(notes=(_note("VolumeResizeFailed", "no capacity", count=5),))
    growing = claim(said("Resizing", "True"), phase="Bound")
    (symptom,) = detect_workload(growing, around=around, now=NOW).symptoms
    assert (symptom.reason, symptom.occurrences) == ("VolumeResizeFailed", 5)
    assert detect_workload(growing, now=NOW) is HEALTHY
    assert detect_workload(claim(phase="Bound"), around=around, now=NOW) is HEALTHY
    done = claim(said("Resizing", "False"), phase="Bound")
    assert detect_workload(done, around=around, now=NOW) is HEALTHY


def test_a_file_system_that_waits_for_a_new_pod_is_told_after_a_while() -> None:
    def waiting(ago: timedelta) -> PersistentVolumeClaim:
        return claim(said("FileSystemResizePending", "True", ago=ago), phase="Bound")

    (symptom,) = detect_workload(waiting(timedelta(minutes=11)), now=NOW).symptoms
    assert symptom.reason == "FileSystemResizePending"
    young = detect_workload(waiting(timedelta(minutes=9)), now=NOW)
    assert (young.symptoms, young.look_again_at) == ((), NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    "healthy",
    [
        claim(phase="Bound", volume="pv-7"),
        claim(),
        claim(storage_class=None, deleting=True),
        claim(phase="Lost", deleting=True),
    ],
    ids=["is bound", "waits for its first consumer", "is deleted", "is lost and deleted"],
)
def test_a_claim_that_does_not_fail_has_no_symptom(healthy: PersistentVolumeClaim) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY


def test_what_a_provisioner_said_before_the_claim_was_bound_is_history() -> None:
    bound = claim(phase="Bound")
    assert detect_workload(bound, around=Surroundings(notes=(NO_CLASS,)), now=NOW) is HEALTHY


def test_pods_learn_why_their_claim_is_not_bound() -> None:
    state = claim_state(claim(), (NO_CLASS,))
    assert state is not None
    assert (state.name, state.phase) == ("data-db-0", "Pending")
    assert (state.uid, state.reason) == ("uid-of-data-db-0", "ProvisioningFailed")


def test_a_claim_that_is_bound_keeps_no_pod_waiting() -> None:
    assert claim_state(claim(phase="Bound"), (NO_CLASS,)) is None


def test_a_claim_without_a_status_is_not_bound_yet() -> None:
    state = claim_state(claim(phase=""))
    assert state is not None
    assert (state.phase, state.reason) == ("Pending", "")
