"""What every field of our CRDs must be, checked on the generated schemas themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import Field

from kausa.resources.crd import manifests
from kausa.resources.part import Part
from kausa.resources.schema import SchemaError, structural_schema

Named = tuple[str, dict[str, Any]]

# The keywords of OpenAPI 3.0 that a structural schema may have, as far as ours needs them.
ALLOWED = {
    "default",
    "description",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "required",
    "type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-validations",
}


def walk(schema: dict[str, Any], path: str) -> Iterator[Named]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from walk(field, f"{path}.{name}")
    if "items" in schema:
        yield from walk(schema["items"], f"{path}[]")


def schemas() -> Iterator[Named]:
    for manifest in manifests().values():
        for version in manifest["spec"]["versions"]:
            yield from walk(version["schema"]["openAPIV3Schema"], manifest["spec"]["names"]["kind"])


ALL = list(schemas())


def of_type(*types: str) -> list[Named]:
    return [(path, schema) for path, schema in ALL if schema.get("type") in types]


def test_there_are_fields_to_check() -> None:
    assert len(ALL) > 150


def test_every_field_is_described_in_a_sentence() -> None:
    # The API server describes metadata itself, and refuses a CRD that does.
    fields = [(path, schema) for path, schema in ALL if not path.endswith(("[]", ".metadata"))]
    poor = [
        path
        for path, schema in fields
        if len(schema.get("description", "")) < 8 or not schema["description"].endswith(".")
    ]
    assert poor == []


def test_no_description_names_python() -> None:
    words = ("`", "None", "Python", "Annotated", "\n")
    assert [
        path for path, schema in ALL if any(w in schema.get("description", "") for w in words)
    ] == []


def test_every_field_has_a_type_and_none_is_a_float() -> None:
    known = {"object", "array", "string", "integer", "boolean"}
    assert [path for path, schema in ALL if schema.get("type") not in known] == []


def test_no_keyword_is_beyond_a_structural_schema() -> None:
    assert [
        (path, sorted(extra)) for path, schema in ALL if (extra := schema.keys() - ALLOWED)
    ] == []


def test_every_string_is_bounded() -> None:
    unbounded = [
        path
        for path, schema in of_type("string")
        if "maxLength" not in schema and "enum" not in schema
    ]
    assert unbounded == []


def test_every_list_is_bounded_and_says_how_it_is_merged() -> None:
    keywords = {"maxItems", "x-kubernetes-list-type", "items"}
    assert [path for path, schema in of_type("array") if not keywords <= schema.keys()] == []


def test_every_list_map_has_required_keys() -> None:
    for path, schema in of_type("array"):
        if schema["x-kubernetes-list-type"] == "map":
            keys = schema["x-kubernetes-list-map-keys"]
            assert keys, path
            assert set(keys) <= set(schema["items"]["required"]), path


def test_every_integer_says_how_wide_it_is() -> None:
    wide = {"int32", "int64"}
    assert [path for path, schema in of_type("integer") if schema.get("format") not in wide] == []


def test_every_object_names_its_fields_except_metadata() -> None:
    free = [path for path, schema in of_type("object") if not schema.get("properties")]
    assert free == ["FailureDiagnosis.metadata", "Runbook.metadata"]


def test_required_fields_exist() -> None:
    for path, schema in of_type("object"):
        assert set(schema.get("required", [])) <= set(schema.get("properties", {})), path


def test_status_requires_nothing_and_has_no_defaults_that_server_side_apply_would_own() -> None:
    statuses = [(path, schema) for path, schema in ALL if ".status" in path]
    assert [path for path, schema in statuses if "default" in schema] == []
    tops = [schema for path, schema in statuses if path.count(".") == 1]
    assert all("required" not in schema for schema in tops)


def test_defaults_are_told_to_the_api_server() -> None:
    defaults = {path: schema["default"] for path, schema in ALL if "default" in schema}
    assert defaults == {
        "FailureDiagnosis.spec.trigger": "Manual",
        "FailureDiagnosis.spec.suspend": False,
    }


def test_patterns_are_anchored() -> None:
    patterns = [(path, schema["pattern"]) for path, schema in ALL if "pattern" in schema]
    assert [path for path, text in patterns if not (text[0] == "^" and text[-1] == "$")] == []


class WithUnion(Part):
    """A field that is one of two types."""

    value: int | str


class WithFloat(Part):
    """A field that is a float."""

    value: float


class WithMap(Part):
    """A field that is anything."""

    value: Any


class WithOpenEnd(Part):
    """A field whose bound has another meaning in OpenAPI 3.0."""

    value: Annotated[int, Field(lt=3)]


@pytest.mark.parametrize("model", [WithUnion, WithFloat, WithMap, WithOpenEnd])
def test_what_kubernetes_cannot_say_is_refused_with_its_path(model: type[Part]) -> None:
    with pytest.raises(SchemaError, match=rf"^{model.__name__}\.value: "):
        structural_schema(model)
