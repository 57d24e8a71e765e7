"""A person names an object as with kubectl, and is told what is near where they miss."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.snapshots import crashing_pod, deployment, loaded, thin_pod, warning

from kausa.cluster.snapshot import Snapshot
from kausa.offline.targets import TargetError, find_target, parse_target


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    gone = thin_pod("gone-1")
    return loaded(
        tmp_path,
        deployment("api"),
        deployment("web", "front"),
        crashing_pod("api-1"),
        crashing_pod("twin"),
        crashing_pod("twin", namespace="front"),
        warning("Failed", "said", about=gone),
        {"apiVersion": "acme.io/v1", "kind": "Policy", "metadata": {"name": "p"}},
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}},
    )


def find(snapshot: Snapshot, text: str, namespace: str | None = None) -> str:
    found = find_target(snapshot, parse_target(text, namespace=namespace))
    return "/".join(each for each in (found.kind, found.namespace, found.name) if each)


def missed(snapshot: Snapshot, text: str, namespace: str | None = None) -> str:
    with pytest.raises(TargetError) as raised:
        find(snapshot, text, namespace)
    return str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "Deployment/shop/api",
        "deployment/shop/api",
        "deployments/api",
        "deploy/api",
        "DEPLOY/api",
        "deployments.apps/api",
    ],
)
def test_a_kind_has_many_spellings(snapshot: Snapshot, text: str) -> None:
    assert find(snapshot, text) == "Deployment/shop/api"


def test_a_namespace_may_stand_apart(snapshot: Snapshot) -> None:
    assert find(snapshot, "pod/twin", namespace="front") == "Pod/front/twin"
    assert find(snapshot, "pod/front/twin", namespace="front") == "Pod/front/twin"


def test_what_has_no_namespace_needs_none(snapshot: Snapshot) -> None:
    assert find(snapshot, "node/n") == "Node/n"
    assert find(snapshot, "no/n", namespace="shop") == "Node/n"


def test_a_kind_that_nobody_knows_is_found_where_it_was_recorded(snapshot: Snapshot) -> None:
    assert find(snapshot, "policies/p") == "Policy/p"


def test_an_object_of_which_only_an_event_speaks_is_found(snapshot: Snapshot) -> None:
    assert find(snapshot, "po/gone-1") == "Pod/shop/gone-1"


@pytest.mark.parametrize("text", ["api", "", "/", "pod//api", "a/b/c/d", "pod/"])
def test_what_is_no_target_is_said_to_be_none(snapshot: Snapshot, text: str) -> None:
    assert "Write kind/namespace/name" in missed(snapshot, text)


def test_two_namespaces_at_once_are_refused(snapshot: Snapshot) -> None:
    assert "Leave one out" in missed(snapshot, "pod/shop/api-1", namespace="front")


def test_several_that_fit_are_named(snapshot: Snapshot) -> None:
    said = missed(snapshot, "pod/twin")
    assert "Pod/front/twin, Pod/shop/twin" in said


def test_a_near_miss_is_answered_with_what_is_near(snapshot: Snapshot) -> None:
    assert "Did you mean Pod/shop/api-1?" in missed(snapshot, "pod/shop/api-2")
    assert "Did you mean Deployment/front/web?" in missed(snapshot, "deploy/shop/web")


def test_a_far_miss_is_answered_with_what_there_is(snapshot: Snapshot) -> None:
    assert "It holds Pod/front/twin, Pod/shop/api-1" in missed(snapshot, "pod/zzz")
    assert "It holds no StatefulSet at all" in missed(snapshot, "sts/db")


def test_a_kind_that_is_nowhere_is_answered_with_the_kinds_that_are(snapshot: Snapshot) -> None:
    said = missed(snapshot, "wombat/api")
    assert "'wombat' is no kind" in said
    assert "Deployment, Event, Node, Pod, Policy" in said
