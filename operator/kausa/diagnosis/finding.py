"""What a rule says and what the diagnosis says: claims, each with the evidence it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy, DryRun, Risk

__all__ = ["Diagnosis", "Finding", "Fix", "Patch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A strategic merge patch of one object. The API server is asked about it, nothing more."""

    api_version: str
    kind: str
    name: str
    namespace: str
    """Empty for what belongs to no namespace."""
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Something a person may do; never done by Kausa."""

    title: str
    rationale: str
    command: str | None = None
    patch: Patch | None = None
    risk: Risk = Risk.LOW
    dry_run: DryRun = DryRun.NOT_RUN
    dry_run_message: str = ""
    """What the API server said against the patch, or why it was not asked; redacted."""
    citations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's account of a failure. `summary` is one line with the names and numbers in it."""

    rule: str
    category: Category
    summary: str
    root_cause: str
    explanation: str
    confidence: int
    """Percent: how sure the rule is that this is the cause, and not only what is seen of it."""
    citations: tuple[str, ...]
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The answer that is published."""

    category: Category | None
    summary: str
    root_cause: str
    explanation: str
    confidence: int
    decided_by: DecidedBy
    citations: tuple[str, ...]
    determined: bool = True
    """False: nothing that was read decides; `summary` says what is missing."""
    fixes: tuple[Fix, ...] = ()
    alternatives: tuple[Finding, ...] = field(default=())
