"""What the watch benchmark sends: as large as said, new in every round, otherwise as recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from bench.watch.changes import KINDS, ONE_IN, listed, recorded, streamed

from kausa.cluster.objects import Pod

ROUNDS = 3


def replayed(plural: str) -> list[dict[str, Any]]:
    templates = recorded(KINDS[plural])
    return [json.loads(line) for line in streamed(templates, changes=ROUNDS * len(templates))]


@pytest.mark.parametrize("plural", KINDS)
def test_objects_have_the_size_that_is_said(plural: str) -> None:
    kind = KINDS[plural]
    sizes = [len(each.object(round_=7, version=8)) for each in recorded(kind)]
    assert kind.bytes <= sum(sizes) / len(sizes) < kind.bytes * 1.05
    assert min(sizes) > kind.bytes / 2


def test_a_pods_spec_changes_only_where_it_did_when_it_was_recorded() -> None:
    specs: dict[str, set[str]] = {}
    for each in recorded(KINDS["pods"]):
        pod = json.loads(each.object(round_=7, version=8))
        specs.setdefault(pod["metadata"]["uid"], set()).add(json.dumps(pod["spec"]))
    assert max(len(those) for those in specs.values()) <= 2  # Before it has a node, and after.


@pytest.mark.slow
@pytest.mark.parametrize("plural", KINDS)
def test_every_round_brings_other_objects(plural: str) -> None:
    changes = replayed(plural)
    uids = [change["object"]["metadata"]["uid"] for change in changes]
    a_round = len(changes) // ROUNDS
    assert len(set(uids)) == ROUNDS * len(set(uids[:a_round]))


@pytest.mark.slow
@pytest.mark.parametrize("plural", KINDS)
def test_versions_go_up_with_every_change(plural: str) -> None:
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in replayed(plural)]
    assert versions == list(range(versions[0], versions[0] + len(versions)))


@pytest.mark.slow
def test_events_speak_of_pods_that_exist_in_their_round() -> None:
    pods = {
        (each["object"]["metadata"]["namespace"], each["object"]["metadata"]["uid"])
        for each in replayed("pods")
    }
    about = [each["object"]["involvedObject"] for each in replayed("events")]
    of_pods = [(each["namespace"], each["uid"]) for each in about if each["kind"] == "Pod"]
    assert len(of_pods) > len(about) / 2
    assert set(of_pods) <= pods


@pytest.mark.slow
def test_padding_leaves_the_status_as_it_was_recorded() -> None:
    kind = KINDS["pods"]
    padded = [each.object(round_=0, version=1) for each in recorded(kind)]
    plain = [each.object(round_=0, version=1) for each in recorded(replace(kind, bytes=0))]
    for one, other in zip(padded, plain, strict=True):
        assert len(one) > len(other)
        assert json.loads(one)["status"] == json.loads(other)["status"]


def test_a_list_has_every_object_once_and_one_in_ten_fails() -> None:
    templates = recorded(KINDS["pods"])
    pods = [msgspec.json.decode(body, type=Pod) for body in listed(templates, start=500, stop=1500)]
    assert len({pod.metadata.uid for pod in pods}) == 1000
    assert len({(pod.metadata.namespace, pod.metadata.name) for pod in pods}) == 1000
    standing = [
        pod
        for pod in pods
        if pod.status.phase == "Running"
        and all(c.ready for c in pod.status.container_statuses or ())
    ]
    assert len(standing) == 1000 - 1000 // ONE_IN
