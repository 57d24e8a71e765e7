"""The answer: the cause and what to do, each statement with the evidence that it rests on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from kausa.resources import limits
from kausa.resources.fields import (
    Citations,
    Int64,
    Items,
    Kind,
    Line,
    Name,
    Namespace,
    Percent,
    Text,
)
from kausa.resources.part import Part

__all__ = [
    "Alternative",
    "DecidedBy",
    "Diagnosis",
    "DryRun",
    "ModelUse",
    "PatchTarget",
    "Remediation",
    "Risk",
    "Timings",
]


class DecidedBy(StrEnum):
    """Who found the cause."""

    RULES = "Rules"
    MEMORY = "Memory"
    MODEL = "Model"


class Risk(StrEnum):
    """How much a step may break."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class DryRun(StrEnum):
    """What the API server said of a patch that it was only asked to check."""

    PASSED = "Passed"
    FAILED = "Failed"
    NOT_RUN = "NotRun"


class PatchTarget(Part):
    """The object that a patch is for."""

    api_version: Annotated[str, Line(limits.API_VERSION)]
    """The API version of the object, such as apps/v1."""

    kind: Kind
    """The kind of the object, such as Deployment."""

    name: Name
    """The name of the object."""

    namespace: Namespace | None = None
    """The namespace of the object; left out for what belongs to none, such as a node."""


class Remediation(Part):
    """One step that would fix the failure; proposed, never applied."""

    title: Annotated[str, Line(limits.LINE)]
    """What to do, in one line."""

    rationale: Annotated[str, Text(limits.SENTENCES)] | None = None
    """Why this helps."""

    command: Annotated[str, Text(limits.COMMAND)] | None = None
    """The command that does it."""

    patch: Annotated[str, Text(limits.PATCH)] | None = None
    """A strategic merge patch that does it, in YAML, as kubectl patch takes it."""

    patch_target: PatchTarget | None = None
    """The object that the patch is for."""

    risk: Risk
    """How much the step may break."""

    dry_run: DryRun
    """Whether the API server would accept the patch: it was asked to check it (a dry run) and
    changed nothing. NotRun where there is no patch, or where dryRunMessage says why."""

    dry_run_message: Annotated[str, Line(limits.DRY_RUN_MESSAGE)] | None = None
    """What the API server said against the patch, or why it was not asked."""

    citations: Citations = ()
    """Ids of the evidence that the step rests on."""


class Alternative(Part):
    """Another cause that the evidence does not rule out."""

    cause: Annotated[str, Text(limits.SENTENCES)]
    """The cause, in a sentence."""

    confidence: Percent
    """How sure it is, in whole percent."""

    citations: Citations = ()
    """Ids of the evidence that it rests on."""


class Diagnosis(Part):
    """Why it failed and what to do."""

    summary: Annotated[str, Line(limits.LINE)]
    """The cause in one line."""

    root_cause: Annotated[str, Text(limits.SENTENCES)] | None = None
    """The cause, with the names and numbers in it."""

    explanation: Annotated[str, Text(limits.EXPLANATION)] | None = None
    """How the cause leads to what was seen."""

    confidence: Percent
    """How sure the diagnosis is, in whole percent."""

    decided_by: DecidedBy
    """Who found the cause: Rules or Model. What the memory recalls stands beside it and decides
    nothing alone, so Memory is not written."""

    citations: Citations = ()
    """Ids of the evidence that the cause rests on."""

    remediation: Annotated[tuple[Remediation, ...], Items(limits.REMEDIATION)] = ()
    """What to do, the best step first."""

    alternatives: Annotated[tuple[Alternative, ...], Items(limits.ALTERNATIVES)] = ()
    """Other causes that the evidence does not rule out, the likeliest first."""


class ModelUse(Part):
    """Which language model was asked, and what that took."""

    name: Annotated[str, Line(limits.MODEL)]
    """The model that was asked."""

    reason: Annotated[str, Line(limits.LINE)] | None = None
    """Why this model was chosen."""

    complexity: Percent | None = None
    """How hard the failure was judged to be, from 0 to 100."""

    prompt_tokens: Int64 | None = None
    """How many tokens the model read."""

    output_tokens: Int64 | None = None
    """How many tokens the model wrote."""

    milliseconds: Int64 | None = None
    """How long its answer took."""

    thinking: Annotated[str, Text(limits.THINKING)] | None = None
    """What the model wrote while it reasoned, redacted and shortened. No part of the answer."""

    digest: Annotated[str, Line(limits.FINGERPRINT)] | None = None
    """A hash of what the model was asked: as long as it stays, its answer stands and it is not
    asked again."""


class Timings(Part):
    """How long each step took."""

    detected_to_diagnosed_milliseconds: Int64 | None = None
    """From the moment the failure was seen to the moment its diagnosis was ready."""

    gather_milliseconds: Int64 | None = None
    """How long it took to gather the evidence."""

    recall_milliseconds: Int64 | None = None
    """How long it took to recall similar failures."""

    model_milliseconds: Int64 | None = None
    """How long the model took."""
