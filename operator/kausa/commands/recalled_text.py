"""What the memory holds, as it is shown: nothing of a placeholder that was cut in two."""

from __future__ import annotations

from typing import Any

from kausa.evidence.redaction.placeholders import without_torn

__all__ = ["without_torn_ends"]


def without_torn_ends(value: Any) -> Any:
    """The same tree of JSON types, each text without beginnings of placeholders."""
    if isinstance(value, str):
        return without_torn(value)
    if isinstance(value, list):
        return [without_torn_ends(each) for each in value]
    if isinstance(value, dict):
        return {name: without_torn_ends(each) for name, each in value.items()}
    return value
