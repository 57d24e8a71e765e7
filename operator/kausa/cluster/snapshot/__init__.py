"""A cluster out of files: what `kubectl` wrote down once, answered as an API server would."""

from __future__ import annotations

from kausa.cluster.snapshot.client import SnapshotClient
from kausa.cluster.snapshot.loading import load_snapshot, read_snapshot
from kausa.cluster.snapshot.store import Snapshot

__all__ = ["Snapshot", "SnapshotClient", "load_snapshot", "read_snapshot"]
