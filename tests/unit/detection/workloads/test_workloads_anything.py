"""Whatever the API server sends, in whatever order: no detector raises or changes its mind."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.objects import NOW

from kausa.cluster.workloads import WORKLOADS, EndpointSlice, Service, Workload
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.verdict import Verdict
from kausa.detection.workloads.claims import claim_state
from kausa.detection.workloads.detect import detect_workload
from kausa.detection.workloads.nodes import node_state
from kausa.detection.workloads.others import detect_notes
from kausa.detection.workloads.refusals import is_passing, parse_refusal
from kausa.detection.workloads.services import detect_service

KINDS = [kind for _, kind in WORKLOADS.values()]

_REASONS = (
    "FailedCreate", "FailedDaemonPod", "MissSchedule", "TooManyMissedTimes", "ProvisioningFailed",
    "FailedBinding", "VolumeResizeFailed", "ClaimLost", "FailedGetScale", "Other", "",
    "UnknownTimeZone", "SystemOOM",
)  # fmt: skip
_CONDITIONS = (
    "Progressing", "ReplicaFailure", "Available", "Failed", "FailureTarget", "Complete", "Ready",
    "MemoryPressure", "NetworkUnavailable", "AbleToScale", "ScalingActive", "Resizing",
    "FileSystemResizePending", "NodeResizeError",
)  # fmt: skip
_MESSAGES = (
    "", "x", 'pods "a-1" is forbidden: exceeded quota: q, requested: a=1, used: a=1, limited: a=1',
    'pods "a-2" is forbidden: error looking up service account s/t: not found',
    "unable to create new content because it is being terminated",
)  # fmt: skip
_times = st.one_of(
    st.none(),
    st.sampled_from([NOW - timedelta(days=40), NOW - timedelta(seconds=3), NOW + timedelta(1)]),
    st.datetimes(timezones=st.just(UTC)),
)
_numbers = st.integers(-3, 5) | st.just(2**31 - 1)
_condition = st.fixed_dictionaries(
    {"type": st.sampled_from(_CONDITIONS), "status": st.sampled_from(["True", "False", "Unknown"])},
    optional={
        "reason": st.sampled_from(
            [*_REASONS, "ProgressDeadlineExceeded", "ReplicaSetCreateError", "BackoffLimitExceeded"]
        ),
        "message": st.sampled_from(_MESSAGES),
        "lastTransitionTime": _times,
        "lastUpdateTime": _times,
    },
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metadata", "spec", "status", "conditions", "replicas", "phase"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
_documents = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["a", ""]),
                "creationTimestamp": _times,
                "deletionTimestamp": st.none() | _times,
                "managedFields": st.none() | st.lists(st.fixed_dictionaries({"time": _times})),
                "ownerReferences": st.none() | st.just([{"kind": "CronJob"}]),
                "annotations": st.none()
                | st.just({"volume.kubernetes.io/storage-provisioner": "csi"}),
            },
        ),
        "spec": st.fixed_dictionaries(
            {},
            optional={
                "replicas": st.none() | _numbers,
                "paused": st.none() | st.booleans(),
                "suspend": st.none() | st.booleans(),
                "backoffLimit": st.none() | _numbers,
                "storageClassName": st.sampled_from([None, "", "fast"]),
                "volumeName": st.sampled_from(["", "pv"]),
                "schedule": st.sampled_from(["", "* * * * *", "0 0 30 2 *", "@every 1h", "x"]),
                "timeZone": st.sampled_from([None, "Etc/UTC", "Mars/Base"]),
                "concurrencyPolicy": st.sampled_from(["Allow", "Forbid"]),
                "selector": st.just({"a": "b"}),
            },
        ),
        "status": st.fixed_dictionaries(
            {},
            optional={
                "replicas": _numbers,
                "readyReplicas": _numbers,
                "desiredNumberScheduled": _numbers,
                "currentNumberScheduled": _numbers,
                "numberUnavailable": _numbers,
                "active": _numbers | st.just([{"name": "nightly-1"}]),
                "failed": _numbers,
                "succeeded": _numbers,
                "phase": st.sampled_from(["", "Pending", "Bound", "Lost", "?"]),
                "lastScheduleTime": _times,
                "conditions": st.none() | st.lists(_condition, max_size=4),
            },
        ),
    },
)
_notes = st.lists(
    st.builds(
        Note,
        uid=st.just("u"),
        api_version=st.sampled_from(["v1", "apps/v1", "x.example/v1"]),
        kind=st.sampled_from(["ReplicaSet", "Gateway", "Pod", "Job"]),
        namespace=st.just("shop"),
        name=st.just("a"),
        container=st.none(),
        reason=st.sampled_from(_REASONS),
        message=st.sampled_from(_MESSAGES) | st.text(max_size=20),
        count=_numbers,
        first_seen=_times,
        last_seen=_times,
    ),
    max_size=6,
)


def _decoded(kind: type[Any], document: object) -> Any:
    """The object, or None where the document is none of this kind: the stream skips it."""
    try:
        return msgspec.json.decode(msgspec.json.encode(document), type=kind)
    except msgspec.ValidationError:
        return None


def _holds(verdict: Verdict, *, now: datetime) -> None:
    assert verdict.look_again_at is None or verdict.look_again_at > now
    for symptom in verdict.symptoms:
        assert symptom.occurrences >= 1
        assert symptom.reason
        assert symptom.reason_class
        assert len(symptom.detail) <= 600


@pytest.mark.parametrize("kind", KINDS)
@given(document=_json)
def test_arbitrary_json_never_raises(kind: type[Workload], document: object) -> None:
    found = _decoded(kind, document)
    if found is not None:
        _holds(detect_workload(found, now=NOW), now=NOW)


@pytest.mark.parametrize("kind", KINDS)
@given(document=_documents, notes=_notes, failing=st.integers(0, 2), seed=st.integers(0, 99))
def test_every_object_has_a_verdict_that_no_order_changes(
    kind: type[Workload], document: object, notes: list[Note], failing: int, seed: int
) -> None:
    found = _decoded(kind, document)
    if found is None:
        return
    around = Surroundings(notes=tuple(notes), failing_pods=failing)
    verdict = detect_workload(found, around=around, now=NOW)
    _holds(verdict, now=NOW)
    random.Random(seed).shuffle(notes)
    assert detect_workload(found, around=replace(around, notes=tuple(notes)), now=NOW) == verdict


@given(document=_documents, notes=_notes)
def test_what_pods_learn_of_nodes_and_claims_never_raises(
    document: object, notes: list[Note]
) -> None:
    claim = _decoded(WORKLOADS["PersistentVolumeClaim"][1], document)
    node = _decoded(WORKLOADS["Node"][1], document)
    if claim is not None:
        state = claim_state(claim, notes)
        assert (state is None) == (claim.status.phase == "Bound")
    if node is not None:
        node_state(node)


@given(notes=_notes)
def test_every_note_has_a_verdict(notes: list[Note]) -> None:
    for each in notes:
        _holds(detect_notes((each,), now=NOW), now=NOW)
    _holds(detect_notes(notes, now=NOW), now=NOW)


@given(
    document=_documents,
    endpoints=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "conditions": st.fixed_dictionaries(
                    {}, optional={"ready": st.none() | st.booleans()}
                ),
                "targetRef": st.none() | st.fixed_dictionaries({"uid": st.sampled_from("abc")}),
            },
        ),
        max_size=4,
    ),
)
def test_every_service_has_a_verdict(document: object, endpoints: list[object]) -> None:
    service = _decoded(Service, document)
    behind = _decoded(EndpointSlice, {"endpoints": endpoints})
    if service is not None:
        _holds(detect_service(service, (behind,), failing={"a"}, now=NOW), now=NOW)


@given(message=st.text(max_size=300))
def test_no_refusal_is_beyond_reading(message: str) -> None:
    refusal = parse_refusal(message)
    assert isinstance(is_passing(message), bool)
    assert len(refusal.detail) <= 600
