"""What changed, said where it bears on the cause: "the limit was changed from 256Mi to 64Mi".

A change shortly before a failure is the first thing that an engineer asks for. It proves nothing,
so it makes no finding and nobody surer: it is told in the explanation, with its evidence.
"""

from __future__ import annotations

import re
from dataclasses import replace

from kausa.diagnosis.finding import Diagnosis
from kausa.evidence.changes.aspects import bears_on
from kausa.evidence.dossier import Change, Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["fitting_changes", "is_named", "tells_something", "with_changes", "without_changes"]

MOST_TOLD = 3
_WHAT_CHANGED = " What changed: "
SHORTEST_NAME = 3
_SAYS_LITTLE = frozenset(
    {"true", "false", "none", "null", "info", "warn", "error", "debug", "http", "https", "latest"}
)
"""Values that stand in half of all sentences, without being what they speak of."""
_KEY = re.compile(r"\[([^\]]+)\]$")


def with_changes(dossier: Dossier, diagnosis: Diagnosis) -> Diagnosis:
    """The diagnosis, its explanation followed by the changes that fit; as it was without any."""
    told, citations = [], list(diagnosis.citations)
    for change in fitting_changes(dossier, diagnosis)[:MOST_TOLD]:
        for each in dossier.evidence:
            if each.kind is EvidenceKind.CHANGE and change.citation in each.text:
                told.append(each.text)
                citations.append(each.id)
                break
    if not told:
        return diagnosis
    return replace(
        diagnosis,
        explanation=f"{diagnosis.explanation.rstrip()}{_WHAT_CHANGED}{'; '.join(told)}.".strip(),
        citations=tuple(dict.fromkeys(citations)),
    )


def without_changes(explanation: str) -> str:
    """What an explanation said before the changes were put behind it."""
    said, changes, _ = f" {explanation}".rpartition(_WHAT_CHANGED)
    return said.strip() if changes else explanation


def tells_something(change: Change, dossier: Dossier, diagnosis: Diagnosis) -> bool:
    """Whether it is a change of what fails or of what that uses. A node that joined the cluster,
    or is ready again, only stands around it, unless it is the node that fails.
    """
    symptom = dossier.symptom
    category = diagnosis.category or (symptom.category if symptom is not None else None)
    if not change.path.startswith("Node/"):
        return True
    joined = " " not in change.path
    return category is Category.NODE or not (joined or _is_recovery(change, category))


def fitting_changes(dossier: Dossier, diagnosis: Diagnosis) -> list[Change]:
    """The changes that may be behind this, the likeliest first: what the diagnosis names, then what
    bears on failures of its kind. None where nothing fails.
    """
    symptom = dossier.symptom
    if symptom is None:
        return []
    category = diagnosis.category or symptom.category
    ranked = [
        (not is_named(each, diagnosis), rank, place)
        for place, each in enumerate(dossier.changes)
        if each.citation
        and not _is_recovery(each, category)
        and (rank := bears_on(each.path, category, container=symptom.container)) is not None
    ]
    return [dossier.changes[place] for *_, place in sorted(ranked)]


def _is_recovery(change: Change, category: Category | None) -> bool:
    """That a node became ready again explains no failure but one of nodes that come and go."""
    is_ready = change.path.startswith("Node/") and "conditions[Ready]" in change.path
    return is_ready and change.after == "True" and category is not Category.NODE


def is_named(change: Change, diagnosis: Diagnosis) -> bool:
    """Whether the diagnosis speaks of just this: a variable, a key, an image, a value."""
    said = f"{diagnosis.summary} {diagnosis.root_cause}"
    key = _KEY.search(change.path)
    names = [key[1] if key is not None else "", change.after or "", _last(change.after or "")]
    return any(
        len(name) >= SHORTEST_NAME
        and name.lower() not in _SAYS_LITTLE
        and re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", said) is not None
        for name in names
    )


def _last(value: str) -> str:
    """The tag of an image, or the end of a path, where it stands for itself: `1.3`."""
    return value.rpartition(":")[2].rpartition("/")[2] if ":" in value else ""
