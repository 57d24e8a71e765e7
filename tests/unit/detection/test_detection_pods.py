"""Which Pods fail, and which only look as if they did."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pods import condition, container, pod, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.resources.category import Category

CAPTURES = Path(__file__).parents[2] / "captures"


def test_a_crash_loop_is_seen_with_its_exit_code_and_its_ends_counted() -> None:
    (symptom,) = detect_pod(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=4))
    )
    assert symptom.category is Category.CRASH_LOOP
    assert (symptom.reason, symptom.exit_code, symptom.occurrences) == ("CrashLoopBackOff", 3, 5)


def test_crash_loop_and_its_error_between_two_attempts_are_one_failure() -> None:
    (first,) = detect_pod(pod(container(terminated(3), restarts=1)))
    (second,) = detect_pod(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=1))
    )
    assert (first.reason_class, first.detail) == (second.reason_class, second.detail)
    assert first.occurrences == second.occurrences == 2


def test_a_single_crash_is_not_yet_a_failure() -> None:
    assert detect_pod(pod(container(terminated(1), restarts=0))) == ()


def test_out_of_memory_is_seen_at_the_first_kill_and_wins_over_the_crash_loop() -> None:
    (at_once,) = detect_pod(pod(container(terminated(137, "OOMKilled"))))
    (later,) = detect_pod(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(137, "OOMKilled"), restarts=2))
    )
    assert at_once.category is later.category is Category.OOM_KILLED
    assert (at_once.signal, at_once.reason_class) == (9, later.reason_class)


def test_a_child_killed_for_memory_is_out_of_memory_though_the_exit_code_is_1() -> None:
    (symptom,) = detect_pod(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(1, "OOMKilled"), restarts=1))
    )
    assert (symptom.category, symptom.exit_code, symptom.signal) == (Category.OOM_KILLED, 1, None)


@pytest.mark.parametrize("ready", [True, False])
def test_how_a_running_container_ended_before_is_no_failure_of_now(ready: bool) -> None:
    running = container(
        {"running": {"startedAt": "2026-01-02T03:04:05Z"}},
        last=terminated(137, "OOMKilled"),
        restarts=1,
        ready=ready,
    )
    assert detect_pod(pod(running)) == ()


def test_a_crash_loop_is_seen_even_where_the_kubelet_lost_how_it_ended() -> None:
    (symptom,) = detect_pod(pod(container(waiting("CrashLoopBackOff"), restarts=4)))
    assert symptom.category is Category.CRASH_LOOP
    assert symptom.exit_code is None


@pytest.mark.parametrize(
    "reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"]
)
def test_every_word_for_a_missing_image_is_one_failure_of_that_image(reason: str) -> None:
    shown = "ImagePullBackOff" if reason == "ErrImagePull" else reason
    (symptom,) = detect_pod(
        pod(container(waiting(reason, "no"), image=""), image="mailer:2.4.1", phase="Pending")
    )
    assert (symptom.reason, symptom.reason_class) == (shown, "ImagePull")
    assert symptom.detail == "mailer:2.4.1"


def test_a_configuration_error_is_the_same_in_every_pod_of_the_owner() -> None:
    (one,), (other,) = (
        detect_pod(
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
        detect_pod(
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
    (symptom,) = detect_pod(
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
    assert detect_pod(healthy) == ()


def test_a_start_error_of_1970_has_no_time() -> None:
    state = terminated(128, "StartError")
    state["terminated"]["startedAt"] = "1970-01-01T00:00:00Z"
    (symptom,) = detect_pod(pod(container(waiting("CrashLoopBackOff"), last=state, restarts=1)))
    assert symptom.since is None
    assert symptom.last_seen is not None


def test_the_captured_stream_of_a_real_node_shows_the_failures_that_were_made_there() -> None:
    seen: set[tuple[str, str]] = set()
    text = gzip.decompress((CAPTURES / "pods.watch.json.gz").read_bytes()).decode()
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        change, position = decoder.raw_decode(text, position)
        while position < len(text) and text[position].isspace():
            position += 1
        captured = msgspec.convert(change["object"], Pod, strict=False)
        for symptom in detect_pod(captured):
            seen.add((captured.metadata.name.partition("-7")[0], symptom.reason_class))
    assert {
        ("crashloop", "CrashLoop"),
        ("oom", "OOMKilled"),
        ("oom-child", "OOMKilled"),
        ("imagepull", "ImagePull"),
        ("imagenever", "ImagePull"),
        ("badimagename", "ImagePull"),
        ("configerror", "ConfigError"),
        ("unschedulable", "Unschedulable"),
        ("unschedulable-selector", "Unschedulable"),
        ("init-crash", "CrashLoop"),
    } <= seen
    assert not {name for name, _ in seen} & {"ok", "good", "job-ok"}


_states = st.fixed_dictionaries(
    {},
    optional={
        "waiting": st.fixed_dictionaries(
            {}, optional={"reason": st.text(max_size=30), "message": st.text(max_size=30)}
        ),
        "running": st.fixed_dictionaries({}),
        "terminated": st.fixed_dictionaries(
            {},
            optional={
                "exitCode": st.integers(-(2**31), 2**31),
                "reason": st.sampled_from(["OOMKilled", "Error", "", "StartError"]),
            },
        ),
    },
)
_statuses = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.text(max_size=10),
            "restartCount": st.integers(0, 2**31),
            "ready": st.booleans(),
            "state": _states,
            "lastState": _states,
        },
    ),
    max_size=4,
)


@given(statuses=_statuses, phase=st.text(max_size=12))
def test_no_status_of_any_shape_raises(statuses: list[object], phase: str) -> None:
    document = {"status": {"phase": phase, "containerStatuses": statuses}}
    for symptom in detect_pod(msgspec.convert(document, Pod)):
        assert symptom.occurrences >= 0


def test_a_pod_whose_last_words_come_without_containers_can_be_read() -> None:
    last = b'{"metadata":{"uid":"u"},"spec":{"containers":null},"status":{}}'
    assert detect_pod(msgspec.json.decode(last, type=Pod)) == ()


def test_the_registrys_answer_is_the_same_message_while_pulling_and_while_waiting() -> None:
    answer = "failed to resolve image: registry.example/app:1: not found"
    wrapped = f'Back-off pulling image "registry.example/app:1": ErrImagePull: {answer}'
    messages = {
        detect_pod(pod(container(waiting(reason, message)), phase="Pending"))[0].message
        for reason, message in (("ErrImagePull", answer), ("ImagePullBackOff", wrapped))
    }
    assert messages == {answer}
