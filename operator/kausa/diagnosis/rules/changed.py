"""What was changed right before it failed: the likeliest reason that it worked until then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from kausa.diagnosis.rules.accounts import events
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Change, Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["Changed", "changed_before"]

_CONFIGURATION = r"^(?:ConfigMap|Secret)/|\.env\b|\.env\[|envFrom|\.args|\.command|volume|mount"
_OF_PROGRAM = rf"{_CONFIGURATION}|\.image$|securityContext|serviceAccount"
_MAY_FOLLOW: dict[Category, re.Pattern[str]] = {
    Category.CRASH_LOOP: re.compile(rf"{_OF_PROGRAM}|resources|[pP]robe"),
    Category.CONFIG: re.compile(_CONFIGURATION),
    Category.DEPENDENCY: re.compile(rf"{_OF_PROGRAM}|^(?:Service|NetworkPolicy)/"),
    Category.NETWORK: re.compile(rf"{_OF_PROGRAM}|^(?:Service|NetworkPolicy)/"),
    Category.PERMISSION: re.compile(_OF_PROGRAM),
    Category.STORAGE: re.compile(rf"{_OF_PROGRAM}|resources"),
    Category.OOM_KILLED: re.compile(rf"{_OF_PROGRAM}|resources"),
    Category.PROBE: re.compile(rf"{_OF_PROGRAM}|resources|[pP]robe|ports"),
    Category.IMAGE_PULL: re.compile(r"\.image$|imagePullSecrets|^Secret/"),
}
"""Which changes can have led to a failure of that category, by their path."""
_TELLS_OF_CHANGE = re.compile(
    r"\b(?:ConfigMap|Secret|configuration|config|env(?:ironment)?)s?\b.{0,60}?"
    r"\b(?:updated|changed|modified|edited|rotated|reloaded|replaced)\b|"
    r"\bchanges? (?:detected )?in ['\"]?[\w.-]{1,253}['\"]? of type ['\"]?\w{1,30}",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A change that may have led to the failure, as a sentence."""

    sentence: str
    citations: tuple[str, ...]


def changed_before(dossier: Dossier, category: Category) -> Changed | None:
    """The likeliest change; None where none is known or none can matter for such a failure."""
    if dossier.symptom is None or category not in _MAY_FOLLOW:
        return None
    return next(chain(_of_objects(dossier, category), _of_events(dossier)), None)


def _of_objects(dossier: Dossier, category: Category) -> Iterator[Changed]:
    for change in dossier.changes:
        # A node's name may hold any of these words.
        if not change.path.startswith("Node/") and _MAY_FOLLOW[category].search(change.path):
            yield _told(dossier, change)


def _told(dossier: Dossier, change: Change) -> Changed:
    told = next(
        (
            each
            for each in dossier.evidence
            if each.kind is EvidenceKind.CHANGE and change.citation and change.citation in each.text
        ),
        None,
    )
    citations: tuple[str, ...] = ()
    if told is not None:
        words, citations = told.text, (told.id,)
    else:
        old, new = (
            clip(each or "nothing", characters=60) for each in (change.before, change.after)
        )
        words = f"{change.path} was changed from {old} to {new}"
    return Changed(
        sentence=f"Before it failed, {clip(words, characters=200).rstrip('. ')}.",
        citations=citations,
    )


def _of_events(dossier: Dossier) -> Iterator[Changed]:
    """Controllers that watch configuration tell of changes in Events of their own."""
    for account in events(dossier):
        if not account.warning and _TELLS_OF_CHANGE.search(account.message[:300]):
            said = clip(account.message, characters=120).rstrip(". ")
            yield Changed(sentence=f"Before it failed: {said}.", citations=account.citations)
