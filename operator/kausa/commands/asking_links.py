"""What follows from what, among the failures that `kausa ask` knows; pure.

A question about a program that cannot reach its database is a question about the database as well:
the failure further up is told with it, and before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from kausa.cluster.kinds import KINDS
from kausa.diagnosis.answering import Known
from kausa.diagnosis.matters import Matter

__all__ = ["Above", "Linked", "causes_first", "follows_among", "placed", "with_names_below"]

LONGEST_WAY = 8
MOST_TOLD = 8
"""Matters that are told in full, causes included."""


class Above(Protocol):
    """What a failure says that it follows from."""

    @property
    def kind(self) -> str:
        """Of the object further up."""
        ...

    @property
    def name(self) -> str:
        """Of the object further up."""
        ...

    @property
    def namespace(self) -> str | None:
        """None where it belongs to the whole cluster."""
        ...


class Linked(Protocol):
    """Somebody who knows what follows from what, once it was asked."""

    follows: dict[str, str]
    """The labels of matters, each with the label of the matter that it follows from."""


def placed(matter: Matter) -> Matter:
    """Without a namespace where the object belongs to none, wherever its failure is kept."""
    known = KINDS.get(matter.request.target.partition("/")[0])
    if known is None or known.namespaced or not matter.request.namespace:
        return matter
    return replace(matter, request=replace(matter.request, namespace=""))


def follows_among(found: Sequence[tuple[Matter, Above | None]]) -> dict[str, str]:
    """The labels of matters, each with the label of the matter that it follows from."""
    by_target: dict[str, list[Matter]] = {}
    for matter, _ in found:
        by_target.setdefault(matter.request.target, []).append(matter)
    follows: dict[str, str] = {}
    for matter, above in found:
        if above is None or not matter.fails:
            continue
        for other in by_target.get(f"{above.kind}/{above.name}", ()):
            where = other.request.namespace
            here = not where or above.namespace in (None, where)
            if here and other.label != matter.label:
                follows.setdefault(matter.label, other.label)
    return follows


def with_names_below(
    matters: Sequence[Matter], *, follows: Mapping[str, str]
) -> tuple[Matter, ...]:
    """The matters, each also meant where something is named that follows from it."""
    names: dict[str, set[str]] = {}
    for matter in matters:
        label = matter.label
        for _ in range(LONGEST_WAY):
            label = follows.get(label, "")
            if not label:
                break
            names.setdefault(label, set()).update(matter.names)
    return tuple(
        replace(each, names=each.names | names[each.label]) if each.label in names else each
        for each in matters
    )


def causes_first(known: Known, *, follows: Mapping[str, str]) -> Known:
    """The same, each cause before what follows from it, also a cause that the question left out."""
    by_label: dict[str, Matter] = {}
    for each in (*known.matters, *known.others):
        by_label.setdefault(each.label, each)
    told: list[Matter] = []
    for each in known.matters:
        for one in (*_way_up(each, by_label, follows), each):
            if one not in told:
                told.append(one)
    told = told[: max(MOST_TOLD, len(known.matters))]
    left = tuple(each for each in (*known.matters, *known.others) if each not in told)
    return replace(known, matters=tuple(told), others=left)


def _way_up(
    matter: Matter, by_label: Mapping[str, Matter], follows: Mapping[str, str]
) -> list[Matter]:
    """The causes of a matter, the furthest first."""
    found: list[Matter] = []
    label = follows.get(matter.label, "")
    while label in by_label and len(found) < LONGEST_WAY:
        cause = by_label[label]
        if cause is matter or cause in found:
            break
        found.insert(0, cause)
        label = follows.get(label, "")
    return found
