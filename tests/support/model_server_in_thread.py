"""A scripted model server in a loop of its own, for commands that bring theirs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from support.fake_model_server import FakeModelServer, Kind

__all__ = ["served"]

PATIENCE_SECONDS = 10.0


@contextmanager
def served(kind: Kind) -> Iterator[FakeModelServer]:
    """Runs until it is left."""
    fake = FakeModelServer(kind)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(fake.start(), loop).result(PATIENCE_SECONDS)
        yield fake
        asyncio.run_coroutine_threadsafe(fake.stop(), loop).result(PATIENCE_SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
