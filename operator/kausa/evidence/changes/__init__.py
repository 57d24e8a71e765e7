"""What changed: from the last revision that worked to the one that fails, and around it."""

from __future__ import annotations

from kausa.evidence.changes.gather import gather_changes

__all__ = ["gather_changes"]
