"""Which Pods fail, and which only look as if they did."""

from __future__ import annotations

import msgspec
import pytest
from support.pods import at, condition, container, note, pod, running, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import NOWHERE, Note, Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY
from kausa.resources.category import Category


def seen(pod: Pod, *notes: Note, seconds: float = 15) -> tuple[Symptom, ...]:
    """What the Pod shows so long after it began."""
    around = Surroundings(notes=notes) if notes else NOWHERE
    return detect_pod(pod, around=around, now=at(seconds)).symptoms


def test_a_crash_loop_is_seen_with_its_exit_code_and_its_ends_counted() -> None:
    (symptom,) = seen(pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=4)))
    assert symptom.category is Category.CRASH_LOOP
    assert (symptom.reason, symptom.exit_code, symptom.occurrences) == ("CrashLoopBackOff", 3, 5)


def test_crash_loop_and_its_error_between_two_attempts_are_one_failure() -> None:
    (first,) = seen(pod(container(terminated(3), restarts=1)))
    (second,) = seen(pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=1)))
    assert (first.reason_class, first.detail) == (second.reason_class, second.detail)
    assert first.occurrences == second.occurrences == 2


def test_a_single_crash_is_not_yet_a_failure() -> None:
    assert seen(pod(container(terminated(1), restarts=0))) == ()


def test_out_of_memory_is_seen_at_the_first_kill_and_wins_over_the_crash_loop() -> None:
    (at_once,) = seen(pod(container(terminated(137, "OOMKilled"))))
    (later,) = seen(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(137, "OOMKilled"), restarts=2))
    )
    assert at_once.category is later.category is Category.OOM_KILLED
    assert (at_once.signal, at_once.reason_class) == (9, later.reason_class)


def test_a_child_killed_for_memory_is_out_of_memory_though_the_exit_code_is_1() -> None:
    (symptom,) = seen(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(1, "OOMKilled"), restarts=1))
    )
    assert (symptom.category, symptom.exit_code, symptom.signal) == (Category.OOM_KILLED, 1, None)


def test_a_crash_loop_is_seen_even_where_the_kubelet_lost_how_it_ended() -> None:
    (symptom,) = seen(pod(container(waiting("CrashLoopBackOff"), restarts=4)))
    assert symptom.category is Category.CRASH_LOOP
    assert symptom.exit_code is None


@pytest.mark.parametrize(
    "reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"]
)
def test_every_word_for_a_missing_image_is_one_failure_of_that_image(reason: str) -> None:
    shown = "ImagePullBackOff" if reason == "ErrImagePull" else reason
    (symptom,) = seen(
        pod(container(waiting(reason, "no"), image=""), image="mailer:2.4.1", phase="Pending")
    )
    assert (symptom.reason, symptom.reason_class) == (shown, "ImagePull")
    assert symptom.detail == "mailer:2.4.1"


def test_a_configuration_error_is_the_same_in_every_pod_of_the_owner() -> None:
    (one,), (other,) = (
        seen(
            pod(
                container(
                    waiting(
                        "CreateContainerConfigError",
                        f'container has runAsNonRoot and image will run as root (pod: "{name}_shop'
                        '(eab4d444-3197-4924-81f8-d6e37c4a75c0)", container: c)',
                    )
                ),
                name=name,
                phase="Pending",
            )
        )
        for name in ("a-1", "a-2")
    )
    assert one.category is Category.CONFIG
    assert one.detail == other.detail


def test_an_unschedulable_pod_keeps_one_identity_while_its_message_counts_nodes() -> None:
    one, other = (
        seen(
            pod(
                phase="Pending",
                node="",
                conditions=(condition("PodScheduled", "False", "Unschedulable", message),),
            )
        )[0]
        for message in ("0/1 nodes are available: 1 x.", "0/9 nodes are available: 9 x.")
    )
    assert one.category is Category.SCHEDULING
    assert (one.reason_class, one.detail) == (other.reason_class, other.detail)


def test_a_failing_init_container_is_named_and_not_the_one_that_waits_for_it() -> None:
    (symptom,) = seen(
        pod(
            container(waiting("PodInitializing")),
            init=(
                container(
                    waiting("CrashLoopBackOff"), name="migrate", last=terminated(2), restarts=3
                ),
            ),
            phase="Pending",
        )
    )
    assert symptom.container == "migrate"


@pytest.mark.parametrize(
    "healthy",
    [
        pod(container({"running": {}}, ready=True)),
        pod(container(waiting("ContainerCreating")), phase="Pending"),
        pod(container(waiting("PodInitializing")), phase="Pending"),
        pod(container(terminated(0, "Completed")), phase="Succeeded"),
        pod(container(waiting("CrashLoopBackOff"), last=terminated(1)), deleting=True),
        pod(
            phase="Pending",
            node="",
            conditions=(condition("PodScheduled", "False", "SchedulingGated", "gated"),),
        ),
        pod(phase="Pending", node=""),
    ],
    ids=["runs", "is created", "initialises", "has finished", "is deleted", "is gated", "is new"],
)
def test_a_pod_that_does_not_fail_has_no_symptom(healthy: Pod) -> None:
    assert seen(healthy) == ()


def test_a_start_error_of_1970_has_no_time() -> None:
    state = terminated(128, "StartError")
    state["terminated"]["startedAt"] = "1970-01-01T00:00:00Z"
    (symptom,) = seen(pod(container(waiting("CrashLoopBackOff"), last=state, restarts=1)))
    assert symptom.since is None
    assert symptom.last_seen is not None


def test_a_pod_whose_last_words_come_without_containers_can_be_read() -> None:
    last = b'{"metadata":{"uid":"u"},"spec":{"containers":null},"status":{}}'
    assert seen(msgspec.json.decode(last, type=Pod)) == ()


def test_the_registrys_answer_is_the_same_message_while_pulling_and_while_waiting() -> None:
    answer = "failed to resolve image: registry.example/app:1: not found"
    wrapped = f'Back-off pulling image "registry.example/app:1": ErrImagePull: {answer}'
    messages = {
        seen(pod(container(waiting(reason, message)), phase="Pending"))[0].message
        for reason, message in (("ErrImagePull", answer), ("ImagePullBackOff", wrapped))
    }
    assert messages == {answer}


READY = condition("Ready", "True")


def test_a_pod_that_is_ready_costs_nothing_and_is_never_looked_at_again() -> None:
    well = pod(container(running(), ready=True), conditions=(READY,))
    assert detect_pod(well, now=at(0)) is HEALTHY


def test_a_ready_pod_of_which_an_old_event_complains_is_healthy() -> None:
    well = pod(container(running(), ready=True), conditions=(READY,))
    said = [
        note("Unhealthy", "Readiness probe failed: refused", container="api"),
        note("FailedMount", 'MountVolume.SetUp failed for volume "v"', count=3),
        note("BackOff", "Back-off restarting failed container", container="api"),
        note("FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
    ]
    verdict = detect_pod(well, around=Surroundings(notes=tuple(said)), now=at(30))
    assert verdict == HEALTHY


@pytest.mark.parametrize(
    ("reason", "message", "category"),
    [
        ("CreateContainerError", "no command specified", Category.CONFIG),
        ("CreateContainerError", "context deadline exceeded", Category.SANDBOX),
        ("CreateContainerError", 'failed to reserve container name "x"', Category.SANDBOX),
    ],
)
def test_a_container_that_cannot_be_created_is_a_failure_after_a_moment(
    reason: str, message: str, category: Category
) -> None:
    stuck = pod(container(waiting(reason, message)), phase="Pending")
    young = detect_pod(stuck, now=at(3))
    assert (young.symptoms, young.look_again_at) == ((), at(10))
    (symptom,) = seen(stuck, seconds=10)
    assert (symptom.category, symptom.reason) == (category, reason)


def test_a_command_that_cannot_be_started_is_one_failure_before_and_during_the_back_off() -> None:
    end = terminated(128, "StartError", 'exec: "/no/such": no such file')
    first, later = (
        seen(pod(container(waiting(reason), last=end, restarts=restarts)))[0]
        for reason, restarts in (("RunContainerError", 0), ("CrashLoopBackOff", 1))
    )
    assert first.category is Category.CRASH_LOOP
    assert (first.reason, first.reason_class, first.detail, first.message) == (
        later.reason,
        later.reason_class,
        later.detail,
        later.message,
    )


def test_a_hook_that_fails_after_the_start_is_one_failure_before_and_during_the_back_off() -> None:
    said = note("FailedPostStartHook", "PostStartHook failed", container="api")
    now, later = (
        seen(pod(container(waiting(reason), last=terminated(137), restarts=2)), said)[0]
        for reason in ("PostStartHookError", "CrashLoopBackOff")
    )
    assert (now.reason, now.detail) == ("PostStartHookError", "post-start hook")
    assert (now.reason, now.reason_class, now.detail) == (
        later.reason,
        later.reason_class,
        later.detail,
    )


def test_a_crash_after_an_earlier_failure_of_the_hook_is_a_crash() -> None:
    said = note("FailedPostStartHook", "PostStartHook failed", container="api")
    (symptom,) = seen(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(2), restarts=2)), said
    )
    assert (symptom.reason, symptom.detail) == ("CrashLoopBackOff", "exit 2")


def test_an_unknown_reason_to_wait_is_a_failure_only_when_it_lasts() -> None:
    odd = pod(container(waiting("SomethingNew", "who knows")), phase="Pending")
    assert detect_pod(odd, now=at(5)).look_again_at == at(60)
    (symptom,) = seen(odd, seconds=60)
    assert (symptom.category, symptom.reason) == (Category.OTHER, "SomethingNew")


def test_attempts_of_the_kubelet_are_counted_from_its_events() -> None:
    failing = pod(container(waiting("ImagePullBackOff", "no")), phase="Pending")
    (symptom,) = seen(
        failing,
        note("Failed", 'Failed to pull image "x": no', container="api", count=7, last=90),
        note("Failed", "Error: ImagePullBackOff", container="api", count=99, last=120),
        note("Failed", 'Failed to pull image "y": no', container="other", count=50, last=140),
    )
    assert (symptom.occurrences, symptom.last_seen) == (7, at(90))


def test_attempts_to_configure_a_container_are_counted_from_its_events() -> None:
    message = 'configmap "settings" not found'
    (symptom,) = seen(
        pod(container(waiting("CreateContainerConfigError", message)), phase="Pending"),
        note("Failed", f"Error: {message}", container="api", count=4, last=60),
    )
    assert (symptom.occurrences, symptom.last_seen) == (4, at(60))


SIDECAR = {
    "containers": [{"name": "api"}],
    "initContainers": [{"name": "proxy", "restartPolicy": "Always"}],
}


def test_a_sidecar_that_crashes_is_named_while_the_main_container_runs() -> None:
    (symptom,) = seen(
        pod(
            container(running(), ready=True),
            init=(
                container(
                    waiting("CrashLoopBackOff"), name="proxy", last=terminated(1), restarts=3
                ),
            ),
            conditions=(condition("Ready", "False", "ContainersNotReady"),),
            spec=SIDECAR,
        )
    )
    assert (symptom.category, symptom.container) == (Category.CRASH_LOOP, "proxy")


def test_a_debug_container_that_ended_is_no_failure_and_one_without_image_is() -> None:
    ended, missing = (
        pod(
            container(running(), ready=True),
            conditions=(READY,),
            status={"ephemeralContainerStatuses": [container(state, name="debug", restarts=2)]},
        )
        for state in (terminated(1), waiting("ErrImagePull", "not found"))
    )
    assert seen(ended) == ()
    (symptom,) = seen(missing)
    assert (symptom.category, symptom.container) == (Category.IMAGE_PULL, "debug")


def test_each_failing_container_has_one_symptom() -> None:
    symptoms = seen(
        pod(
            container(waiting("ImagePullBackOff", "no"), name="a"),
            container(waiting("CrashLoopBackOff"), name="b", last=terminated(1), restarts=2),
            container(running(), name="c", ready=True),
        )
    )
    assert [(each.container, each.category) for each in symptoms] == [
        ("a", Category.IMAGE_PULL),
        ("b", Category.CRASH_LOOP),
    ]


NEVER = {"restartPolicy": "Never"}
JOB = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "j", "controller": True}


def test_a_container_that_nobody_starts_again_fails_at_its_first_end() -> None:
    (symptom,) = seen(pod(container(terminated(3)), spec=NEVER))
    assert (symptom.category, symptom.reason, symptom.exit_code) == (
        Category.CRASH_LOOP,
        "Error",
        3,
    )


@pytest.mark.parametrize("state", [terminated(3), terminated(137, "OOMKilled")])
def test_the_end_of_a_jobs_pod_is_for_the_job_to_judge(state: dict[str, object]) -> None:
    assert seen(pod(container(state), spec=NEVER, owner=JOB)) == ()


def test_a_jobs_pod_that_is_restarted_in_place_can_loop() -> None:
    (symptom,) = seen(
        pod(
            container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2),
            spec={"restartPolicy": "OnFailure"},
            owner=JOB,
        )
    )
    assert symptom.category is Category.CRASH_LOOP


def test_a_container_that_has_finished_beside_another_is_no_failure() -> None:
    assert (
        seen(
            pod(
                container(terminated(0, "Completed"), name="setup"),
                container(running(), ready=True),
                spec={"restartPolicy": "OnFailure"},
            )
        )
        == ()
    )


def test_a_failure_of_the_whole_pod_hides_those_of_its_containers() -> None:
    lost = pod(
        container(waiting("ImagePullBackOff", "no")),
        phase="Pending",
        conditions=(
            condition("PodReadyToStartContainers", "False"),
            condition("Ready", "False", "ContainersNotReady"),
        ),
    )
    assert [each.category for each in seen(lost)] == [Category.IMAGE_PULL]
    said = note("FailedCreatePodSandBox", "Failed to create pod sandbox: boom", count=3, last=10)
    assert [each.category for each in seen(lost, said, seconds=30)] == [Category.SANDBOX]


def test_the_time_of_a_waiting_container_is_not_before_its_last_end() -> None:
    (symptom,) = seen(
        pod(container(waiting("ImagePullBackOff", "no"), last=terminated(1, seconds=900))),
        seconds=1000,
    )
    assert symptom.since == at(900)
