"""What every part of the contract starts from."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.store_contract.shorthand import SCHEMA, SECONDS, NewStore

from kausa.memory.store import VectorStore

__all__ = ["Fixtures"]


class Fixtures:
    """A way to make stores, and one that is open; a backend supplies `new_store`."""

    @pytest.fixture
    async def new_store(self) -> AsyncIterator[NewStore]:
        raise NotImplementedError("a backend supplies it")
        yield  # noqa: PT022 - what makes it a generator, as those of the subclasses are

    @pytest.fixture
    async def fresh_store(self, new_store: NewStore) -> AsyncIterator[VectorStore]:
        """Open, and nothing was ever deleted in it: some stores' IDF counts that for a while."""
        store = new_store()
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        yield store
        await store.close()

    @pytest.fixture
    async def store(self, fresh_store: VectorStore) -> VectorStore:
        """Open and empty."""
        return fresh_store
