"""From a Pod, or any object, to its top owner: the object that a person deployed and can change.

ReplicaSets, Jobs and custom controllers in between are read on demand and remembered for some
minutes (an owner seldom gets another owner), so that a storm of Pods of one Deployment costs one
GET. A link that we may not read ends the chain there: the owner's name is known from the reference.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from kausa.cluster.errors import ForbiddenError, NotFoundError, UndecodableError
from kausa.cluster.kinds import path_of
from kausa.cluster.objects import Meta, ObjectReference, OwnerReference
from kausa.cluster.paths import ResourcePath, api_root
from kausa.cluster.reading_client import ReadingClient
from kausa.telemetry.logs import get_logger

__all__ = ["Owner", "OwnerResolver"]

_logger = get_logger("kausa.cluster.owners")
K = TypeVar("K")
V = TypeVar("V")

LONGEST_CHAIN = 8
REMEMBERED_OWNERS = 10_000
REMEMBERED_PATHS = 500
REMEMBERED_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The top of an object's chain of owners, or the object itself."""

    api_version: str
    kind: str
    name: str
    uid: str
    namespace: str
    """The owner's; of an owner of the whole cluster, where its failures are written down."""
    marked: str | None = None
    """What `kausa.dev/diagnose` says on it, as far as it could be read."""


class _Owned(msgspec.Struct):
    metadata: Meta


class _ResourceList(msgspec.Struct):
    class Resource(msgspec.Struct):
        name: str
        kind: str
        namespaced: bool = True

    resources: tuple[Resource, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """What one object of a chain says: who made it, and whether it was marked."""

    parent: OwnerReference | None
    marked: str | None = None


_TOP = _Link(parent=None)


class OwnerResolver:
    """Finds top owners; remembers a bounded number of links by uid.

    The same object must get the same owner after a restart. So what the API server could not tell
    just now is raised as a ClusterError, for the caller to try again, and never taken for an end.
    Owners are read on demand: a healthy Pod needs none, and a cluster keeps ten ReplicaSets for
    each Deployment. What the streams watch anyway is not read again.
    """

    def __init__(self, *, client: ReadingClient, home_namespace: str = "default") -> None:
        self._client = client
        self._home_namespace = home_namespace
        self._links: _Remembered[str, _Link] = _Remembered(most=REMEMBERED_OWNERS)
        self._watched: dict[str, _Link] = {}
        self._asked: dict[str, asyncio.Lock] = {}
        """The objects that are being read just now."""
        self._said: _Remembered[str, None] = _Remembered(most=REMEMBERED_PATHS)
        self._paths: _Remembered[tuple[str, str], ResourcePath | None] = _Remembered(
            most=REMEMBERED_PATHS
        )

    async def top_owner(self, found: ObjectReference, *, meta: Meta | None = None) -> Owner | None:
        """The top owner; None where an owner is gone, because then the object is going too.

        `meta` is the object's own where it is at hand; without it the object is read.
        """
        reference = OwnerReference(
            api_version=found.api_version, kind=found.kind, name=found.name, uid=found.uid
        )
        if meta is not None:
            link = _Link(parent=_controller(meta), marked=_marked(meta))
        else:
            link = _Link(parent=reference)
        for _ in range(LONGEST_CHAIN):
            if link.parent is None:
                break
            reference = link.parent
            try:
                link = await self._link(reference, namespace=found.namespace)
            except NotFoundError:
                return None
        return Owner(
            api_version=reference.api_version,
            kind=reference.kind,
            name=reference.name,
            uid=reference.uid,
            namespace=found.namespace or self._home_namespace,
            marked=link.marked,
        )

    def sizes(self) -> dict[str, int]:
        """How much is known: links that were `read`, those of objects that are `watched`, `kinds`
        that were looked up.
        """
        return {
            "read": len(self._links),
            "watched": len(self._watched),
            "kinds": len(self._paths),
        }

    def forget(self, uid: str) -> None:
        """What is known of this object may not be true any more."""
        self._links.forget(uid)

    def watched(self, meta: Meta) -> None:
        """An object of a stream is so now: nobody needs to read it, until it is gone."""
        parent, marked = _controller(meta), _marked(meta)
        self._watched[meta.uid] = (
            _TOP if parent is None and marked is None else _Link(parent=parent, marked=marked)
        )

    def gone(self, uid: str) -> None:
        """The stream tells of this object no more."""
        self._watched.pop(uid, None)
        self._links.forget(uid)

    async def exists(self, owner: Owner) -> bool:
        """Whether the owner is still there and not being deleted; True where these credentials
        cannot tell.
        """
        path = await self._path(owner)
        if path is None:
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

    def _say_forbidden(self, kind: str, *, why: str) -> None:
        if kind not in self._said:
            self._said[kind] = None
            _logger.warning(
                "Owners above this kind cannot be read, so each of its objects stands for itself",
                kind=kind,
                why=why,
            )

    async def _link(self, child: OwnerReference, *, namespace: str) -> _Link:
        watched = self._watched.get(child.uid)
        if watched is not None:
            return watched
        if child.uid in self._links:
            return self._links[child.uid]
        # All Pods of an owner begin to fail at the same moment: one of them asks for all.
        async with self._asked.setdefault(child.uid, asyncio.Lock()):
            try:
                if child.uid not in self._links:
                    self._links[child.uid] = await self._read_link(child, namespace=namespace)
                return self._links[child.uid]
            finally:
                self._asked.pop(child.uid, None)

    async def _read_link(self, child: OwnerReference, *, namespace: str) -> _Link:
        path = await self._path(child)
        link = _Link(parent=None)
        if path is not None and path.namespaced:
            try:
                owned = await self._client.get(
                    path.object(name=child.name, namespace=namespace), kind=_Owned
                )
            except ForbiddenError as error:
                self._say_forbidden(child.kind, why=str(error))
            else:
                if owned.metadata.uid != child.uid:
                    raise NotFoundError("The owner was replaced.", status=404)
                link = _Link(parent=_controller(owned.metadata), marked=_marked(owned.metadata))
        return link

    async def find(self, *, api_version: str, kind: str, namespace: str, name: str) -> Owner | None:
        """An object by its name, as the owner of its own failures; None where there is none."""
        path = await self._path(
            Owner(api_version=api_version, kind=kind, name=name, uid="", namespace=namespace)
        )
        if path is None:
            return None
        try:
            found = await self._client.get(path.object(name=name, namespace=namespace), kind=_Owned)
        except (NotFoundError, ForbiddenError):
            return None
        return Owner(
            api_version=api_version,
            kind=kind,
            name=name,
            uid=found.metadata.uid,
            namespace=namespace or self._home_namespace,
            marked=_marked(found.metadata),
        )

    async def _path(self, owner: OwnerReference | Owner) -> ResourcePath | None:
        """The URL of a kind, from the well-known ones or from the API server's discovery; None for
        a kind that it does not know or does not show to us.
        """
        key = (owner.api_version, owner.kind)
        known = path_of(api_version=owner.api_version, kind=owner.kind)
        if known is not None:
            return known
        if key not in self._paths:
            try:
                listed = await self._client.get(api_root(owner.api_version), kind=_ResourceList)
            except (ForbiddenError, NotFoundError):
                listed = _ResourceList()
            self._paths[key] = next(
                (
                    ResourcePath(
                        api_version=owner.api_version,
                        plural=each.name,
                        kind=each.kind,
                        namespaced=each.namespaced,
                    )
                    for each in listed.resources or ()
                    if each.kind == owner.kind and "/" not in each.name
                ),
                None,
            )
        return self._paths[key]


class _Remembered(Generic[K, V]):
    """What was found, for some minutes: permissions, kinds and even owners change. Bounded."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._found: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, key: K) -> bool:
        found = self._found.get(key)
        return found is not None and found[0] > time.monotonic()

    def __getitem__(self, key: K) -> V:
        self._found.move_to_end(key)
        return self._found[key][1]

    def forget(self, key: K) -> None:
        self._found.pop(key, None)

    def __setitem__(self, key: K, value: V) -> None:
        self._found[key] = (time.monotonic() + REMEMBERED_SECONDS, value)
        self._found.move_to_end(key)
        while len(self._found) > self._most:
            self._found.popitem(last=False)


def _controller(meta: Meta) -> OwnerReference | None:
    """The managing owner, or the only one there is, if it can be an object at all: anybody may
    write anything into a reference.
    """
    references = meta.owner_references or ()
    managing = next((each for each in references if each.controller), None)
    found = managing or (references[0] if len(references) == 1 else None)
    return found if found is not None and _is_an_object(found) else None


def _marked(meta: Meta) -> str | None:
    """The annotation, or the label where there is none."""
    marks = (meta.annotations, meta.labels)
    return next((each.diagnose for each in marks if each is not None and each.diagnose), None)


def _is_an_object(reference: OwnerReference) -> bool:
    path = ResourcePath(
        api_version=reference.api_version, plural="any", kind=reference.kind, namespaced=False
    )
    try:
        path.object(name=reference.name)
    except UndecodableError:
        return False
    return bool(reference.kind and reference.uid)
