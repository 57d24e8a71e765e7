"""What one gatherer brings home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kausa.evidence.dossier import Evidence, EvidenceGap, LogExcerpt

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Evidence, what could not be read, and log excerpts for the rules to look into."""

    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[EvidenceGap, ...] = ()
    logs: tuple[LogExcerpt, ...] = ()
    redactions: Mapping[str, int] = field(default_factory=dict)
    """Secrets that were hidden already, because a text had to be cut."""
