"""What every store promises, kept by `ServerStore` over the client's local mode, the oracle.

Over real HTTP and gRPC, and against a real server, it is tests/integration/test_memory_server.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.server_stores import local_stores
from support.store_contract import NewStore, StoreContract


@pytest.mark.filterwarnings("ignore::UserWarning")
class TestOverLocalMode(StoreContract):
    @pytest.fixture
    async def new_store(self) -> AsyncIterator[NewStore]:
        async with local_stores() as make:
            yield make
