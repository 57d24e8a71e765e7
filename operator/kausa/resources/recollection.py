"""What the cluster has seen before: similar failures, runbooks, and how this one ended."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from kausa.resources import limits
from kausa.resources.evidence import Change
from kausa.resources.fields import Int64, Items, Line, Percent, Text, Timestamp
from kausa.resources.part import Part

__all__ = ["Outcome", "Resolution", "RunbookPassage", "SimilarFailure"]


class Outcome(StrEnum):
    """How a failure ended."""

    OPEN = "Open"
    RESOLVED = "Resolved"
    SUPERSEDED = "Superseded"
    DISMISSED = "Dismissed"


class SimilarFailure(Part):
    """A failure of the past that resembles this one."""

    reference: Annotated[str, Line(limits.PATH)]
    """The FailureDiagnosis that it was, as namespace/name."""

    score: Percent
    """How much it resembles this failure, in whole percent."""

    when: Timestamp | None = None
    """When it was last seen."""

    cause: Annotated[str, Text(limits.SIMILAR_CAUSE)] | None = None
    """What its cause was."""

    resolution: Annotated[str, Text(limits.SIMILAR_RESOLUTION)] | None = None
    """What fixed it: what was changed until it recovered, or a person's own words; left out where
    neither is known."""

    outcome: Outcome
    """How it ended: Open still, Resolved, Superseded where its workload was deleted or replaced, or
    Dismissed where somebody deleted the FailureDiagnosis alone."""


class RunbookPassage(Part):
    """A passage of a runbook that speaks of failures like this one."""

    title: Annotated[str, Line(limits.RUNBOOK_TITLE)]
    """The title of the runbook."""

    passage: Annotated[str, Text(limits.PASSAGE)]
    """What it says."""

    source: Annotated[str, Line(limits.PATH)]
    """Where it stands: namespace/name of a Runbook, builtin:name of one that comes with Kausa, or
    file:path of one that was read from a folder."""

    score: Percent
    """How well it fits, in whole percent."""


class Resolution(Part):
    """How the failure went away."""

    time: Timestamp
    """When the target worked again."""

    how: Annotated[tuple[Change, ...], Items(limits.RESOLUTION_CHANGES)] = ()
    """What was changed between the failure and the recovery, the likeliest to matter first; empty
    where nothing of it is known."""

    seconds_to_resolve: Int64 | None = None
    """How long the failure lasted, from when it was first seen."""
