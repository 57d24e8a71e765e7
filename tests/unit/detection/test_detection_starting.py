"""Pods that have a node and do not start: volumes, sandbox, or nobody says why."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from support.pods import at, condition, container, note, pod, running, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

CREATING = container(waiting("ContainerCreating"))
SECRET = 'MountVolume.SetUp failed for volume "s" : secret "missing-secret" not found'
UNMOUNTED = (
    "Unable to attach or mount volumes: unmounted volumes=[d], unattached volumes=[d]: timed out "
    "waiting for the condition"
)
MULTI = 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) db-0'
CNI = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for "
    'sandbox "{id}": plugin type="bridge" failed (add): no IP addresses available'
)
SANDBOX = "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = deadline"


def verdict(pod: Pod, *notes: Note, seconds: float) -> Verdict:
    return detect_pod(pod, around=Surroundings(notes=notes), now=at(seconds))


def creating(*, ready_to_start: str | None = "False", **more: Any) -> Pod:
    conditions = [condition("Ready", "False", "ContainersNotReady")]
    if ready_to_start is not None:
        conditions.append(condition("PodReadyToStartContainers", ready_to_start))
    return pod(CREATING, phase="Pending", conditions=tuple(conditions), **more)


@pytest.mark.parametrize(
    ("reason", "message", "category", "detail"),
    [
        ("FailedMount", SECRET, Category.CONFIG, 'secret "missing-secret" not found'),
        (
            "FailedMount",
            'MountVolume.SetUp failed for volume "c" : configmap "settings" not found',
            Category.CONFIG,
            'configmap "settings" not found',
        ),
        (
            "FailedMount",
            'MountVolume.SetUp failed for volume "c" : configmap references non-existent config '
            "key: app.yaml",
            Category.CONFIG,
            "references non-existent config key: app.yaml",
        ),
        (
            "FailedMount",
            'MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32',
            Category.VOLUME,
            "",
        ),
        ("FailedMount", UNMOUNTED, Category.VOLUME, ""),
        ("FailedAttachVolume", MULTI, Category.VOLUME, ""),
        ("FailedCreatePodSandBox", CNI.format(id="a1" * 32), Category.NETWORK, ""),
        ("FailedCreatePodSandBox", SANDBOX, Category.SANDBOX, ""),
        (
            "NetworkNotReady",
            "network is not ready: container runtime network not ready: NetworkReady=false "
            "reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not "
            "initialized",
            Category.NETWORK,
            "",
        ),
    ],
)
def test_what_keeps_a_pod_from_starting_is_read_from_its_events(
    reason: str, message: str, category: Category, detail: str
) -> None:
    said = note(reason, message, count=6, first=2, last=20)
    (symptom,) = verdict(creating(), said, seconds=22).symptoms
    assert (symptom.category, symptom.reason, symptom.detail) == (category, reason, detail)
    assert (symptom.container, symptom.occurrences) == (None, 6)
    assert (symptom.since, symptom.last_seen) == (at(2), at(20))


def test_one_attempt_has_twenty_seconds_and_repeated_ones_five() -> None:
    once, again = note("FailedMount", SECRET), note("FailedMount", SECRET, count=2, last=1)
    assert verdict(creating(), once, seconds=19).look_again_at == at(20)
    assert verdict(creating(), once, seconds=20).symptoms
    assert verdict(creating(), again, seconds=4).look_again_at == at(5)
    assert verdict(creating(), again, seconds=5).symptoms


@pytest.mark.parametrize(
    "well",
    [
        creating(ready_to_start="True"),
        pod(container(running(), ready=True)),
        pod(
            container(running(30), ready=True),
            conditions=(condition("PodReadyToStartContainers", "False", seconds=20),),
        ),
    ],
    ids=["pulls now", "runs", "runs though its sandbox is said to be gone"],
)
def test_a_pod_that_has_come_further_since_is_healthy(well: Pod) -> None:
    said = (note("FailedMount", SECRET, count=9), note("FailedCreatePodSandBox", SANDBOX, count=9))
    assert verdict(well, *said, seconds=60).symptoms == ()


def test_without_the_condition_only_what_was_said_lately_counts() -> None:
    older = creating(ready_to_start=None)
    said = note("FailedMount", SECRET, count=3, last=60)
    assert verdict(older, said, seconds=500).symptoms
    assert verdict(older, said, seconds=60 + 901).symptoms[0].reason_class == "SlowStart"


def test_the_sandbox_of_a_pod_that_ran_can_be_lost() -> None:
    lost = pod(
        container(terminated(255, "Unknown", seconds=3600)),
        conditions=(condition("PodReadyToStartContainers", "False", seconds=3600),),
    )
    old = note("FailedCreatePodSandBox", SANDBOX, count=3, last=30)
    assert verdict(lost, old, seconds=3700).symptoms == ()
    new = note("FailedCreatePodSandBox", SANDBOX, count=3, first=3610, last=3650)
    assert [each.category for each in verdict(lost, new, seconds=3700).symptoms] == ["Sandbox"]


def test_the_note_that_names_the_cause_is_taken_in_any_order() -> None:
    said = (
        note("FailedMount", UNMOUNTED, count=2, first=122, last=245),
        note("FailedMount", SECRET, count=9, first=0, last=240),
        note("FailedMount", 'MountVolume.SetUp failed for volume "v" : boom', first=1, last=244),
    )
    verdicts = {verdict(creating(), *order, seconds=250) for order in permutations(said)}
    assert len(verdicts) == 1
    assert [each.message for each in verdicts.pop().symptoms] == [SECRET]


def test_two_missing_objects_that_are_tried_in_turn_stay_one_failure() -> None:
    other = SECRET.replace("missing-secret", "another")
    first = note("FailedMount", SECRET, count=4, first=0, last=100)
    second = note("FailedMount", other, count=4, first=2, last=101)
    turned = note("FailedMount", SECRET, count=5, first=0, last=160)
    one, two = (
        verdict(creating(), *notes, seconds=170).symptoms[0]
        for notes in ((first, second), (turned, second))
    )
    assert one.detail == two.detail == 'secret "missing-secret" not found'


def test_a_volume_that_is_heard_of_no_more_is_mounted() -> None:
    other = SECRET.replace("missing-secret", "another")
    gone = note("FailedMount", SECRET, count=4, first=0, last=100)
    still = note("FailedMount", other, count=9, first=2, last=400)
    (symptom,) = verdict(creating(), gone, still, seconds=410).symptoms
    assert symptom.detail == 'secret "another" not found'


def test_of_volumes_and_sandbox_the_one_that_was_heard_of_last_fails_now() -> None:
    mounted = note("FailedMount", SECRET, count=4, first=0, last=60)
    now = note("FailedCreatePodSandBox", SANDBOX, count=4, first=70, last=90)
    (symptom,) = verdict(creating(), mounted, now, seconds=100).symptoms
    assert symptom.category is Category.SANDBOX


def test_every_attempt_at_a_sandbox_has_the_same_message() -> None:
    one, other = (
        verdict(
            creating(),
            note("FailedCreatePodSandBox", CNI.format(id=each * 32), count=2),
            seconds=30,
        ).symptoms[0]
        for each in ("a1", "b2")
    )
    assert one == other


def test_a_large_image_is_pulled_in_silence_for_ten_minutes() -> None:
    young = creating(ready_to_start="True")
    assert verdict(young, seconds=599) == Verdict(look_again_at=at(600))
    (symptom,) = verdict(young, seconds=600).symptoms
    assert (symptom.category, symptom.reason, symptom.container) == (
        Category.IMAGE_PULL,
        "ContainerCreating",
        "api",
    )


def test_a_start_that_hangs_before_the_sandbox_is_of_no_known_kind() -> None:
    (symptom,) = verdict(creating(), seconds=600).symptoms
    assert (symptom.category, symptom.container) == (Category.OTHER, None)


def test_a_pod_waits_an_hour_for_an_init_container_that_works() -> None:
    works = pod(
        container(waiting("PodInitializing")),
        init=(
            container(terminated(0, "Completed", seconds=50), name="fetch"),
            container(running(60), name="migrate", started=True),
        ),
        phase="Pending",
    )
    assert verdict(works, seconds=3659) == Verdict(look_again_at=at(3660))
    (symptom,) = verdict(works, seconds=3660).symptoms
    assert (symptom.category, symptom.reason) == (Category.OTHER, "PodInitializing")
    assert (symptom.container, symptom.since) == ("migrate", at(60))


def test_a_pod_that_has_been_started_waits_for_no_init_container() -> None:
    well = pod(
        container(running(), ready=True),
        init=(container(terminated(0, "Completed"), name="migrate"),),
        conditions=(condition("Ready", "True"),),
    )
    assert verdict(well, seconds=72_000) == HEALTHY


def test_the_silence_of_a_main_container_begins_when_the_last_init_container_has_ended() -> None:
    done = pod(
        container(waiting("PodInitializing")),
        init=(container(terminated(0, "Completed", seconds=3600), name="migrate"),),
        phase="Pending",
    )
    assert verdict(done, seconds=3700) == Verdict(look_again_at=at(4200))
    assert verdict(done, seconds=4200).symptoms


def test_a_sidecar_that_runs_holds_nobody_up() -> None:
    begun = pod(
        container(waiting("PodInitializing")),
        init=(container(running(), name="proxy", started=True),),
        phase="Pending",
        spec={"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]},
    )
    assert verdict(begun, seconds=600).symptoms


def test_a_pod_that_its_kubelet_never_begins_with_points_to_the_node() -> None:
    untouched = pod(phase="Pending", conditions=(condition("PodScheduled", "True"),))
    assert verdict(untouched, seconds=500) == Verdict(look_again_at=at(600))
    (symptom,) = verdict(untouched, seconds=600).symptoms
    assert symptom.category is Category.NODE


def test_a_readiness_gate_that_nobody_opens_is_seen_after_ten_minutes() -> None:
    gated = pod(
        container(running(), ready=True),
        conditions=(condition("Ready", "False", "ReadinessGatesNotReady", "lb not ready"),),
    )
    assert verdict(gated, seconds=599) == Verdict(look_again_at=at(600))
    (symptom,) = verdict(gated, seconds=600).symptoms
    assert (symptom.reason, symptom.message) == ("ReadinessGatesNotReady", "lb not ready")


def test_a_token_that_could_not_be_fetched_is_no_failure_while_the_api_server_is_just_away() -> (
    None
):
    refused = (
        'MountVolume.SetUp failed for volume "kube-api-access-x" : failed to fetch token: Post '
        '"https://127.0.0.1:6443/api/v1/namespaces/shop/serviceaccounts/default/token": dial tcp '
        "127.0.0.1:6443: connect: connection refused"
    )
    said = note("FailedMount", refused, count=6, first=0, last=12)
    assert verdict(creating(), said, seconds=15).symptoms == ()
    (symptom,) = verdict(creating(), said, seconds=150).symptoms
    assert symptom.category is Category.VOLUME


CGROUPS = (
    "unable to ensure pod container exists: failed to create container for [kubepods burstable "
    "pod0a1b] : Timeout waiting for systemd to create kubepods-burstable-pod0a1b.slice"
)
DEVICES = (
    "Failed to prepare dynamic resources: prepare dynamic resources: NodePrepareResources failed "
    "for ResourceClaim shop/gpu: the claim is not allocated to this node"
)
DIRECTORIES = (
    "error making pod data directories: mkdir /var/lib/kubelet/pods/0a1b: no space left on device"
)
FILESYSTEMS = "mount failed: ext4 was asked for, and the volume is formatted as xfs"
SYNC = "error determining status: rpc error: code = Unknown desc = failed to get sandbox status"


@pytest.mark.parametrize(
    ("reason", "message", "category", "reason_class"),
    [
        ("FailedCreatePodContainer", CGROUPS, Category.SANDBOX, "Sandbox"),
        ("FailedPrepareDynamicResources", DEVICES, Category.OTHER, "DynamicResources"),
        ("FailedMountOnFilesystemMismatch", FILESYSTEMS, Category.VOLUME, "Volume"),
        ("FailedSync", SYNC, Category.SANDBOX, "Sandbox"),
        ("FailedValidation", "Error validating pod", Category.ADMISSION, "FailedValidation"),
        ("Failed", DIRECTORIES, Category.SANDBOX, "Sandbox"),
    ],
)
def test_what_the_kubelet_does_before_the_sandbox_can_keep_a_pod_from_starting_too(
    reason: str, message: str, category: Category, reason_class: str
) -> None:
    said = note(reason, message, count=12, first=2, last=290)
    (symptom,) = verdict(creating(), said, seconds=300).symptoms
    assert (symptom.category, symptom.reason) == (category, reason)
    assert (symptom.reason_class, symptom.occurrences) == (reason_class, 12)
    begun = creating(ready_to_start="True")
    assert verdict(begun, said, seconds=300).symptoms == ()


def test_a_container_that_failed_is_not_taken_for_its_pod() -> None:
    said = note("Failed", "Error: ErrImagePull", container="api", count=12, first=2, last=290)
    assert verdict(creating(), said, seconds=299).symptoms == ()


def test_where_another_event_says_what_went_wrong_the_one_that_repeats_it_is_left_out() -> None:
    mount = note("FailedMount", SECRET, count=4, first=2, last=20)
    sync = note("FailedSync", "unmounted volumes=[s]: timed out", count=4, first=2, last=22)
    (symptom,) = verdict(creating(), mount, sync, seconds=30).symptoms
    assert (symptom.category, symptom.reason) == (Category.CONFIG, "FailedMount")


def test_a_warning_of_an_unknown_kind_that_is_repeated_is_named_after_minutes() -> None:
    said = note("DeviceDriverNotReady", "driver gpu.example is away", count=12, first=5, last=290)
    assert verdict(creating(), said, seconds=299) == Verdict(look_again_at=at(300))
    (symptom,) = verdict(creating(), said, seconds=300).symptoms
    assert (symptom.category, symptom.reason) == (Category.OTHER, "DeviceDriverNotReady")
    assert symptom.message == "driver gpu.example is away"
    (silent,) = verdict(creating(), seconds=600).symptoms
    assert (symptom.reason_class, symptom.detail) == (silent.reason_class, silent.detail)


@pytest.mark.parametrize(
    ("ready_to_start", "said"),
    [
        ("True", note("DNSConfigForming", "limits exceeded", count=12, first=5, last=290)),
        ("False", note("DNSConfigForming", "limits exceeded", count=2, first=5, last=290)),
        ("False", note("FailedScheduling", "0/1 nodes", count=12, first=-300, last=0)),
        ("False", note("Odd", "of a container", container="api", count=12, first=5, last=290)),
    ],
    ids=["it pulls by now", "said twice", "before it had a node", "of a container"],
)
def test_a_warning_that_does_not_keep_it_from_starting_shortens_nothing(
    ready_to_start: str, said: Note
) -> None:
    found = verdict(creating(ready_to_start=ready_to_start), said, seconds=400)
    assert found == Verdict(look_again_at=at(600))


def test_a_volume_that_is_still_attached_elsewhere_has_two_minutes_to_come() -> None:
    once = note("FailedAttachVolume", MULTI, first=1)
    assert verdict(creating(), once, seconds=120) == Verdict(look_again_at=at(121))
    assert verdict(creating(), once, seconds=121).symptoms
    again = note("FailedAttachVolume", MULTI, count=2, first=1, last=20)
    assert verdict(creating(), again, seconds=24).symptoms
