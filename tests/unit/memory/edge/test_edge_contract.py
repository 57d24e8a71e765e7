"""The embedded store keeps the contract of every store; its worker is an object here.

Tests that begin with an open store get one after the other over the same worker, emptied.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from support.edge_in_process import KeptStore, copy_folder, in_process_store, quick_folder
from support.store_contract import SCHEMA, NewStore, StoreContract

from kausa.memory.edge.client import EdgeStore
from kausa.memory.store import VectorStore


@pytest.fixture(scope="module")
def kept(made: Path) -> Iterator[KeptStore]:
    with quick_folder() as folder:
        copies = (copy_folder(made, folder / str(number)) for number in itertools.count())
        yield KeptStore(SCHEMA, folders=copies)


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

    @pytest.fixture
    async def store(self, kept: KeptStore) -> AsyncIterator[VectorStore]:
        async with kept.lent() as store:
            yield store
