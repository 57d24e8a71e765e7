"""What a rule is: a pure function from the facts of one failure to a finding, or to nothing."""

from __future__ import annotations

from collections.abc import Callable

from kausa.diagnosis.finding import Finding
from kausa.evidence.dossier import Dossier

__all__ = ["Rule"]

Rule = Callable[[Dossier], Finding | None]
"""Reads the dossier only, keeps nothing, never raises, and cites what its finding rests on."""
