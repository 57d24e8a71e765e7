"""Manifests as rules need them: without what is long and tells nothing, and without secrets.

Every string of them is looked through for secrets later, so each that is left out is time won.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kausa.cluster.reader import Manifest
from kausa.evidence.fields import name_of, namespace_of, table

__all__ = ["slim", "slim_all"]

LONGEST_VALUE = 200
MOST_KEYS = 200
_BOOKKEEPING = frozenset({"generateName", "managedFields", "resourceVersion", "selfLink"})
_OF_THE_NODE = frozenset(
    {"addresses", "config", "daemonEndpoints", "features", "images", "volumesAttached"}
    | {"volumesInUse", "runtimeHandlers"}
)
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def slim(manifest: Manifest) -> Manifest:
    """A copy without managed fields, big values of ConfigMaps, and every value of a Secret."""
    kind = manifest.get("kind")
    slimmer = {**manifest, "metadata": _metadata(manifest)}
    if kind == "Secret":
        for field in ("data", "stringData"):
            if field in manifest:
                slimmer[field] = dict.fromkeys(list(table(manifest, field))[:MOST_KEYS], "")
    elif kind == "ConfigMap":
        for field in ("data", "binaryData"):
            if field in manifest:
                slimmer[field] = _short_values(table(manifest, field))
    elif kind == "Node":
        status = table(manifest, "status").items()
        slimmer["status"] = {key: each for key, each in status if key not in _OF_THE_NODE}
        slimmer["metadata"].pop("annotations", None)
    return slimmer


def slim_all(manifests: Iterable[Manifest], *, most: int) -> tuple[Manifest, ...]:
    """Each object once, the first so many of them."""
    found: dict[tuple[str, str, str], Manifest] = {}
    for each in manifests:
        key = (str(each.get("kind", "")), namespace_of(each), name_of(each))
        if len(found) >= most and key not in found:
            break
        found.setdefault(key, each)
    return tuple(slim(each) for each in found.values())


def _metadata(manifest: Manifest) -> dict[str, Any]:
    kept = {
        key: each for key, each in table(manifest, "metadata").items() if key not in _BOOKKEEPING
    }
    annotations = table(manifest, "metadata", "annotations")
    if _APPLIED in annotations:
        # It repeats the whole object, of a Secret its values too.
        kept["annotations"] = {key: each for key, each in annotations.items() if key != _APPLIED}
    return kept


def _short_values(data: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: each if isinstance(each, str) and len(each) <= LONGEST_VALUE else ""
        for key, each in list(data.items())[:MOST_KEYS]
    }
