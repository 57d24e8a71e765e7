"""What one gatherer brings home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kausa.cluster.reader import Manifest
from kausa.evidence.dossier import Change, Evidence, EvidenceGap, LogExcerpt, Reference

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Evidence, what could not be read, and what the rules look into beside the texts."""

    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[EvidenceGap, ...] = ()
    logs: tuple[LogExcerpt, ...] = ()
    manifests: tuple[Manifest, ...] = ()
    changes: tuple[Change, ...] = ()
    references: tuple[Reference, ...] = ()
    redactions: Mapping[str, int] = field(default_factory=dict)
    """Secrets that were hidden already, because a text had to be cut."""
