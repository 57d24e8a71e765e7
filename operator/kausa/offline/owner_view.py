"""The owners of a snapshot's objects, also where the owners themselves were not recorded.

`kubectl get pods,deployments` leaves out the ReplicaSets in between, and an owner that is not in
the files must not make its Pods vanish from a diagnosis: the reference names it, and of the
ReplicaSet of a Deployment the name tells the Deployment.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from kausa.cluster.client import REQUEST_TIMEOUT_SECONDS
from kausa.cluster.errors import ClusterError, ForbiddenError, NotFoundError, NotRecordedError
from kausa.cluster.kinds import KINDS
from kausa.cluster.objects import Meta, ObjectReference
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.cluster.snapshot import SnapshotClient
from kausa.cluster.snapshot.store import ResourceUrl, parse_url

__all__ = ["OwnerView", "top_owner"]

T = TypeVar("T")
Json = dict[str, Any]
_OF_DEPLOYMENT = re.compile(r"(?P<deployment>.+)-[bcdfghjklmnpqrstvwxz0-9]{8,10}")
HOME_NAMESPACE = "default"
"""Where the failures of what belongs to no namespace are written down."""
_REPLICA_SETS = ("apps", "replicasets")
_DEPLOYMENTS = ("apps", "deployments")


async def top_owner(owners: OwnerResolver, found: ObjectReference, *, meta: Meta | None) -> Owner:
    """The top owner of an object; the object itself where the files tell of none."""
    try:
        owner = await owners.top_owner(found, meta=meta)
    except ClusterError:
        owner = None  # Names or fields that Kubernetes would have refused.
    return owner or Owner(
        api_version=found.api_version,
        kind=found.kind,
        name=found.name,
        uid=found.uid,
        namespace=found.namespace or HOME_NAMESPACE,
    )


class OwnerView(SnapshotClient):
    """Answers for everything that an owner reference or an Event names."""

    async def get(
        self, path: str, *, kind: type[T], timeout_seconds: float = REQUEST_TIMEOUT_SECONDS
    ) -> T:
        """One object; of one that was not recorded, what its name and the references tell."""
        try:
            return await super().get(path, kind=kind, timeout_seconds=timeout_seconds)
        except (NotFoundError, NotRecordedError) as error:
            url = parse_url(path)
            implied = self._implied(url) if url is not None else None
            if implied is not None:
                return msgspec.convert(implied, type=kind)
            if isinstance(error, NotRecordedError):
                # To owners it is the same whether files or rights do not tell.
                raise ForbiddenError(str(error), status=403) from error
            raise

    def _implied(self, url: ResourceUrl) -> Json | None:
        kind = next((each.kind for each in KINDS.values() if each.plural == url.resource[1]), None)
        uid = self._snapshot.named.get((kind or "", url.namespace, url.name))
        if uid is None:
            return None
        meta: Json = {"name": url.name, "namespace": url.namespace, "uid": uid}
        match = _OF_DEPLOYMENT.fullmatch(url.name) if url.resource == _REPLICA_SETS else None
        if match is not None:
            above = self._snapshot.get(
                ResourceUrl(
                    resource=_DEPLOYMENTS, namespace=url.namespace, name=match["deployment"]
                )
            )
            if above is not None:
                meta["ownerReferences"] = [
                    {
                        "apiVersion": "apps/v1",
                        "kind": "Deployment",
                        "name": match["deployment"],
                        "uid": above["metadata"]["uid"],
                        "controller": True,
                    }
                ]
        return {"metadata": meta}
