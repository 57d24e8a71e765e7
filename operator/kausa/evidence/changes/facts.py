"""A Pod template as a flat table of facts, so that two of them can be compared by meaning.

Each fact has a path (`spec.containers[api].image`), a form to compare by and a form to show.
Lists of named things become tables, so that their order does not matter; quantities are compared
as numbers; what the API server fills in by itself is left out, so that a template that was written
by hand equals the one that was stored. Whatever shape a field has, it is read as far as it goes.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kausa.evidence.changes.containers import container_leaves
from kausa.evidence.changes.leaves import RESTARTED_AT, Leaf, generic_leaves, join
from kausa.evidence.fields import at, table

__all__ = ["RESTARTED_AT", "Fact", "template_facts"]

MOST_FACTS = 5_000
MOST_CHARACTERS = 4_096
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_GENERATED = frozenset(
    {
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "controller-uid",
        "job-name",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/cronjob-scheduled-timestamp",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "creationTimestamp",
    }
)
"""Labels and annotations that controllers write: another value is no change that anybody made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One field: what it is compared by, and how it is shown to people."""

    compared: str
    shown: str


def template_facts(template: object) -> dict[str, Fact]:
    """Every field of a Pod template that somebody chose, by its path; at most 5,000."""
    facts: dict[str, Fact] = {}
    for path, leaf in _leaves(template):
        if len(facts) >= MOST_FACTS:
            break
        unique, number = path, 2
        while unique in facts:
            unique, number = f"{path}#{number}", number + 1
        facts[unique] = _fact(leaf)
    return facts


def _leaves(template: object) -> Iterator[tuple[str, Leaf]]:
    for field in ("annotations", "labels"):
        for name, value in table(template, "metadata", field).items():
            if str(name) not in _GENERATED:
                yield join(f"metadata.{field}", str(name), keyed=True), Leaf(value)
    spec = table(template, "spec")
    for field, value in spec.items():
        if field in _CONTAINERS and isinstance(value, (list, tuple)):
            for position, each in enumerate(value):
                yield from container_leaves(f"spec.{field}", each, position=position)
        elif not _is_default(spec, field, value):
            yield from generic_leaves(join("spec", str(field)), value)


_POD_DEFAULTS: Mapping[str, Any] = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "enableServiceLinks": True,
    "serviceAccountName": "default",
    "preemptionPolicy": "PreemptLowerPriority",
    "hostNetwork": False,
    "hostPID": False,
    "hostIPC": False,
    "shareProcessNamespace": False,
    "setHostnameAsFQDN": False,
}
_NOT_CHOSEN = frozenset({"serviceAccount", "nodeName", "priority"})
"""The first repeats serviceAccountName; the others are written when a Pod is made."""


def _is_default(spec: Mapping[str, Any], field: object, value: object) -> bool:
    if field in _NOT_CHOSEN:
        return field != "serviceAccount" or at(spec, "serviceAccountName") is not None
    return field in _POD_DEFAULTS and value == _POD_DEFAULTS[str(field)]


def _fact(leaf: Leaf) -> Fact:
    value = leaf.value
    canonical = leaf.compared if leaf.compared is not None else value
    # Most fields are plain texts, which need no encoding to be told from all else.
    compared = f'"{canonical}' if isinstance(canonical, str) else _json(canonical)
    shown = leaf.shown if leaf.shown is not None else _shown(value)
    if len(shown) > MOST_CHARACTERS:
        # Half a value may be half a secret, which no redactor knows any more: so nothing of it.
        shown = f"… ({len(shown)} characters)"
    return Fact(compared=compared, shown=shown)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value):
        return shlex.join(value)
    return _json(value)


def _json(value: object) -> str:
    try:
        return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    except TypeError:  # Keys of several types, which only a file can have.
        return json.dumps(value, skipkeys=True, default=str, ensure_ascii=False)
