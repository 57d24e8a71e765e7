"""The embedded store keeps the contract of every store; its worker is an object here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.edge_in_process import in_process_store
from support.store_contract import NewStore, StoreContract

from kausa.memory.edge.client import EdgeStore


class TestEdgeStore(StoreContract):
    @pytest.fixture
    def tmp_path(self, quick: Path) -> Path:
        """Backups are written there."""
        return quick

    @pytest.fixture
    async def new_store(self, folder: Path) -> AsyncIterator[NewStore]:
        stores: list[EdgeStore] = []

        def make() -> EdgeStore:
            stores.append(in_process_store(folder))
            return stores[-1]

        yield make
        for store in stores:
            await store.close()
