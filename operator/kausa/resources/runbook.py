"""Runbook: what your team knows about a failure, to be recalled when one like it happens.

A person writes the spec, the operator the status. The passages of a Runbook are shown in
`status.runbooks` of failures in its own namespace; those in the operator's namespace, of failures
anywhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kausa.resources import limits
from kausa.resources.category import Category
from kausa.resources.condition import Conditions
from kausa.resources.fields import Count, Int64, Items, Timestamp
from kausa.resources.group import API_VERSION, RUNBOOK_KIND
from kausa.resources.metadata import ObjectMeta
from kausa.resources.part import Part

__all__ = [
    "LabelMatch",
    "Runbook",
    "RunbookMatch",
    "RunbookSpec",
    "RunbookStatus",
    "runbook_status_document",
]


class LabelMatch(Part):
    """A label that the failing workload carries."""

    key: Annotated[str, Field(min_length=1, max_length=limits.LABEL_KEY)]
    """The key of the label."""

    value: Annotated[str, Field(max_length=limits.LABEL_VALUE)]
    """The value of the label."""


class RunbookMatch(Part):
    """Which failures a runbook is about; all that is given must agree."""

    reasons: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=limits.REASON)], ...],
        Items(limits.MATCH_REASONS, kind="set"),
    ] = ()
    """Kubernetes' own words, such as CrashLoopBackOff; one must agree."""

    categories: Annotated[tuple[Category, ...], Items(limits.MATCH_CATEGORIES, kind="set")] = ()
    """Failure categories; one must agree."""

    message_pattern: (
        Annotated[str, Field(min_length=1, max_length=limits.MESSAGE_PATTERN)] | None
    ) = None
    """A regular expression in RE2's syntax that is found in the failure's message."""

    labels: Annotated[
        tuple[LabelMatch, ...], Items(limits.MATCH_LABELS, kind="map", keys=("key",))
    ] = ()
    """Labels of the failing workload; all must agree."""


class RunbookSpec(Part):
    """What the runbook says, and when."""

    title: Annotated[str, Field(min_length=1, max_length=limits.RUNBOOK_TITLE)]
    """What the runbook is about, in one line."""

    content: Annotated[str, Field(min_length=1, max_length=limits.RUNBOOK_CONTENT)]
    """What to know and to do, in Markdown. Its sections are searched one by one; what looks like a
    secret is taken out before."""

    match: RunbookMatch | None = None
    """Which failures the runbook is about; without it, whichever its text is like."""


class RunbookStatus(Part):
    """What became of the runbook in the memory; written by the operator only."""

    observed_generation: Int64 | None = None
    """The metadata.generation that was indexed."""

    conditions: Conditions | None = None
    """Whether the runbook is Indexed, and why not."""

    indexed_time: Timestamp | None = None
    """When the runbook was last indexed."""

    chunks: Count | None = None
    """How many passages it was cut into."""


class Runbook(Part):
    """What your team knows about a failure, recalled when one like it happens."""

    api_version: Literal["kausa.dev/v1alpha1"] = API_VERSION
    kind: Literal["Runbook"] = RUNBOOK_KIND
    metadata: ObjectMeta

    spec: RunbookSpec
    """What the runbook says, and when."""

    status: RunbookStatus | None = None
    """What became of the runbook."""


def runbook_status_document(*, name: str, namespace: str, status: RunbookStatus) -> dict[str, Any]:
    """The body of a server-side apply on `/status`."""
    return {
        "apiVersion": API_VERSION,
        "kind": RUNBOOK_KIND,
        "metadata": {"name": name, "namespace": namespace},
        "status": status.to_dict(),
    }
