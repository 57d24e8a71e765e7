"""The memory in a Qdrant server: for several operators, many records, and nodes that come and go.

`connect` makes a store from settings. qdrant-client is imported only then: whoever keeps the memory
embedded need not have it installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.server.settings import ServerSettings, Tuning
from kausa.memory.waiting import OnWaiting, nobody

if TYPE_CHECKING:
    from kausa.memory.server.store import ServerStore

__all__ = ["ServerSettings", "Tuning", "connect"]


def connect(settings: ServerSettings, *, on_waiting: OnWaiting = nobody) -> ServerStore:
    """A store in the server that the settings name; nothing is sent before it is used.

    `on_waiting` is told while a call waits for a server that is away.

    Raises `MemoryUnavailableError` where qdrant-client is not installed, or a certificate or key
    cannot be read; `SettingsError` where settings contradict each other.
    """
    try:
        from kausa.memory.server.connecting import connect as make
    except ImportError as error:
        raise MemoryUnavailableError(
            f"the package {error.name} is missing, which speaks with a Qdrant server. Install "
            "kausa[qdrant], or keep the memory embedded",
            reason="StoreUnavailable",
        ) from error
    return make(settings, on_waiting=on_waiting)
