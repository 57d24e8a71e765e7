"""What one watch has done so far, counted where it happens and read when somebody asks.

Plain numbers: a change costs one addition, and no part of a metrics library is on its way.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WatchTally"]


@dataclass(slots=True, kw_only=True)
class WatchTally:
    """Each only ever grows."""

    listed: int = 0
    """Objects that lists delivered."""
    added: int = 0
    modified: int = 0
    deleted: int = 0
    vanished: int = 0
    """Deletions that only the comparison of a list with what was known has shown."""
    bookmarks: int = 0
    undecodable: int = 0
    """Lines and objects that could not be decoded."""
    lists: int = 0
    """Lists that were delivered whole."""
    relists: int = 0
    """How often a version had expired (410), so that a list had to begin."""
    reconnects: int = 0
    """Watches that were asked for again without a list before them."""
    bytes_read: int = 0
    """Bytes of the watches' answers; lists are not in it."""
