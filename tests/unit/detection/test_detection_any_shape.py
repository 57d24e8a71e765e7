"""Whatever a Pod and the Events about it hold, a verdict comes of it, and always the same one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.cluster.objects import Event, Pod
from kausa.detection.events import merge_notes, note_of
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import ClaimState, NodeState, Note, Surroundings
from kausa.detection.verdict import Verdict

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MOST_LOOKS = 50
"""There are fewer graces than that."""

_times = st.one_of(
    st.none(),
    st.integers(-7200, 7200).map(lambda s: (START + timedelta(seconds=s)).isoformat()),
    st.sampled_from(
        ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
    ),
)
_names = st.sampled_from(["", "api", "proxy", "x" * 300])
_words = st.one_of(
    st.sampled_from(
        [
            "",
            "CrashLoopBackOff",
            "ImagePullBackOff",
            "ErrImagePull",
            "CreateContainerConfigError",
            "CreateContainerError",
            "RunContainerError",
            "PostStartHookError",
            "ContainerCreating",
            "PodInitializing",
            "OOMKilled",
            "Error",
            "Completed",
            "StartError",
            "ContainerStatusUnknown",
            "Unschedulable",
            "SchedulingGated",
            "PreemptionByScheduler",
            "ReadinessGatesNotReady",
            "Evicted",
            "Infeasible",
            "OutOfcpu",
            "DeadlineExceeded",
        ]
    ),
    st.text(max_size=8),
)
_messages = st.one_of(
    st.sampled_from(
        [
            "",
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
            '0/1 nodes are available: persistentvolumeclaim "data" not found. not found',
            "999999999999/9 nodes are available: 1 x, , 2",
            'secret "s" not found',
            "Liveness probe failed: x",
            "Readiness probe failed: x",
            "Startup probe failed: x",
            "The node was low on resource: memory. Threshold",
            "Unable to attach or mount volumes: x",
            "cni failed",
        ]
    ),
    st.text(max_size=20),
)
_numbers = st.one_of(st.integers(-5, 200), st.sampled_from([2**62, -(2**62)]))


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


_states = st.one_of(
    _some(waiting=_some(reason=_words, message=_messages)),
    _some(running=_some(startedAt=_times)),
    _some(
        terminated=_some(
            exitCode=st.one_of(st.sampled_from([0, 1, 137, 143]), _numbers),
            signal=st.one_of(st.none(), st.integers(-1, 70)),
            reason=_words,
            message=_messages,
            startedAt=_times,
            finishedAt=_times,
        )
    ),
)
_statuses = st.one_of(
    st.none(),
    st.lists(
        _some(
            name=_names,
            restartCount=_numbers,
            ready=st.booleans(),
            started=st.one_of(st.none(), st.booleans()),
            state=_states,
            lastState=_states,
        ),
        max_size=3,
    ),
)
_conditions = st.lists(
    _some(
        type=st.sampled_from(
            [
                "Ready",
                "ContainersReady",
                "PodScheduled",
                "PodReadyToStartContainers",
                "DisruptionTarget",
                "PodResizePending",
                "PodResizeInProgress",
                "",
            ]
        ),
        status=st.sampled_from(["True", "False", "Unknown", ""]),
        reason=_words,
        message=_messages,
        lastTransitionTime=_times,
    ),
    max_size=5,
)
_probes = st.one_of(
    st.none(),
    _some(initialDelaySeconds=_numbers, periodSeconds=_numbers, failureThreshold=_numbers),
)
_containers = st.one_of(
    st.none(),
    st.lists(
        _some(
            name=_names,
            image=_messages,
            restartPolicy=st.sampled_from([None, "Always", "Never"]),
            livenessProbe=_probes,
            readinessProbe=_probes,
            startupProbe=_probes,
        ),
        max_size=2,
    ),
)
_pods = _some(
    metadata=_some(
        name=_names,
        namespace=_names,
        creationTimestamp=_times,
        deletionTimestamp=_times,
        deletionGracePeriodSeconds=_numbers,
        ownerReferences=st.lists(
            _some(
                kind=st.sampled_from(["Job", "ReplicaSet"]),
                apiVersion=st.sampled_from(["batch/v1", "apps/v1"]),
                controller=st.booleans(),
            ),
            max_size=2,
        ),
    ),
    spec=_some(
        nodeName=_names,
        restartPolicy=st.sampled_from(["Always", "Never", "OnFailure", ""]),
        containers=_containers,
        initContainers=_containers,
        schedulingGates=st.lists(_some(name=_messages), max_size=2),
        volumes=st.lists(
            _some(name=_names, persistentVolumeClaim=_some(claimName=st.just("data"))), max_size=2
        ),
    ),
    status=_some(
        phase=st.sampled_from(["", "Pending", "Running", "Failed", "Succeeded", "Unknown"]),
        reason=_words,
        message=_messages,
        startTime=_times,
        nominatedNodeName=_names,
        conditions=_conditions,
        containerStatuses=_statuses,
        initContainerStatuses=_statuses,
        ephemeralContainerStatuses=_statuses,
    ),
)
_events = _some(
    involvedObject=_some(
        kind=st.just("Pod"),
        uid=st.just("u"),
        fieldPath=st.sampled_from(["", "spec.containers{api}", "spec.containers{proxy}"]),
    ),
    type=st.sampled_from(["Warning", "Normal", ""]),
    reason=st.sampled_from(
        [
            "Unhealthy",
            "FailedMount",
            "FailedAttachVolume",
            "FailedCreatePodSandBox",
            "NetworkNotReady",
            "FailedKillPod",
            "FailedUnMount",
            "FailedScheduling",
            "FailedPostStartHook",
            "FailedPrepareDynamicResources",
            "FailedSync",
            "NodeNotReady",
            "Failed",
            "Evicted",
            "BackOff",
        ]
    ),
    message=_messages,
    count=st.one_of(st.none(), _numbers),
    firstTimestamp=_times,
    lastTimestamp=_times,
    eventTime=_times,
    series=st.one_of(st.none(), _some(count=_numbers, lastObservedTime=_times)),
)


def _noted(events: list[dict[str, Any]]) -> list[Note]:
    decoded = (msgspec.convert(each, Event) for each in events)
    return [note for each in decoded if (note := note_of(each)) is not None]


_surroundings = st.builds(
    lambda notes, node, claims: Surroundings(notes=notes, node=node, unbound_claims=claims),
    st.lists(_events, max_size=5).map(_noted).map(tuple),
    st.one_of(
        st.none(),
        st.builds(
            NodeState,
            name=_names,
            uid=_names,
            ready=st.booleans(),
            since=st.one_of(st.none(), st.just(START)),
        ),
    ),
    st.sampled_from([{}, {"data": ClaimState(name="data", uid="c", phase="Pending")}]),
)


def check(verdict: Verdict, now: datetime) -> None:
    assert verdict.look_again_at is None or verdict.look_again_at > now
    shown = [each.container for each in verdict.symptoms]
    assert None not in shown or len(shown) == 1
    for symptom in verdict.symptoms:
        assert symptom.occurrences >= 1
        assert symptom.reason_class


@given(_pods, _surroundings)
def test_no_pod_of_any_shape_raises_and_looking_again_comes_to_an_end(
    document: dict[str, Any], around: Surroundings
) -> None:
    pod = msgspec.convert(document, Pod)
    now = START
    for _ in range(MOST_LOOKS):
        verdict = detect_pod(pod, around=around, now=now)
        check(verdict, now)
        if verdict.look_again_at is None:
            return
        now = verdict.look_again_at
    raise AssertionError(now)


@given(st.data(), _pods, _surroundings)
def test_the_order_of_notes_does_not_change_the_verdict(
    data: st.DataObject, document: dict[str, Any], around: Surroundings
) -> None:
    pod = msgspec.convert(document, Pod)
    turned = Surroundings(
        notes=tuple(data.draw(st.permutations(around.notes))),
        node=around.node,
        unbound_claims=around.unbound_claims,
    )
    assert detect_pod(pod, around=turned, now=START) == detect_pod(pod, around=around, now=START)


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["metadata", "spec", "status", "conditions", "containerStatuses", "state", "type"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(_json)
def test_any_json_is_refused_or_has_a_verdict(document: object) -> None:
    try:
        pod = msgspec.json.decode(msgspec.json.encode(document), type=Pod)
    except (msgspec.MsgspecError, UnicodeError):
        return
    check(detect_pod(pod, now=START), START)


@given(_json)
def test_any_json_is_refused_or_is_a_note_or_none(document: object) -> None:
    try:
        event = msgspec.json.decode(msgspec.json.encode(document), type=Event)
    except (msgspec.MsgspecError, UnicodeError):
        return
    note = note_of(event)
    if note is not None:
        assert merge_notes((), note) == (note,)


def test_a_time_at_the_end_of_all_times_is_only_very_late() -> None:
    end = "9999-12-31T23:59:59Z"
    document = {"metadata": {"creationTimestamp": end}, "status": {"phase": "Pending"}}
    verdict = detect_pod(msgspec.convert(document, Pod), now=START)
    assert verdict.look_again_at == datetime.max.replace(tzinfo=UTC)


def test_a_time_without_a_zone_is_refused_for_it_compares_to_no_other() -> None:
    document = {"status": {"startTime": "2026-01-02T03:04:05"}}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, Pod)
