"""Thin objects are made whole, the same way every time, and whole ones stay as they are."""

from __future__ import annotations

import copy
from typing import Any

from support.snapshots import crashing_pod, deployment, replica_set, thin_pod, warning

from kausa.cluster.snapshot.filling import fill

Json = dict[str, Any]


def filled(*objects: Json) -> list[Json]:
    return fill([copy.deepcopy(each) for each in objects]).objects


def test_a_uid_is_made_of_kind_namespace_and_name_and_of_nothing_else() -> None:
    (first,), (second,) = filled(thin_pod("a")), filled(thin_pod("a", status={"phase": "Failed"}))
    assert first["metadata"]["uid"] == second["metadata"]["uid"]
    (other,) = filled(thin_pod("a", "elsewhere"))
    assert first["metadata"]["uid"] != other["metadata"]["uid"]


def test_an_object_of_a_real_cluster_stays_as_it_is() -> None:
    pod = crashing_pod("a", owner=replica_set("r", of=deployment("d")))
    objects = [pod, replica_set("r", of=deployment("d")), deployment("d")]
    assert filled(*objects) == objects


def test_an_owner_is_found_by_kind_and_name_where_its_uid_is_missing() -> None:
    owner = thin_pod("parent")
    child = thin_pod("child")
    child["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "Pod", "name": "parent"}]
    one, two = filled(child, owner)
    assert one["metadata"]["ownerReferences"][0]["uid"] == two["metadata"]["uid"]


def test_an_owner_that_was_not_recorded_has_a_uid_too() -> None:
    child = thin_pod("child")
    child["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "gone"}]
    everything = fill([child])
    uid = everything.objects[0]["metadata"]["ownerReferences"][0]["uid"]
    assert uid
    assert everything.named["ReplicaSet", "shop", "gone"] == uid


def test_an_event_is_about_the_object_that_it_names() -> None:
    pod = thin_pod("a")
    found = filled(warning("Failed", "x", about=pod), pod)
    about = found[0]["involvedObject"]
    assert about["uid"] == found[1]["metadata"]["uid"]
    assert about["apiVersion"] == "v1"


def test_an_event_about_an_earlier_object_of_that_name_keeps_its_uid() -> None:
    pod = crashing_pod("a")
    old = warning("Failed", "x", about=pod)
    old["involvedObject"]["uid"] = "uid-of-the-one-before"
    assert filled(old, pod)[0]["involvedObject"]["uid"] == "uid-of-the-one-before"


def test_an_event_that_names_no_kind_is_about_the_only_object_of_that_name() -> None:
    pod = thin_pod("a")
    event = warning("Failed", "x", about=pod)
    event["involvedObject"] = {"name": "a", "namespace": "shop"}
    found = filled(event, pod)
    assert found[0]["involvedObject"]["kind"] == "Pod"
    assert found[0]["involvedObject"]["uid"] == found[1]["metadata"]["uid"]
    two = filled(event, pod, {**deployment("a"), "metadata": {"name": "a", "namespace": "shop"}})
    assert "kind" not in two[0]["involvedObject"]


def test_an_event_that_names_nothing_is_called_after_its_object() -> None:
    event = {**warning("Failed", "x", about=thin_pod("a")), "involvedObject": None}
    event["metadata"]["name"] = "a.17f00"
    about = filled(event, thin_pod("a"))[0]["involvedObject"]
    assert (about["kind"], about["name"], about["namespace"]) == ("Pod", "a", "shop")


def test_an_event_of_the_newer_api_gets_the_older_form() -> None:
    (event,) = filled(
        {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": "e", "namespace": "shop"},
            "regarding": {"kind": "Pod", "name": "a", "namespace": "shop", "uid": "u"},
            "note": "said",
            "reason": "Failed",
            "type": "Warning",
            "eventTime": "2026-01-31T12:00:00.5Z",
            "deprecatedCount": 4,
            "deprecatedFirstTimestamp": None,
            "series": {"count": 7, "lastObservedTime": "2026-01-31T12:05:00Z"},
            "reportingController": "kubelet",
        }
    )
    assert event["apiVersion"] == "v1"
    assert event["involvedObject"]["uid"] == "u"
    assert (event["message"], event["count"]) == ("said", 4)
    assert event["series"]["count"] == 7
    assert event["reportingComponent"] == "kubelet"
    assert "note" not in event


def test_an_object_without_a_namespace_is_in_the_default_one_unless_its_kind_has_none() -> None:
    pod, node = filled(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}},
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "namespace": "x"}},
    )
    assert pod["metadata"]["namespace"] == "default"
    assert "namespace" not in node["metadata"]


def test_objects_without_names_do_not_become_one() -> None:
    nameless = {"apiVersion": "v1", "kind": "Event", "involvedObject": {"kind": "Pod", "name": "a"}}
    found = filled(nameless, nameless)
    assert len({each["metadata"]["name"] for each in found}) == 2
    assert len({each["metadata"]["uid"] for each in found}) == 2
