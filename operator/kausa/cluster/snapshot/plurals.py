"""How a kind is spelled in URLs and by people: plurals, short names, and those of unknown kinds."""

from __future__ import annotations

from kausa.cluster.kinds import KINDS
from kausa.cluster.paths import ResourcePath

__all__ = ["kinds_called", "path_for", "plural_of"]

_SHORT = {
    "cj": "CronJob",
    "cm": "ConfigMap",
    "crd": "CustomResourceDefinition",
    "deploy": "Deployment",
    "ds": "DaemonSet",
    "ep": "Endpoints",
    "ev": "Event",
    "hpa": "HorizontalPodAutoscaler",
    "ing": "Ingress",
    "limits": "LimitRange",
    "netpol": "NetworkPolicy",
    "no": "Node",
    "ns": "Namespace",
    "pc": "PriorityClass",
    "pdb": "PodDisruptionBudget",
    "po": "Pod",
    "pv": "PersistentVolume",
    "pvc": "PersistentVolumeClaim",
    "quota": "ResourceQuota",
    "rc": "ReplicationController",
    "rs": "ReplicaSet",
    "sa": "ServiceAccount",
    "sc": "StorageClass",
    "sts": "StatefulSet",
    "svc": "Service",
}
"""As `kubectl api-resources` lists them."""
_IRREGULAR = {"NetworkAttachmentDefinition": "network-attachment-definitions"}
"""Custom kinds that are often named, and whose plural cannot be guessed."""
_MOVED = {"extensions": {"Ingress": "networking.k8s.io"}}
"""Groups that old clusters wrote; all else of `extensions` became `apps`."""


def plural_of(kind: str) -> str:
    """The plural of a kind in lower case, by the rule that Kubernetes' own tools guess it by."""
    known = KINDS.get(kind)
    if known is not None:
        return known.plural
    if kind in _IRREGULAR:
        return _IRREGULAR[kind]
    word = kind.lower()
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def group_of(api_version: str, kind: str) -> str:
    """The group of an apiVersion, as it is called today."""
    group = api_version.rpartition("/")[0]
    return _MOVED["extensions"].get(kind, "apps") if group == "extensions" else group


def path_for(api_version: str, kind: str, *, namespaced: bool) -> ResourcePath:
    """Where objects of a kind live; a known kind in the version that is read of it."""
    known = KINDS.get(kind)
    if known is not None and known.api_version.rpartition("/")[0] == group_of(api_version, kind):
        return known
    return ResourcePath(
        api_version=api_version, plural=plural_of(kind), kind=kind, namespaced=namespaced
    )


def kinds_called(word: str, *, present: frozenset[str]) -> tuple[str, ...]:
    """The kinds that a person may mean by a word: kind, singular, plural or short name."""
    wanted = word.lower().partition(".")[0]
    if wanted in _SHORT:
        return (_SHORT[wanted],)
    every = sorted({*KINDS, *present})
    return tuple(each for each in every if wanted in (each.lower(), plural_of(each)))
