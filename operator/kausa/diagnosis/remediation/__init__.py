"""Fixes that can be checked: patches built from facts, asked about and never applied."""

from __future__ import annotations

from kausa.diagnosis.remediation.remedies import with_remedies

__all__ = ["with_remedies"]
