"""How near a cause must be to what is seen, so that far ones are not taken for near ones."""

from __future__ import annotations

from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category

__all__ = ["BESIDE", "at_most_beside", "within_container"]

_WITHIN = frozenset(
    {
        Category.CRASH_LOOP, Category.OOM_KILLED, Category.IMAGE_PULL, Category.CONFIG,
        Category.PROBE, Category.JOB, Category.DEPENDENCY,
    }
)  # fmt: skip
BESIDE = 49
"""What stands around a container that fails by itself: an alternative, never the answer."""


def within_container(dossier: Dossier) -> bool:
    """Whether what is seen happens within a container, so that its surroundings seldom cause it."""
    return dossier.symptom is not None and dossier.symptom.category in _WITHIN


def at_most_beside(confidence: int, dossier: Dossier) -> int:
    """The confidence of a cause around the Pod, lowered where a container fails by itself."""
    return min(confidence, BESIDE) if within_container(dossier) else confidence
