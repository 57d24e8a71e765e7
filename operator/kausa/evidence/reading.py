"""What one gatherer brings home."""

from __future__ import annotations

from dataclasses import dataclass

from kausa.evidence.dossier import Evidence, EvidenceGap, LogExcerpt

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Evidence, what could not be read, and log excerpts for the rules to look into."""

    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[EvidenceGap, ...] = ()
    logs: tuple[LogExcerpt, ...] = ()
