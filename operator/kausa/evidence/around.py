"""What gatherers ask: objects around a failure, where what cannot be read is simply not there.

The reader notes every permission that is missing (see `single_reader`), so that a gatherer may go
on with what it gets, and never has to handle an error itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from kausa.cluster.errors import ClusterError, NotRecordedError
from kausa.cluster.kinds import KINDS
from kausa.cluster.objects import Event, Pod
from kausa.cluster.paths import PODS, ResourcePath
from kausa.cluster.reader import Manifest
from kausa.evidence.dossier import Source
from kausa.evidence.fields import flag, name_of, rows, text, uid_of
from kausa.evidence.inquiry import Inquiry

__all__ = ["MORE_KINDS", "Around", "Lookup", "source_of"]

LONGEST_CHAIN = 8

MORE_KINDS = {
    path.kind: path
    for path in (
        ResourcePath(
            api_version="snapshot.storage.k8s.io/v1",
            plural="volumesnapshots",
            kind="VolumeSnapshot",
        ),
        ResourcePath(
            api_version="k8s.cni.cncf.io/v1",
            plural="network-attachment-definitions",
            kind="NetworkAttachmentDefinition",
        ),
    )
}
"""Custom resources that the spec of a Pod or a claim names, where such a driver is installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """An object that was looked for: what was found, and whether anybody could tell."""

    manifest: Manifest | None
    readable: bool
    unrecorded: bool = False
    """Whether it is files that do not tell."""

    @property
    def missing(self) -> bool:
        """Whether it is known not to exist."""
        return self.readable and self.manifest is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """One failure, and how to look at what stands around it."""

    inquiry: Inquiry

    @property
    def namespace(self) -> str:
        """Where it fails."""
        return self.inquiry.namespace

    async def look(
        self, kind: str, name: str, *, namespace: str | None = None, api_version: str = ""
    ) -> Lookup:
        """One object by its name, in the failure's namespace where none is named."""
        path = _path(kind, api_version=api_version)
        if path is None or not name:
            return Lookup(manifest=None, readable=False)
        place = (namespace or self.namespace) if path.namespaced else None
        try:
            found = await self.inquiry.reader.manifest(path, name=name, namespace=place)
        except ClusterError as error:
            unrecorded = isinstance(error, NotRecordedError)
            return Lookup(manifest=None, readable=False, unrecorded=unrecorded)
        # The plural of a custom resource is a guess, so its absence tells nothing.
        return Lookup(manifest=found, readable=found is not None or _is_known(path))

    async def one(
        self, kind: str, name: str, *, namespace: str | None = None, api_version: str = ""
    ) -> Manifest | None:
        """One object; None where it is not there or cannot be read."""
        found = await self.look(kind, name, namespace=namespace, api_version=api_version)
        return found.manifest

    async def many(
        self, kind: str, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...] | None:
        """The objects of a kind; None where they cannot be read."""
        path = _path(kind)
        if path is None:
            return None
        place = (self.namespace if namespace is None else namespace) if path.namespaced else None
        try:
            return await self.inquiry.reader.manifests(
                path, namespace=place, label_selector=label_selector
            )
        except ClusterError:
            return None

    async def pods(self, *, namespace: str | None = None, node: str = "") -> tuple[Pod, ...] | None:
        """The Pods of a namespace (of all: an empty one), or of a node; None where they cannot be
        read.
        """
        place = self.namespace if namespace is None else namespace
        try:
            return await self.inquiry.reader.pods(namespace=place, node=node)
        except ClusterError:
            return None

    async def events(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        """The Events about an object."""
        if not uid:
            return ()
        try:
            # Kubernetes keeps the Events about what belongs to no namespace in this one.
            return await self.inquiry.reader.events_about(namespace=namespace or "default", uid=uid)
        except ClusterError:
            return ()

    async def pod(self) -> Manifest | None:
        """The Pod whole; as far as it was decoded where it is gone already, None without one."""
        pod = self.inquiry.pod
        if not self.inquiry.has_pod:
            return None
        found = await self.one("Pod", pod.metadata.name, namespace=pod.metadata.namespace)
        if found is not None and uid_of(found) in ("", pod.metadata.uid):
            return found
        known: Manifest = msgspec.to_builtins(pod)
        return {"apiVersion": PODS.api_version, "kind": PODS.kind, **known}

    async def shown_by(self) -> Manifest | None:
        """What shows the failure, whole, where it is no Pod."""
        shown = self.inquiry.shown_by
        if shown.kind in ("Pod", ""):
            return None
        namespace = shown.namespace or self.namespace
        return await self.one(
            shown.kind, shown.name, namespace=namespace, api_version=shown.api_version
        )

    async def owners(self) -> tuple[Manifest, ...]:
        """The chain of owners above the Pod, or above what shows the failure, nearest first."""
        below = await self.pod() if self.inquiry.has_pod else await self.shown_by()
        chain: list[Manifest] = []
        while below is not None and len(chain) < LONGEST_CHAIN:
            reference = controller_of(below)
            below = await self.one(
                text(reference, "kind"),
                text(reference, "name"),
                api_version=text(reference, "apiVersion"),
            )
            if below is not None and not any(each is below for each in chain):
                chain.append(below)
            else:
                below = None
        return await self._with_top(tuple(chain))

    async def _with_top(self, chain: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
        """The owner that the failure is filed under too, where the chain did not lead to it."""
        top = self.inquiry.owner
        names = {(text(each, "kind"), name_of(each)) for each in chain}
        if top.kind in ("Pod", "") or (top.kind, top.name) in names:
            return chain
        found = await self.one(
            top.kind, top.name, namespace=top.namespace, api_version=top.api_version
        )
        return (*chain, found) if found is not None else chain

    async def workload(self) -> Manifest | None:
        """The object whose Pod template is at work: the top owner, or what shows the failure."""
        owners = await self.owners()
        with_template = [each for each in owners if "spec" in each and has_template(each)]
        if with_template:
            return with_template[-1]
        shown = await self.shown_by()
        return shown if shown is not None and has_template(shown) else None

    async def claims(self) -> tuple[str, ...]:
        """The names of the claims that it mounts, or is."""
        shown = self.inquiry.shown_by
        found = [shown.name] if shown.kind == "PersistentVolumeClaim" else []
        pod = await self.pod()
        found.extend(claim_names(pod))
        return tuple(dict.fromkeys(found))

    async def all_of(self, kind: str, names: Iterable[str]) -> tuple[Lookup, ...]:
        """Several objects of one kind at once."""
        return tuple(await asyncio.gather(*(self.look(kind, name) for name in names)))


def controller_of(manifest: Manifest) -> object:
    """The owner reference of who manages an object, or the only one there is."""
    references = rows(manifest, "metadata", "ownerReferences")
    managing = next((each for each in references if flag(each, "controller")), None)
    return managing or (references[0] if len(references) == 1 else None)


def has_template(manifest: Manifest) -> bool:
    """Whether Pods are made from it."""
    return bool(rows(pod_template(manifest), "spec", "containers"))


def pod_template(manifest: object) -> object:
    """The Pod template of a workload, of a CronJob's Job too."""
    for path in (("spec", "template"), ("spec", "jobTemplate", "spec", "template")):
        found: object = manifest
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return found
    return None


def claim_names(pod: object) -> tuple[str, ...]:
    """The claims that a Pod mounts, those of its ephemeral volumes too."""
    found: list[str] = []
    for volume in rows(pod, "spec", "volumes"):
        claim = text(volume, "persistentVolumeClaim", "claimName")
        if claim:
            found.append(claim)
        elif isinstance(volume.get("ephemeral"), dict):
            found.append(f"{name_of(pod)}-{text(volume, 'name')}")
    return tuple(dict.fromkeys(found))


def source_of(manifest: object, field_path: str = "") -> Source:
    """An object as the source of a piece of evidence."""
    return Source(kind=text(manifest, "kind"), name=name_of(manifest), field_path=field_path)


def _path(kind: str, *, api_version: str = "") -> ResourcePath | None:
    """In the version that every supported cluster serves, whichever an object speaks of."""
    known = KINDS.get(kind) or MORE_KINDS.get(kind)
    if known is not None and _group(api_version or known.api_version) == _group(known.api_version):
        return known
    if not kind or "." not in api_version:
        return None
    plural = f"{kind.lower()[:-1]}ies" if kind.endswith("y") else f"{kind.lower()}s"
    return ResourcePath(api_version=api_version, plural=plural, kind=kind)


def _is_known(path: ResourcePath) -> bool:
    return KINDS.get(path.kind) == path or MORE_KINDS.get(path.kind) == path


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]
