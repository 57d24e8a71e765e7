"""Server stores over local mode of qdrant-client: no connection, the same translation."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from qdrant_client import AsyncQdrantClient
from support.quick_clients import share_schemas

from kausa.memory.server.calls import Calls
from kausa.memory.server.scrolling import ScrollPacking
from kausa.memory.server.settings import ServerSettings
from kausa.memory.server.store import ServerStore

__all__ = ["local_stores"]

share_schemas()


@contextlib.asynccontextmanager
async def local_stores() -> AsyncIterator[Callable[[], ServerStore]]:
    """Makes stores over one local mode, which forgets everything afterwards."""
    client = AsyncQdrantClient(location=":memory:")
    calls = Calls(at="local mode")
    settings = ServerSettings(url="http://localhost", backups="scroll")

    def make() -> ServerStore:
        return ServerStore(
            client=client,
            settings=settings,
            calls=calls,
            packings={"scroll": ScrollPacking(client=client, calls=calls)},
        )

    yield make
    await client.close()
