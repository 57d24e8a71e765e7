"""Patches: put together, written down for people, and held back where they would not be whole."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from kausa.diagnosis.finding import Patch
from kausa.evidence.redaction import WITHHELD
from kausa.evidence.redaction.placeholders import PLACEHOLDER
from kausa.resources.limits import COMMAND, PATCH
from kausa.resources.shortening import clean, wire_length

__all__ = ["is_whole", "merged", "patch_command", "patch_text"]

_KEYS = ("name", "mountPath", "port")
"""By which the lists that we patch are merged."""


def patch_text(patch: Patch) -> str:
    """The patch in YAML, as `kubectl patch --patch-file` takes it."""
    return yaml.safe_dump(_plain(patch.body), sort_keys=False, width=10_000, allow_unicode=True)


def patch_command(patch: Patch) -> str | None:
    """The command that applies it; None where it is too long for one."""
    place = f"-n {patch.namespace} " if patch.namespace else ""
    body = json.dumps(_plain(patch.body), separators=(",", ":"), ensure_ascii=False)
    command = (
        f"kubectl {place}patch {patch.kind.lower()} {shlex.quote(patch.name)} "
        f"--type=strategic -p {shlex.quote(body)}"
    )
    return command if wire_length(command) <= COMMAND else None


def is_whole(patch: Patch) -> bool:
    """Whether it says what it means: no secret was taken out of it, and it fits the resource."""
    text = patch_text(patch)
    hidden = PLACEHOLDER.search(text) is not None or WITHHELD in text
    return bool(patch.body) and not hidden and clean(text) == text and wire_length(text) <= PATCH


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two bodies in one: maps by their keys, lists by the name of their items."""
    result: dict[str, Any] = dict(one)
    for key, value in other.items():
        known = result.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            result[key] = merged(known, value)
        elif isinstance(known, list) and isinstance(value, list):
            result[key] = _merged_items(known, value)
        else:
            result[key] = value
    return result


def _merged_items(one: list[Any], other: list[Any]) -> list[Any]:
    items = list(one)
    for value in other:
        place = next((i for i, known in enumerate(items) if _is_same_item(known, value)), None)
        if place is None:
            items.append(value)
        else:
            items[place] = merged(items[place], value)
    return items


def _is_same_item(one: object, other: object) -> bool:
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return False
    return any(key in one and key in other and one[key] == other[key] for key in _KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
