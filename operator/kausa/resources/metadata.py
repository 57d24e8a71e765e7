"""The part of metav1.ObjectMeta that Kausa reads and writes on its own resources."""

from __future__ import annotations

from pydantic import ConfigDict

from kausa.resources.fields import Timestamp
from kausa.resources.part import Part

__all__ = ["ObjectMeta", "OwnerReference"]


class OwnerReference(Part):
    """The object whose end is the end of ours; neither its controller nor in its way."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(Part):
    """Who an object is. Unknown fields are skipped: the API server may add to them at any time."""

    model_config = ConfigDict(extra="ignore")

    name: str
    namespace: str | None = None
    uid: str | None = None
    generation: int | None = None
    resource_version: str | None = None
    creation_timestamp: Timestamp | None = None
    deletion_timestamp: Timestamp | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: tuple[OwnerReference, ...] | None = None
