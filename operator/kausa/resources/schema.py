"""From a model to the structural schema that Kubernetes wants of a CRD.

Pydantic writes JSON Schema with references, unions and titles; Kubernetes takes a subset of OpenAPI
3.0 without them. What cannot be said in that subset is an error here, at the time of generation,
rather than a condition NonStructural in a cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kausa.resources.part import Part

__all__ = ["SchemaError", "structural_schema"]

# In the order in which a person reads them.
_KEYWORDS: Final = (
    "description",
    "type",
    "format",
    "enum",
    "default",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "maxItems",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
)
# Titles repeat names; Kubernetes prunes unknown fields without being told to forbid them.
_DROPPED: Final = frozenset({"title", "additionalProperties", "$defs"})


class SchemaError(TypeError):
    """A model says something that a structural schema cannot."""


def structural_schema(model: type[Part]) -> dict[str, Any]:
    """The model's schema, every reference followed, in Kubernetes' subset.

    Raises:
        SchemaError: a field of the model has no structural form.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _convert(schema, definitions=schema.get("$defs", {}), path=model.__name__)


def _convert(
    schema: Mapping[str, Any], *, definitions: Mapping[str, Any], path: str
) -> dict[str, Any]:
    schema = _resolve(_without_null(schema, path=path), definitions)
    kind = schema.get("type")
    if kind not in {"object", "array", "string", "integer", "boolean"}:
        raise SchemaError(f"{path}: a structural schema has no {kind or 'untyped field'}")
    known = {*_KEYWORDS, *_DROPPED, "properties", "items"}
    if unknown := schema.keys() - known:
        raise SchemaError(f"{path}: a structural schema does not know {sorted(unknown)}")

    result = {keyword: schema[keyword] for keyword in _KEYWORDS if keyword in schema}
    if "description" in result:
        result["description"] = " ".join(result["description"].split())
    # A default of null or of an empty list is Python's way to say that nothing is given.
    if not result.get("default") and result.get("default") is not False:
        result.pop("default", None)
    if kind == "object":
        result["properties"] = {
            name: _convert(field, definitions=definitions, path=f"{path}.{name}")
            for name, field in schema.get("properties", {}).items()
        }
    if kind == "array":
        result["items"] = _convert(
            schema.get("items", {}), definitions=definitions, path=f"{path}[]"
        )
    return result


def _without_null(schema: Mapping[str, Any], *, path: str) -> Mapping[str, Any]:
    """An optional field is one that is left out, so its union with null is just the other side."""
    if "anyOf" not in schema:
        return schema
    others = [branch for branch in schema["anyOf"] if branch != {"type": "null"}]
    if len(others) != 1:
        raise SchemaError(f"{path}: a structural schema has no union of {len(others)} types")
    return {**others[0], **{key: value for key, value in schema.items() if key != "anyOf"}}


def _resolve(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with its reference followed; what stands beside the reference wins."""
    if "$ref" not in schema:
        return schema
    definition = definitions[schema["$ref"].removeprefix("#/$defs/")]
    return {**definition, **{key: value for key, value in schema.items() if key != "$ref"}}
