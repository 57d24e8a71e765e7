"""Which of the failures that are known a question means, and what it names that is not there; pure.

What is named by its kind and name is that object or none: where another of the same name is shown,
or the one that may have made the Pod, a note says so first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from kausa.diagnosis.matters import MOST_MATTERS, Matter
from kausa.diagnosis.naming import Spelled, did_you_mean, naming_of, spelled
from kausa.recall.query import QueryAnalysis
from kausa.recall.query.names import owner_of_pod

__all__ = ["Known", "Matters", "chosen"]

_SHORTEST_NAME: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Matters:
    """What a source knows, and what a person should hear of how it was found."""

    found: tuple[Matter, ...] = ()
    notes: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    """Of everything that is there, whether it fails or not; empty where that was not read."""
    places: frozenset[str] = frozenset()
    """Names of namespaces and nodes: a question about them is about what is there."""
    objects: frozenset[tuple[str, str]] | None = None
    """Kind and name, in lower case, of all that is there; None where that was not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the question is about, and what is said of it without a model."""

    matters: tuple[Matter, ...]
    others: tuple[Matter, ...] = ()
    """Failures that the question does not mean."""
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What it names, where that is all it is about and no failure of it is known."""


def chosen(seen: Matters, analysis: QueryAnalysis) -> Known:
    """Which of them the question means: those that it names, else all that fail.

    Where it names only what nobody knows it means none of them.
    """
    names = {name for each in seen.found for name in each.names}
    places = {each.request.namespace for each in seen.found} | seen.places
    targets = {_target(each) for each in seen.found}
    said = [each for each in seen.found if each.fails]
    naming = naming_of(
        analysis, known=(*names, *places, *seen.names), owners=(*targets, *seen.names)
    )
    kinds = spelled(analysis)
    words = {word.strip(".,;:?!'\"()").lower() for word in analysis.question.split()}
    named = [
        each
        for each in seen.found
        if {name.lower() for name in each.names} & naming.wanted
        or _target(each) in naming.makers
        or any(len(name) >= _SHORTEST_NAME and name.lower() in words for name in each.names)
    ]
    named = _as_spelled(named, kinds)
    spoken_of = {
        name: [each for each in said if _speaks_of(each, name)]
        for name in (*naming.unknown, *(naming.wanted & seen.names))
    }
    named = named or [each for each in said if any(each in some for some in spoken_of.values())]
    # Resources hold no ConfigMap, and what misses one tells of it.
    told_of = set() if seen.objects is not None else {n for n, some in spoken_of.items() if some}
    absent = [e for e in kinds if e.name not in told_of and not _is_there(e, seen)]
    notes = [_absence(each, seen, about=named, near=names) for each in absent]
    told = {each.name for each in absent}
    unknown = tuple(each for each in naming.unknown if not spoken_of[each])
    in_places = places & naming.wanted
    if not named and in_places:
        named = [each for each in seen.found if each.request.namespace in in_places and each.fails]
    healthy = tuple(sorted(naming.wanted & seen.names - places)) if not named else ()
    notes += [
        *(
            f"Nothing is known of {each}.{did_you_mean(each, names)}"
            for each in unknown
            if each not in told
        ),
        *(f"No failure is known of {each}." for each in healthy if each not in told),
        *(
            f"{each!r} names nothing that is known.{did_you_mean(each, names)}"
            for each in naming.perhaps
            if each not in told
        ),
        *seen.notes,
    ]
    missing = tuple(dict.fromkeys((*unknown, *healthy, *told)))
    refused = not named and bool(missing)
    means = named or ([] if refused else [each for each in seen.found if each.fails])
    ranked = sorted(means, key=lambda each: _rank(each, analysis))[:MOST_MATTERS]
    others = tuple(each for each in seen.found if each not in ranked and each.fails)
    return Known(
        matters=tuple(ranked),
        others=others,
        notes=tuple(notes),
        missing=missing if refused else (),
    )


def _as_spelled(named: Sequence[Matter], kinds: Sequence[Spelled]) -> list[Matter]:
    """Without others of the same name where the very object is among them."""
    exact = {each: [one for one in named if _is_of(one, each)] for each in kinds}
    met = {each.name for each, some in exact.items() if some}
    return [
        each
        for each in named
        if _target(each) not in met or any(each in some for some in exact.values())
    ]


def _is_of(matter: Matter, one: Spelled) -> bool:
    same = matter.request.target.lower() == f"{one.kind}/{one.name}".lower()
    return same and one.namespace in ("", matter.request.namespace)


def _is_there(one: Spelled, seen: Matters) -> bool:
    if seen.objects is not None:
        return (one.kind.lower(), one.name) in seen.objects
    known = ((each.kind, each.name) for m in seen.found for each in m.request.objects)
    return (one.kind, one.name) in known or any(_is_of(each, one) for each in seen.found)


def _absence(one: Spelled, seen: Matters, *, about: Sequence[Matter], near: Iterable[str]) -> str:
    read = seen.objects is not None
    first = f"There is no {one} in the files" if read else f"Nothing is known of {one}"
    # Of the same name, or what may have made a Pod of this one.
    makers = {each.rpartition("/")[2] for each in owner_of_pod(one.name)}
    instead = [e for e in about if one.name in _lower(e.names) or _target(e) in makers]
    if instead:
        return f"{first}; what follows is about {', '.join(each.label for each in instead)}."
    return f"{first}.{did_you_mean(one.name, near)}"


def _lower(names: Iterable[str]) -> set[str]:
    return {each.lower() for each in names}


def _target(matter: Matter) -> str:
    return matter.request.target.partition("/")[2].lower()


def _speaks_of(matter: Matter, name: str) -> bool:
    """A ConfigMap that is missing fails nowhere itself; what misses it names it."""
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
    # Not the evidence: a question about files is evidence itself.
    return any(word.search(text) for text in (matter.summary, matter.cause))


def _rank(matter: Matter, analysis: QueryAnalysis) -> tuple[bool, bool, bool, int]:
    """What fails now first, then what fails as the question says, then what is known surely."""
    ruling = matter.request.ruling
    category = str(ruling.category) if ruling is not None and ruling.category is not None else ""
    meant = matter.request.reason in analysis.reasons or category in analysis.categories
    return (not matter.fails, not meant, not matter.determined, -matter.confidence)
