"""What all our models share: Kubernetes' spelling outside, Python's inside, and no surprises.

Writing is strict (an unknown field is an error of ours), reading is tolerant (`parse` skips what a
newer version may have added). Unset and None are the same and never written, so that each field
manager applies exactly the fields that it owns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

__all__ = ["Part"]


class Part(BaseModel):
    """A piece of a resource: frozen, `snake_case` here and `camelCase` in the API."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Read what the API server gave, skipping fields that this version does not know.

        Raises:
            pydantic.ValidationError: a known field has a wrong value.
        """
        return cls.model_validate(dict(document), extra="ignore", by_name=False, by_alias=True)

    def to_dict(self) -> dict[str, Any]:
        """The document as the API server takes it, without anything unset."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")
