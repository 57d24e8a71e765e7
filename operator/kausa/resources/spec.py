"""What is asked of a FailureDiagnosis: its target, and what a person says about the answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kausa.resources import limits
from kausa.resources.duration import Duration
from kausa.resources.fields import Given, Kind, Name
from kausa.resources.part import Part

__all__ = ["FailureDiagnosisSpec", "Feedback", "Target", "Trigger", "Verdict"]


class Trigger(StrEnum):
    """Who asked for a diagnosis."""

    AUTOMATIC = "Automatic"
    ANNOTATION = "Annotation"
    MANUAL = "Manual"


class Verdict(StrEnum):
    """What a person says of a diagnosis."""

    HELPFUL = "Helpful"
    WRONG = "Wrong"
    PARTIAL = "Partial"


class Target(Part):
    """What fails: the topmost owner, in the namespace of this resource."""

    api_version: Annotated[
        str,
        Field(
            max_length=limits.API_VERSION, pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?v[a-z0-9]+$"
        ),
    ]
    """The API version of the target, such as apps/v1."""

    kind: Kind
    """The kind of the target, such as Deployment."""

    name: Name
    """The name of the target."""

    container: Name | None = None
    """The container that fails, where it is one."""

    @property
    def label(self) -> str:
        """Kind and name in one word, as the TARGET column shows them."""
        return f"{self.kind}/{self.name}"


class Feedback(Part):
    """What a person found out about this failure."""

    verdict: Verdict
    """Whether the diagnosis was Helpful, Wrong or Partial."""

    resolution: Annotated[str, Given(limits.RESOLUTION)] | None = None
    """What fixed the failure, in your own words; shown with failures like it in place of what the
    operator found."""

    author: Annotated[str, Given(limits.AUTHOR)] | None = None
    """Who says so."""


class FailureDiagnosisSpec(Part):
    """What is to be diagnosed, and how."""

    target: Annotated[
        Target,
        Field(
            json_schema_extra={
                "x-kubernetes-validations": [
                    {
                        "rule": "self == oldSelf",
                        "message": "target is immutable",
                        "reason": "FieldValueForbidden",
                    }
                ]
            }
        ),
    ]
    """The object that fails, in this namespace. It cannot be changed."""

    trigger: Trigger = Trigger.MANUAL
    """Who asked: the operator itself (Automatic), an annotation, or a person (Manual)."""

    question: Annotated[str, Given(limits.QUESTION)] | None = None
    """What you want to know about the target, in your own words."""

    model: (
        Annotated[str, Field(max_length=limits.MODEL, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")]
        | None
    ) = None
    """The language model to ask, instead of the one that the operator would choose; its server must
    have it."""

    feedback: Feedback | None = None
    """What you say about the diagnosis: the memory ranks this failure by it when one like it
    happens."""

    suspend: bool = False
    """True stops the operator from diagnosing this failure again."""

    ttl_after_resolved: Duration | None = None
    """How long this resource is kept after the failure was resolved, such as 168h or 1h30m.
    Not read yet: it is kept until somebody deletes it."""
