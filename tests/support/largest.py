"""Builds the largest document that a CRD's schema allows, for tests that measure or fill it."""

from __future__ import annotations

import json
from typing import Any

# The longest text that each pattern of ours allows, as a repeated beginning.
_LONGEST: dict[str, str] = {
    r"^E[1-9][0-9]{0,3}$": "E9999",
    r"^[0-9a-f]{6,64}$": "f" * 64,
    r"^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$": "999999h999999m999999s",
    r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?v[a-z0-9]+$": "g" * 253 + "/v" + "1" * 62,
}


def largest(schema: dict[str, Any], *, filler: str, times: int = 1) -> Any:
    """A value as large as the schema allows; `times` says by how much a list or a text exceeds."""
    match schema["type"]:
        case "object":
            return {
                name: largest(field, filler=filler, times=times)
                for name, field in schema["properties"].items()
            }
        case "array":
            return _items(schema, filler=filler, times=times)
        case "integer":
            return schema.get("maximum", 2**63 - 1)
        case "boolean":
            return True
        case _:
            return _string(schema, filler=filler, times=times)


def _items(schema: dict[str, Any], *, filler: str, times: int) -> list[Any]:
    keys = schema.get("x-kubernetes-list-map-keys", [])
    items = []
    for number in range(schema["maxItems"] * times):
        item = largest(schema["items"], filler=filler, times=times)
        for key in keys:
            item[key] = f"{item[key][:-3]}{number:03}"
        items.append(item)
    if schema.get("x-kubernetes-list-type") == "set":
        return items[:1]
    return items


def _string(schema: dict[str, Any], *, filler: str, times: int) -> str:
    if "enum" in schema:
        return str(max(schema["enum"], key=len))
    if schema.get("format") == "date-time":
        return "2026-01-01T00:00:00.000001Z"
    if "pattern" in schema:
        return str(_LONGEST.get(schema["pattern"], "a" * schema["maxLength"]))
    return str(filler * (schema["maxLength"] * times))


def on_the_wire(document: dict[str, Any]) -> int:
    """How many bytes the API server's JSON encoder makes of it: Go's, which escapes HTML."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return len(text.encode())
