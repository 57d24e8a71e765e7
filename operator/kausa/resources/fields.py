"""The kinds of fields that our resources are made of, each bounded and known to the schema.

Texts and lists that are too long are cut while a model is built, so that no caller can make an
object that the API server refuses. Names and patterns are refused instead: half a name is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from kausa.resources import limits
from kausa.resources.shortening import shorten, shorten_by_characters

__all__ = [
    "Citations",
    "Count",
    "EvidenceId",
    "Given",
    "Int32",
    "Int64",
    "Items",
    "Kind",
    "Line",
    "Name",
    "Namespace",
    "Percent",
    "Text",
    "Timestamp",
    "format_time",
]


@dataclass(frozen=True)
class Text:
    """Free text that the operator writes: cut at a maximum of wire bytes."""

    maximum: int

    def shorten(self, text: str) -> str:
        """The text as it fits."""
        return shorten(text, self.maximum)

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Cut first, then check; what is no text is left for the check to refuse."""

        def fit(value: object) -> object:
            return self.shorten(value) if isinstance(value, str) else value

        checked = core_schema.str_schema(max_length=self.maximum, strict=True)
        return core_schema.no_info_before_validator_function(fit, checked)


@dataclass(frozen=True)
class Line(Text):
    """Free text of the operator in one line: a table's column, a title."""

    def shorten(self, text: str) -> str:
        """Every run of white space becomes one space, and the end is cut."""
        return shorten(" ".join(text.split()), self.maximum)


@dataclass(frozen=True)
class Given(Text):
    """Free text that people write: cut at a maximum of characters, as the API server counts."""

    def shorten(self, text: str) -> str:
        """The text as the API server takes it."""
        return shorten_by_characters(text, self.maximum)


@dataclass(frozen=True)
class Items:
    """A list: its first `maximum` items are kept; `kind` says how server-side apply merges it."""

    maximum: int
    kind: Literal["atomic", "set", "map"] = "atomic"
    keys: tuple[str, ...] = ()

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Cut first, then check the items that are left."""

        def fit(value: object) -> object:
            return value[: self.maximum] if isinstance(value, list | tuple) else value

        return core_schema.no_info_before_validator_function(fit, handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """What Kubernetes wants to know of a list."""
        schema = handler(core) | {"maxItems": self.maximum, "x-kubernetes-list-type": self.kind}
        if self.keys:
            schema["x-kubernetes-list-map-keys"] = list(self.keys)
        return schema


def format_time(time: datetime) -> str:
    """RFC 3339 in UTC, with microseconds only where there are any."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _in_utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


Timestamp = Annotated[
    AwareDatetime,
    AfterValidator(_in_utc),
    PlainSerializer(format_time, return_type=str, when_used="json"),
    Field(json_schema_extra={"maxLength": 32}),
]
"""A moment; a clock without a zone is refused."""

Int32 = Annotated[
    int, Field(ge=-(2**31), le=2**31 - 1, json_schema_extra={"format": "int32"}, strict=True)
]
Count = Annotated[
    int, Field(ge=0, le=2**31 - 1, json_schema_extra={"format": "int32"}, strict=True)
]
Int64 = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"}, strict=True)]
"""Never negative, and never near its upper end."""

Percent = Annotated[int, Field(ge=0, le=100, json_schema_extra={"format": "int32"}, strict=True)]
"""A whole number from 0 to 100: the API knows no floats."""

Name = Annotated[str, Field(min_length=1, max_length=limits.NAME, pattern=r"^[A-Za-z0-9._:-]+$")]
"""The name of a Kubernetes object; RBAC's hold colons."""

Namespace = Annotated[
    str, Field(max_length=limits.NAMESPACE, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]
Kind = Annotated[str, Field(max_length=limits.KIND, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]

EvidenceId = Annotated[str, Field(max_length=limits.EVIDENCE_ID, pattern=r"^E[1-9][0-9]{0,3}$")]
Citations = Annotated[tuple[EvidenceId, ...], Items(limits.CITATIONS)]
"""Ids of the evidence that a statement rests on; all of them exist in the same status."""
