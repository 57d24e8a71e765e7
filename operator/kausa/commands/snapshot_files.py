"""The files that a command is given, as a snapshot; errors of the system in words."""

from __future__ import annotations

import sys
from pathlib import Path

from kausa.cluster.errors import SnapshotError
from kausa.cluster.snapshot import Snapshot, load_snapshot, read_snapshot
from kausa.offline.plain_errors import told

__all__ = ["snapshot_of"]

STANDARD_INPUT = "-"


def snapshot_of(source: Path) -> Snapshot:
    """Everything in a folder, in one file, or (`-`) in what comes over standard input.

    Raises:
        SnapshotError: there is nothing to read, or a file cannot be read; says which, why, and what
            to do.
    """
    if str(source) == STANDARD_INPUT:
        return read_snapshot(sys.stdin.buffer, name="standard input")
    try:
        return load_snapshot(source)
    except OSError as error:
        doing = f"{source} cannot be read, so nothing was diagnosed"
        raise SnapshotError(told(error, doing=doing)) from error
