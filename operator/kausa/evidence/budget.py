"""Forty pieces of evidence: which of many are kept, and in which order they are numbered.

Every kind has a share that others cannot take, because rules cite by kind: a hundred Events must
not push out the one reference that decides. What a kind does not use goes to the others, in order
of worth. Within a kind what came first is kept, so gatherers bring the best first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime

from kausa.evidence.dossier import Evidence
from kausa.resources.evidence import EvidenceKind
from kausa.resources.limits import EVIDENCE

__all__ = ["numbered", "within_budget"]

SHARES: dict[EvidenceKind, int] = {
    EvidenceKind.QUESTION: 1,
    EvidenceKind.STATUS: 7,
    EvidenceKind.LOG: 6,
    EvidenceKind.EVENT: 7,
    EvidenceKind.REFERENCE: 5,
    EvidenceKind.CHANGE: 4,
    EvidenceKind.SPEC: 2,
    EvidenceKind.OWNER: 2,
    EvidenceKind.NODE: 2,
    EvidenceKind.VOLUME: 2,
    EvidenceKind.QUOTA: 1,
    EvidenceKind.OTHER: 1,
}
"""How many of each kind are kept in any case, in the order of their worth."""
_EPOCH = datetime.fromtimestamp(0, UTC)


def within_budget(evidence: Iterable[Evidence], *, most: int = EVIDENCE) -> tuple[Evidence, ...]:
    """The best of it, each text once, kind after kind; Events in order of time."""
    by_kind: dict[EvidenceKind, list[Evidence]] = {kind: [] for kind in SHARES}
    seen: set[tuple[str, str, str, str]] = set()
    for each in evidence:
        key = (each.kind, each.source.kind, each.source.name, each.text)
        if key not in seen and each.text.strip():
            seen.add(key)
            by_kind[each.kind].append(each)
    room = _room(by_kind, most=most)
    return tuple(
        each for kind, found in by_kind.items() for each in _ordered(kind, found[: room[kind]])
    )


def _room(by_kind: dict[EvidenceKind, list[Evidence]], *, most: int) -> dict[EvidenceKind, int]:
    """How many of each kind: its share, then what the others leave."""
    room: dict[EvidenceKind, int] = {}
    left = most
    for kind, share in SHARES.items():
        room[kind] = min(share, len(by_kind[kind]), left)
        left -= room[kind]
    for kind in SHARES:
        more = min(len(by_kind[kind]) - room[kind], left)
        room[kind] += more
        left -= more
    return room


def _ordered(kind: EvidenceKind, found: list[Evidence]) -> list[Evidence]:
    if kind is not EvidenceKind.EVENT:
        return found
    return sorted(found, key=lambda each: each.time or _EPOCH)


def numbered(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """With ids from E1 on."""
    return tuple(
        dataclasses.replace(each, id=f"E{number}") for number, each in enumerate(evidence, start=1)
    )
