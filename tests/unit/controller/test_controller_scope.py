"""Which namespaces are watched, and which objects are left alone."""

from __future__ import annotations

import pytest

from kausa.cluster.objects import Marks, Meta
from kausa.controller.scope import Scope, opted_out


def test_everything_is_watched_where_nothing_was_said() -> None:
    assert Scope().watches("shop")


def test_what_belongs_to_no_namespace_is_watched_whatever_was_said() -> None:
    assert Scope(include=("shop",)).watches("")


def test_only_the_included_namespaces_are_watched() -> None:
    scope = Scope(include=("team-*", "shop"))
    assert scope.watches("team-a")
    assert scope.watches("shop")
    assert not scope.watches("other")


def test_an_excluded_namespace_is_not_watched_though_it_is_included() -> None:
    assert not Scope(include=("team-*",), exclude=("team-b",)).watches("team-b")


def test_the_own_namespace_is_left_out() -> None:
    scope = Scope(own_namespace="kausa-system")
    assert not scope.watches("kausa-system")
    assert scope.watches("shop")


@pytest.mark.parametrize(("label", "watched"), [("enabled", True), ("disabled", False)])
def test_the_label_of_a_namespace_goes_before_the_settings(label: str, watched: bool) -> None:
    scope = Scope(include=("shop",) if not watched else ("other",), exclude=())
    changed = scope.label("shop", label)
    assert scope.watches("shop") is watched
    assert changed


def test_a_label_that_is_taken_away_leaves_it_to_the_settings_again() -> None:
    scope = Scope()
    scope.label("shop", "disabled")
    assert scope.label("shop", None)
    assert scope.watches("shop")


def test_a_label_that_says_what_the_settings_say_changes_nothing() -> None:
    assert not Scope().label("shop", "enabled")
    assert not Scope().label("shop", "a word that nobody knows")


@pytest.mark.parametrize("value", ["false", "disabled", "False", "no", "OFF"])
def test_a_label_or_an_annotation_opts_an_object_out(value: str) -> None:
    assert opted_out(Meta(labels=Marks(diagnose=value)))
    assert opted_out(Meta(annotations=Marks(diagnose=value)))


def test_a_question_or_nothing_does_not_opt_out() -> None:
    assert not opted_out(Meta())
    assert not opted_out(Meta(annotations=Marks(diagnose="why is it slow?"), labels=Marks()))
