"""What is watched beside Pods is decoded from the wire, and found under its path."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from kausa.cluster.workloads import (
    ENDPOINT_SLICES,
    NAMESPACES,
    NODES,
    WORKLOADS,
    CronJob,
    EndpointSlice,
    PersistentVolumeClaim,
    Service,
    StatefulSet,
    Workload,
)


@pytest.mark.parametrize("kind", [kind for _, kind in WORKLOADS.values()])
def test_an_object_of_which_nothing_is_known_yet_can_be_read(kind: type[Workload]) -> None:
    assert msgspec.json.decode(b'{"metadata":{"name":"a"}}', type=kind).metadata.name == "a"


@pytest.mark.parametrize("kind", [kind for _, kind in WORKLOADS.values()])
def test_the_last_words_of_an_object_come_with_nulls(kind: type[Workload]) -> None:
    last = b'{"metadata":{"uid":"u","annotations":null,"labels":null},"status":{"conditions":null}}'
    assert msgspec.json.decode(last, type=kind).metadata.uid == "u"


@pytest.mark.parametrize(("name", "found"), WORKLOADS.items())
def test_every_kind_is_known_by_the_name_that_events_call_it(
    name: str, found: tuple[object, type[Workload]]
) -> None:
    path, kind = found
    assert getattr(path, "kind", None) == name == kind.__name__


def test_nodes_and_namespaces_are_of_the_whole_cluster() -> None:
    assert NODES.collection(namespace="shop") == "/api/v1/nodes"
    assert NAMESPACES.object(name="shop") == "/api/v1/namespaces/shop"
    path, _ = WORKLOADS["HorizontalPodAutoscaler"]
    assert path.object(name="a", namespace="shop") == (
        "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/a"
    )
    assert ENDPOINT_SLICES.collection(namespace="shop") == (
        "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
    )


def test_when_a_stateful_set_changed_last_is_read_from_who_changed_it() -> None:
    found = msgspec.json.decode(
        b'{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","managedFields":['
        b'{"manager":"a","time":"2026-01-03T00:00:00Z","fieldsV1":{"f:status":{}}},'
        b'{"manager":"b","time":"2026-01-02T00:00:00Z"},{"manager":"c"}]}}',
        type=StatefulSet,
    )
    assert found.metadata.changed_at == datetime(2026, 1, 3, tzinfo=UTC)
    assert StatefulSet().metadata.changed_at is None


@pytest.mark.parametrize(
    "annotation",
    [
        "volume.kubernetes.io/storage-provisioner",
        "volume.beta.kubernetes.io/storage-provisioner",
    ],
)
def test_who_is_to_make_a_volume_is_read_from_its_claim(annotation: str) -> None:
    found = msgspec.convert(
        {"metadata": {"annotations": {annotation: "csi", "kausa.dev/diagnose": "why?"}}},
        PersistentVolumeClaim,
    )
    assert found.provisioner == "csi"
    assert found.metadata.annotations is not None
    assert found.metadata.annotations.diagnose == "why?"
    assert PersistentVolumeClaim().provisioner == ""


def test_an_endpoint_slice_names_its_service_and_its_pods() -> None:
    found = msgspec.convert(
        {
            "metadata": {"labels": {"kubernetes.io/service-name": "checkout", "a": "b"}},
            "endpoints": [{"targetRef": {"uid": "a"}}, {"targetRef": None}, {}],
        },
        EndpointSlice,
    )
    assert (found.service_name, found.pod_uids) == ("checkout", ("a",))
    assert all(each.ready for each in found.endpoints or ())
    assert (EndpointSlice().service_name, EndpointSlice().pod_uids) == ("", ())


def test_a_headless_service_is_read_by_its_odd_spelling() -> None:
    assert msgspec.convert({"spec": {"clusterIP": "None"}}, Service).spec.cluster_ip == "None"


def test_when_a_cron_job_was_asked_for_something_else_is_read_without_its_status() -> None:
    found = msgspec.json.decode(
        b'{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","managedFields":['
        b'{"manager":"kubectl","time":"2026-01-02T00:00:00Z"},'
        b'{"manager":"a","subresource":"status","time":"2026-01-03T00:00:00Z"},'
        b'{"manager":"b"}]},"spec":{"concurrencyPolicy":"Forbid","timeZone":"Etc/UTC"},'
        b'"status":{"active":[{"kind":"Job","name":"nightly-1","uid":"u"}]}}',
        type=CronJob,
    )
    assert found.metadata.asked_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert (found.spec.concurrency_policy, found.spec.time_zone) == ("Forbid", "Etc/UTC")
    assert [each.name for each in found.status.active or ()] == ["nightly-1"]
    assert CronJob().metadata.asked_at is None
