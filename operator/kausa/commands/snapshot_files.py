"""The files that a command is given, as a snapshot; errors of the system in words."""

from __future__ import annotations

from pathlib import Path

from kausa.cluster.errors import SnapshotError
from kausa.cluster.snapshot import Snapshot, load_snapshot
from kausa.offline.plain_errors import told

__all__ = ["snapshot_of"]


def snapshot_of(source: Path) -> Snapshot:
    """Everything in a folder, or in one file.

    Raises:
        SnapshotError: there is nothing to read, or a file cannot be read; says which, why, and what
            to do.
    """
    try:
        return load_snapshot(source)
    except OSError as error:
        doing = f"{source} cannot be read, so nothing was diagnosed"
        raise SnapshotError(told(error, doing=doing)) from error
