"""Which servers we speak with, and which of their features we use."""

from __future__ import annotations

import re
from typing import NamedTuple

from kausa.memory.errors import MemoryUnavailableError

__all__ = ["BEST", "OLDEST", "PLACEMENT", "ServerVersion", "checked"]

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


class ServerVersion(NamedTuple):
    """Of a Qdrant server."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


OLDEST = ServerVersion(1, 17, 0)
"""Before, the client that we use is not tested with the server."""
BEST = ServerVersion(1, 19, 2)
"""Before, a restart may replay sparse vectors for hours, and 1.18.2 and 1.18.3 take the memory of
several graphs."""
PLACEMENT = ServerVersion(1, 19, 0)
"""Since then what is kept in memory is said by `memory`, and by `on_disk` before."""


def checked(text: str, *, at: str) -> ServerVersion:
    """The server's version; `MemoryUnavailableError` where we cannot work with it."""
    found = _VERSION.match(text)
    if found is None:
        raise MemoryUnavailableError(
            f"{at} says that its version is {text!r}, which is none of Qdrant's. Is it its "
            "address?",
            reason="StoreUnavailable",
        )
    version = ServerVersion(*map(int, found.groups()))
    if version < OLDEST or version.major != OLDEST.major:
        raise MemoryUnavailableError(
            f"{at} is Qdrant {version}, and this Kausa works with {OLDEST.major}.{OLDEST.minor} "
            f"and later of major version {OLDEST.major}, best with {BEST} or later. Upgrade the "
            "server, one minor version at a time",
            reason="StoreUnavailable",
        )
    return version
