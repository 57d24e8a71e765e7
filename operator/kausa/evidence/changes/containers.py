"""The leaves of one container: variables, probes and mounts under the names that people use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kausa.evidence.changes.leaves import Leaf, generic_leaves, join
from kausa.evidence.fields import flag, number, table, text

__all__ = ["PROBES", "container_leaves", "probe_in_words", "value_in_words"]

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_SOURCES = (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret"))


def container_leaves(path: str, container: object, *, position: int) -> Iterator[tuple[str, Leaf]]:
    """The container itself (by its image), then all that is said of it."""
    name = text(container, "name") or str(position)
    here = join(path, name, keyed=True)
    if not isinstance(container, Mapping):
        yield here, Leaf(container)
        return
    image = text(container, "image")
    yield here, Leaf("", shown=f"image {image}" if image else "no image", compared="present")
    for field, value in container.items():
        if field not in ("name", "imagePullPolicy"):
            yield from _field(here, str(field), value)
    yield f"{here}.imagePullPolicy", Leaf(_pull_policy(container))


def _field(here: str, field: str, value: object) -> Iterator[tuple[str, Leaf]]:
    path = join(here, field)
    if field == "env" and isinstance(value, (list, tuple)):
        for position, each in enumerate(value):
            name = text(each, "name") or str(position)
            yield join(path, name, keyed=True), _variable(each)
    elif field == "envFrom" and isinstance(value, (list, tuple)):
        for position, each in enumerate(value):
            yield _env_from(path, each, position=position)
    elif field in ("command", "args") and isinstance(value, (list, tuple)):
        if value:
            yield path, Leaf(list(value))
    elif field in PROBES and isinstance(value, Mapping):
        if value:
            yield path, Leaf("", shown=probe_in_words(value), compared="present")
        yield from generic_leaves(path, value)
    else:
        yield from generic_leaves(path, value)


def _variable(item: object) -> Leaf:
    if isinstance(item, Mapping) and not item.get("valueFrom"):
        # Without a value it is the empty string.
        return Leaf(item.get("value") if item.get("value") is not None else "")
    source = table(item, "valueFrom")
    bare = {str(key): each for key, each in source.items() if each is not None}
    return Leaf(bare, shown=value_in_words(source), compared=["valueFrom", _without_version(bare)])


def _without_version(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """The API server adds `apiVersion: v1` to a reference to a field of the Pod."""
    field = source.get("fieldRef")
    if isinstance(field, Mapping):
        return {**source, "fieldRef": {"fieldPath": field.get("fieldPath")}}
    return source


def value_in_words(source: Mapping[str, Any]) -> str:
    """Where a variable gets its value: `key url of ConfigMap settings`."""
    for field, kind in _SOURCES:
        if isinstance(source.get(field), Mapping):
            optional = ", optional" if flag(source, field, "optional") else ""
            key, name = text(source, field, "key"), text(source, field, "name")
            return f"key {key} of {kind} {name}{optional}"
    if isinstance(source.get("fieldRef"), Mapping):
        return f"field {text(source, 'fieldRef', 'fieldPath')} of the Pod"
    if isinstance(source.get("resourceFieldRef"), Mapping):
        return f"{text(source, 'resourceFieldRef', 'resource')} of the container"
    return "from somewhere else"


def _env_from(path: str, item: object, *, position: int) -> tuple[str, Leaf]:
    for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        name = text(item, field, "name")
        if name:
            prefix = text(item, "prefix")
            optional = ", optional" if flag(item, field, "optional") else ""
            shown = f"all keys of {kind} {name}{f' as {prefix}*' if prefix else ''}{optional}"
            return join(path, f"{kind}/{name}", keyed=True), Leaf(shown)
    return join(path, str(position), keyed=True), Leaf(item)


def probe_in_words(probe: Mapping[str, Any]) -> str:
    """`HTTP GET /healthz on port 8080 every 10 s`."""
    period = number(probe, "periodSeconds") or 10
    return f"{_asks(probe)} every {period} s"


def _asks(probe: Mapping[str, Any]) -> str:
    if isinstance(probe.get("httpGet"), Mapping):
        path, port = text(probe, "httpGet", "path") or "/", text(probe, "httpGet", "port")
        return f"{text(probe, 'httpGet', 'scheme') or 'HTTP'} GET {path} on port {port}"
    if isinstance(probe.get("tcpSocket"), Mapping):
        return f"TCP connect to port {text(probe, 'tcpSocket', 'port')}"
    if isinstance(probe.get("grpc"), Mapping):
        return f"gRPC health on port {text(probe, 'grpc', 'port')}"
    return "a command" if isinstance(probe.get("exec"), Mapping) else "nothing"


def _pull_policy(container: Mapping[str, Any]) -> str:
    """The policy, or the one that the API server gives to such an image by itself."""
    image = text(container, "image")
    untagged = ":" not in image.rpartition("/")[2] and "@" not in image
    by_itself = "Always" if untagged or image.endswith(":latest") else "IfNotPresent"
    return text(container, "imagePullPolicy") or by_itself
