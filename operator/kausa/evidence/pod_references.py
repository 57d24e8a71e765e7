"""What the Pod names and is not there: ConfigMaps and their keys, claims, accounts, classes.

Secrets are read from files only. On a live cluster nobody gives an operator access to them for the
sake of a diagnosis: there the kubelet's Events tell which one is missing.
"""

from __future__ import annotations

import asyncio

from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, controller_of, pod_template
from kausa.evidence.dossier import Reference, Source
from kausa.evidence.fields import name_of, namespace_of, table, text, uid_of
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.pod_names import Named, names_of_pod
from kausa.evidence.reading import Reading
from kausa.evidence.references import NO_KEY, reading_of

__all__ = ["gather_pod_references", "problem_of"]

MOST_NAMES = 60
MOST_KEYS_TOLD = 10
_WITH_KEYS = frozenset({"ConfigMap", "Secret"})


async def gather_pod_references(inquiry: Inquiry) -> Reading:
    """Every object that the Pod (or the template of a workload without Pods) names, looked for."""
    around = Around(inquiry=inquiry)
    subject = await _subject(around)
    if subject is None:
        return Reading()
    by, pod = subject
    names = names_of_pod(pod)[:MOST_NAMES]
    looked = await asyncio.gather(
        *(around.look(each.kind, each.name, namespace=each.namespace or None) for each in names)
    )
    broken: list[tuple[Reference, str]] = []
    read: list[Manifest] = []
    accounts_known = await _accounts_are_known(around)
    for named, found in zip(names, looked, strict=True):
        if found.manifest is not None:
            read.append(found.manifest)
        if not found.readable or named.optional:
            continue
        if named.kind == "ServiceAccount" and not accounts_known:
            continue
        problem = problem_of(named, found.manifest)
        if problem is not None:
            broken.append(_reference(named, by=by, problem=problem, around=around))
    broken.extend(await _owner(around, pod))
    found_all = reading_of(broken)
    return Reading(
        evidence=found_all.evidence,
        references=found_all.references,
        manifests=tuple({id(each): each for each in read}.values()),
    )


async def _subject(around: Around) -> tuple[Source, Manifest] | None:
    """Who names, and the Pod or the template in the shape of a Pod."""
    pod = await around.pod()
    if pod is not None:
        return Source(kind="Pod", name=name_of(pod)), pod
    workload = await around.workload()
    template = pod_template(workload)
    if workload is None or not isinstance(template, dict):
        return None
    by = Source(kind=text(workload, "kind"), name=name_of(workload))
    return by, {"metadata": table(template, "metadata"), "spec": template.get("spec")}


def problem_of(named: Named, manifest: Manifest | None) -> tuple[str, str] | None:
    """What is wrong with an object that is named, and what else is known; None where it is fine."""
    if manifest is None:
        return "does not exist", ""
    if named.key and named.kind in _WITH_KEYS:
        keys = [
            str(key)
            for field in ("data", "binaryData", "stringData")
            for key in table(manifest, field)
        ]
        if named.key not in keys:
            shown = ", ".join(keys[:MOST_KEYS_TOLD])
            return NO_KEY, f"it has {shown}" if shown else "it has none"
    return None


def _reference(
    named: Named, *, by: Source, problem: tuple[str, str], around: Around
) -> tuple[Reference, str]:
    words, hint = problem
    place = named.namespace or (around.namespace if named.kind not in _OF_THE_CLUSTER else "")
    reference = Reference(
        by=Source(kind=by.kind, name=by.name, field_path=named.field_path),
        kind=named.kind,
        name=named.name,
        namespace=place,
        key=named.key if words == NO_KEY else "",
        problem=words,
    )
    return reference, hint


_OF_THE_CLUSTER = frozenset({"Node", "PriorityClass", "RuntimeClass"})


async def _accounts_are_known(around: Around) -> bool:
    """Whether accounts are told of at all: every namespace has this one, but files often none."""
    return await around.one("ServiceAccount", "default") is not None


async def _owner(around: Around, pod: Manifest) -> tuple[tuple[Reference, str], ...]:
    """Its controller, where it is gone or another one of that name."""
    controller = controller_of(pod)
    kind, name, uid = (text(controller, key) for key in ("kind", "name", "uid"))
    if not kind or not name:
        return ()
    found = await around.look(kind, name, api_version=text(controller, "apiVersion"))
    if not found.readable:
        return ()
    other = found.manifest is not None and uid and uid_of(found.manifest) not in ("", uid)
    if found.manifest is not None and not other:
        return ()
    # Garbage is collected within seconds, so this is rare; files often have Pods only.
    if not other and not await around.many(kind):
        return ()
    reference = Reference(
        by=Source(kind="Pod", name=name_of(pod), field_path="metadata.ownerReferences"),
        kind=kind,
        name=name,
        namespace=namespace_of(pod),
        problem="was replaced by another of that name" if other else "does not exist",
    )
    return ((reference, ""),)
