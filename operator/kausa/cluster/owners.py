"""From a Pod to its top owner: the object that a person deployed and can change.

ReplicaSets, Jobs and custom controllers in between are read on demand and remembered (an owner
never changes its own owner in practice), so that a storm of Pods of one Deployment costs one GET.
A link that cannot be read ends the chain there: the owner's name is known from the reference.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import msgspec

from kausa.cluster.client import KubernetesClient
from kausa.cluster.errors import ApiError, ForbiddenError, NotFoundError
from kausa.cluster.objects import Meta, OwnerReference, Pod
from kausa.cluster.paths import ResourcePath

__all__ = ["Owner", "OwnerResolver"]

LONGEST_CHAIN = 8
REMEMBERED_OWNERS = 10_000

_WELL_KNOWN = {
    (path.api_version, path.kind): path
    for path in (
        ResourcePath(api_version="apps/v1", plural="replicasets", kind="ReplicaSet"),
        ResourcePath(api_version="apps/v1", plural="deployments", kind="Deployment"),
        ResourcePath(api_version="apps/v1", plural="statefulsets", kind="StatefulSet"),
        ResourcePath(api_version="apps/v1", plural="daemonsets", kind="DaemonSet"),
        ResourcePath(api_version="batch/v1", plural="jobs", kind="Job"),
        ResourcePath(api_version="batch/v1", plural="cronjobs", kind="CronJob"),
        ResourcePath(api_version="v1", plural="pods", kind="Pod"),
        ResourcePath(
            api_version="v1", plural="replicationcontrollers", kind="ReplicationController"
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The top of a Pod's chain of owners, or the Pod itself."""

    api_version: str
    kind: str
    name: str
    uid: str
    namespace: str


class _Owned(msgspec.Struct):
    metadata: Meta


class _ResourceList(msgspec.Struct):
    class Resource(msgspec.Struct):
        name: str
        kind: str
        namespaced: bool = True

    resources: tuple[Resource, ...] = ()


class OwnerResolver:
    """Finds top owners; remembers a bounded number of links by uid."""

    def __init__(self, *, client: KubernetesClient) -> None:
        self._client = client
        self._parents: OrderedDict[str, OwnerReference | None] = OrderedDict()
        self._paths: dict[tuple[str, str], ResourcePath | None] = dict(_WELL_KNOWN)

    async def top_owner(self, pod: Pod) -> Owner | None:
        """The top owner; None where an owner is gone, because then the Pod is going too."""
        namespace = pod.metadata.namespace
        reference = _controller(pod.metadata)
        if reference is None:
            meta = pod.metadata
            return Owner(
                api_version="v1", kind="Pod", name=meta.name, uid=meta.uid, namespace=namespace
            )
        for _ in range(LONGEST_CHAIN):
            try:
                parent = await self._parent(reference, namespace=namespace)
            except NotFoundError:
                return None
            if parent is None:
                break
            reference = parent
        return Owner(
            api_version=reference.api_version,
            kind=reference.kind,
            name=reference.name,
            uid=reference.uid,
            namespace=namespace,
        )

    async def exists(self, owner: Owner) -> bool:
        """Whether the owner is still there and not being deleted; True where it cannot be told."""
        path = await self._path(owner)
        if path is None or not path.namespaced:
            return True
        try:
            found = await self._client.get(
                path.object(name=owner.name, namespace=owner.namespace), kind=_Owned
            )
        except NotFoundError:
            return False
        except ForbiddenError:
            return True
        return found.metadata.uid == owner.uid and found.metadata.deletion_timestamp is None

    async def _parent(self, child: OwnerReference, *, namespace: str) -> OwnerReference | None:
        if child.uid in self._parents:
            self._parents.move_to_end(child.uid)
            return self._parents[child.uid]
        path = await self._path(child)
        if path is None or not path.namespaced:
            parent = None
        else:
            try:
                owned = await self._client.get(
                    path.object(name=child.name, namespace=namespace), kind=_Owned
                )
            except ForbiddenError:
                parent = None
            else:
                if owned.metadata.uid != child.uid:
                    raise NotFoundError("The owner was replaced.", status=404)
                parent = _controller(owned.metadata)
        self._parents[child.uid] = parent
        while len(self._parents) > REMEMBERED_OWNERS:
            self._parents.popitem(last=False)
        return parent

    async def _path(self, owner: OwnerReference | Owner) -> ResourcePath | None:
        """The URL of a kind, from the well-known ones or from the API server's discovery."""
        key = (owner.api_version, owner.kind)
        if key not in self._paths:
            root = "/api/v1" if owner.api_version == "v1" else f"/apis/{owner.api_version}"
            try:
                listed = await self._client.get(root, kind=_ResourceList)
            except ApiError:
                return None
            self._paths[key] = next(
                (
                    ResourcePath(
                        api_version=owner.api_version,
                        plural=each.name,
                        kind=each.kind,
                        namespaced=each.namespaced,
                    )
                    for each in listed.resources
                    if each.kind == owner.kind and "/" not in each.name
                ),
                None,
            )
        return self._paths[key]


def _controller(meta: Meta) -> OwnerReference | None:
    """The managing owner, or the only one there is."""
    references = meta.owner_references or ()
    managing = next((each for each in references if each.controller), None)
    return managing or (references[0] if len(references) == 1 else None)
