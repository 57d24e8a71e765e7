"""Events of what fails and of all that it hangs on: folded, decisive first, in order of time."""

from __future__ import annotations

from typing import Any

import msgspec
from support.dossiers import FakeReader
from support.inquiries import Brought, bring, made, raw_pod, reference_to
from support.pods import container, pod, stamp, waiting

from kausa.cluster.objects import Event
from kausa.detection.symptom import Symptom, Upstream
from kausa.evidence.events import MOST_EVENTS_AROUND, gather_events
from kausa.resources.category import Category

POD = pod(container(waiting("CrashLoopBackOff")))
OWNED = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "controller": True}
OWNS = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout", "controller": True}
SET = made("ReplicaSet", "rs", api_version="apps/v1", ownerReferences=[OWNS])
TOP = made("Deployment", "checkout", api_version="apps/v1")
VOLUMES = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
CLAIM = made("PersistentVolumeClaim", "data")
SCALER = made(
    "HorizontalPodAutoscaler",
    "checkout",
    spec={"scaleTargetRef": {"kind": "Deployment", "name": "checkout"}},
)
RAW = raw_pod(POD, ownerReferences=[OWNED], volumes=VOLUMES)


def event(
    reason: str, *, of: str = "uid-1", type_: str = "Warning", at: float = 0, message: str = "words"
) -> Event:
    return msgspec.convert(
        {
            "metadata": {"name": "e"},
            "involvedObject": {"uid": of},
            "type": type_,
            "reason": reason,
            "message": message,
            "lastTimestamp": stamp(at),
        },
        type=Event,
    )


async def happened(*events: Event, **more: Any) -> Brought:
    reader = FakeReader(events=events, manifests=(RAW, SET, TOP, CLAIM, SCALER))
    return await bring(gather_events, reader, pod=POD, **more)


async def test_the_whole_chain_is_asked_each_under_its_own_name() -> None:
    found = await happened(
        event("BackOff"),
        event("FailedCreate", of="ReplicaSet-rs"),
        event("ReplicaSetCreateError", of="Deployment-checkout"),
        event("ProvisioningFailed", of="PersistentVolumeClaim-data"),
        event("FailedGetResourceMetric", of="HorizontalPodAutoscaler-checkout"),
        event("NodeNotReady", of="node-uid"),
        event("SystemOOM", of="node-1"),
    )
    told = {(each.source.kind, each.source.field_path) for each in found.evidence}
    assert told == {
        ("Pod", "events[BackOff]"),
        ("ReplicaSet", "events[FailedCreate]"),
        ("Deployment", "events[ReplicaSetCreateError]"),
        ("PersistentVolumeClaim", "events[ProvisioningFailed]"),
        ("HorizontalPodAutoscaler", "events[FailedGetResourceMetric]"),
        ("Node", "events[NodeNotReady]"),
        ("Node", "events[SystemOOM]"),
    }


async def test_normal_events_that_decide_are_told_and_the_rest_is_not() -> None:
    found = await happened(
        event("BackOff"),
        event("Pulled", type_="Normal"),
        event("Killing", type_="Normal"),
        event("ScalingReplicaSet", of="Deployment-checkout", type_="Normal"),
        event("SuccessfulCreate", of="ReplicaSet-rs", type_="Normal"),
    )
    assert {each.source.field_path for each in found.evidence} == {
        "events[BackOff]",
        "events[Killing]",
        "events[ScalingReplicaSet]",
    }


async def test_where_nothing_decides_what_happened_to_the_pod_is_told() -> None:
    found = await happened(event("Scheduled", type_="Normal"))
    assert "normal event Scheduled, seen 1 time: words" in found.words()


async def test_of_a_storm_of_events_the_latest_are_kept() -> None:
    storm = tuple(event("Failed", message=f"message {each}", at=each) for each in range(400))
    found = await happened(*storm)
    assert len(found.evidence) <= MOST_EVENTS_AROUND
    assert "message 399" in found.words()
    assert "message 3\n" not in found.words()


async def test_events_of_what_it_follows_from_are_told() -> None:
    upstream = Upstream(
        api_version="v1", kind="ResourceQuota", name="team", uid="q", namespace="shop"
    )
    symptom = Symptom(
        category=Category.QUOTA,
        reason="x",
        reason_class="x",
        detail="",
        message="",
        caused_by=upstream,
    )
    found = await happened(event("BackOff"), event("Exceeded", of="q"), symptom=symptom)
    assert "ResourceQuota" in {each.source.kind for each in found.evidence}


async def test_events_of_what_has_no_namespace_are_looked_for_where_kubernetes_keeps_them() -> None:
    node = made("Node", "node-1", namespace="somewhere")

    class Places(FakeReader):
        async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
            places.append(namespace)
            return ()

    places: list[str] = []
    assert reference_to(node).namespace == "somewhere"
    await bring(gather_events, Places(manifests=(node,)), shown_by=node)
    assert set(places) == {"default"}


async def test_normal_events_tell_of_changed_configuration_and_of_recovery() -> None:
    found = await happened(
        event("Failed"),
        event("ConfigMapUpdated", type_="Normal", message="settings changed"),
        event("ContainerReady", type_="Normal", message="it answers"),
        event("Pulled", type_="Normal", message="image is there"),
        event("NodeReady", type_="Normal", of="node-uid", message="it is back"),
    )
    words = found.words()
    assert "settings changed" in words
    assert "it answers" in words
    assert "it is back" in words
    assert "image is there" not in words
