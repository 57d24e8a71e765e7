"""What a finding cites: what was read from what it speaks of, and nothing else in its place."""

from __future__ import annotations

from support.surroundings import dossier_of, made, pod_of, said

from kausa.diagnosis.rules.telling import citing, tell_finding
from kausa.resources.category import Category

POD = dossier_of(said("Pulled", "ready", about=("Pod", "other")), pod=pod_of(), manifests=[
    made("Node", "n1", namespace=""),
])  # fmt: skip


def test_the_objects_that_are_named_are_cited() -> None:
    assert citing(POD, ("Node", "n1")) == POD.about("Node", "n1") != ()
    assert citing(POD, ("Node", "n1"), containing="node n1") == POD.about("Node", "n1")


def test_without_a_name_it_is_the_object_that_fails() -> None:
    assert citing(POD) == POD.about("Pod", "web-0") != ()


def test_what_was_not_read_is_not_replaced_by_something_else() -> None:
    assert citing(POD, ("Node", "n2")) == ()
    assert citing(POD, ("Node", "n1"), containing="no such words") == ()


def test_a_finding_without_citations_gets_none() -> None:
    found = tell_finding(
        POD, rule="r", category=Category.NODE, summary="s", cause="c", why="w", fix="f",
        confidence=90, citations=(),
    )  # fmt: skip
    assert found.citations == ()
