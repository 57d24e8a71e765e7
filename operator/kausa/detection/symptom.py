"""What detection says of an object: one symptom for each way in which it fails."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kausa.resources.category import Category

__all__ = ["Symptom", "Upstream"]


class Upstream(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The object further up that a failure follows from, such as a node that is not ready."""

    api_version: str
    kind: str
    name: str
    uid: str = ""
    namespace: str | None = None
    """None for what belongs to the whole cluster."""
    reason: str = ""
    """What it fails with, in Kubernetes' own word."""
    stands_for_all: bool = False
    """Its own resource says it all: whoever follows from it gets none (hundreds of Pods of a node).
    """


class Symptom(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One failure of one object, in Kubernetes' own words.

    `reason_class` and `detail` make the identity: they stay the same while Kubernetes moves between
    two words for one failure (ErrImagePull and ImagePullBackOff), or counts and times change.
    """

    category: Category
    reason: str
    """Kubernetes' own word, as `kubectl get pods` shows it."""
    reason_class: str
    """One word for all the reasons that one failure shows in turn."""
    detail: str
    """What else two failures must share to be the same: an image, an exit code, a missing name."""
    message: str
    """Kubernetes' own message; not redacted yet."""
    container: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    since: datetime | None = None
    """When this object began to fail in this way, as far as its status tells."""
    last_seen: datetime | None = None
    """When it last failed."""
    occurrences: int = 1
    """How often this object has failed in this way: restarts, attempts of an Event, or once."""
    caused_by: Upstream | None = None
    """The failure further up that this one follows from, where that is known."""
