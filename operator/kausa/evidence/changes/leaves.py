"""From a value of any shape to the leaves below it, each with a path that says where it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kausa.evidence.quantity import parse_quantity

__all__ = ["RESTARTED_AT", "Leaf", "generic_leaves", "join"]

RESTARTED_AT = "metadata.annotations[kubectl.kubernetes.io/restartedAt]"
"""What `kubectl rollout restart` writes into a template."""

DEEPEST = 12
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NAMED_BY: Mapping[str, tuple[str, ...]] = {
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "schedulingGates": ("name",),
    "readinessGates": ("conditionType",),
    "resourceClaims": ("name",),
    "sysctls": ("name",),
    "tolerations": ("key", "value", "effect"),
    "topologySpreadConstraints": ("topologyKey",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("name", "containerPort"),
}
_QUANTITIES = re.compile(r"(resources\.(limits|requests)|overhead)[.\[]|sizeLimit$")
_FALSE = frozenset(
    {"optional", "readOnly", "stdin", "stdinOnce", "tty", "privileged", "readOnlyRootFilesystem"}
)
_DEFAULTS: Mapping[str, Any] = {
    "protocol": "TCP",
    "scheme": "HTTP",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "defaultMode": 420,
    "recursiveReadOnly": "Disabled",
    **dict.fromkeys(_FALSE, False),
}
_PROBE = re.compile(r"(liveness|readiness|startup)Probe\.")
_PROBE_DEFAULTS: Mapping[str, Any] = {
    "timeoutSeconds": 1,
    "periodSeconds": 10,
    "successThreshold": 1,
    "failureThreshold": 3,
    "initialDelaySeconds": 0,
    "service": "",
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that is told as a whole."""

    value: Any
    shown: str | None = None
    """How it is shown, where not as it is written."""
    compared: Any = None
    """What it is compared by, where not by itself."""


def join(path: str, key: str, *, keyed: bool = False) -> str:
    """`path.key`, or `path[key]` for a key that holds dots or slashes, or is somebody's own."""
    return f"{path}.{key}" if not keyed and _PLAIN.fullmatch(key) else f"{path}[{key}]"


def generic_leaves(path: str, value: object, *, depth: int = 0) -> Iterator[tuple[str, Leaf]]:
    """The leaves of any value; what is empty, null or a known default has none."""
    field = path.rpartition(".")[2]
    if value is None or value in ({}, [], ()) or _is_default(path, field, value):
        return
    if depth >= DEEPEST:
        yield path, Leaf(value)
    elif field == "volumes" and isinstance(value, (list, tuple)):
        for position, each in enumerate(value):
            yield join(path, _name(each, "volumes", position), keyed=True), Leaf(_bare(each))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from generic_leaves(join(path, str(key)), each, depth=depth + 1)
    elif isinstance(value, (list, tuple)):
        yield from _listed(path, field, value)
    elif _QUANTITIES.search(path):
        yield path, Leaf(value, compared=_amount(value))
    else:
        yield path, Leaf(value)


def _listed(
    path: str, field: str, value: list[Any] | tuple[Any, ...]
) -> Iterator[tuple[str, Leaf]]:
    if field in _NAMED_BY:
        for position, each in enumerate(value):
            yield join(path, _name(each, field, position), keyed=True), Leaf(_bare(each))
    elif field in ("command", "args"):
        yield path, Leaf(list(value))
    else:
        # What has no name is compared as a set: nobody means anything by the order of terms.
        yield path, Leaf(value, compared=_unordered(value))


def _name(item: object, field: str, position: int) -> str:
    if not isinstance(item, Mapping):
        return str(position)
    keys = _NAMED_BY[field]
    if field == "ports":
        found = [str(item[key]) for key in keys if item.get(key)][:1]
    else:
        found = [str(item[key]) for key in keys if item.get(key) not in (None, "")]
    return ":".join(found) or ("*" if field == "tolerations" else str(position))


def _bare(value: object, *, depth: int = 0) -> Any:
    """The value without defaults."""
    if depth >= DEEPEST:
        return value
    if isinstance(value, Mapping):
        return {
            str(key): _bare(each, depth=depth + 1)
            for key, each in value.items()
            if each is not None and not _is_default(str(key), str(key), each)
        }
    if isinstance(value, (list, tuple)):
        return [_bare(each, depth=depth + 1) for each in value]
    return value


def _unordered(value: object, *, depth: int = 0) -> Any:
    if depth >= DEEPEST:
        return value
    if isinstance(value, Mapping):
        return {str(key): _unordered(each, depth=depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        each_one = [_unordered(each, depth=depth + 1) for each in value]
        return sorted(each_one, key=lambda each: json.dumps(each, sort_keys=True, default=str))
    return value


def _amount(value: object) -> Any:
    amount = parse_quantity(value)
    return value if amount is None else ["quantity", amount]


def _is_default(path: str, field: str, value: object) -> bool:
    if _PROBE.search(path) and field in _PROBE_DEFAULTS:
        return _same(value, _PROBE_DEFAULTS[field])
    return field in _DEFAULTS and _same(value, _DEFAULTS[field])


def _same(value: object, default: object) -> bool:
    # True equals 1 in Python, and a default of 0 is no False.
    return type(value) is type(default) and value == default
