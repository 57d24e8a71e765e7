"""A migration and a checked backup of the embedded memory, whose worker is a real process."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.counting_embedder import CountingEmbedder
from support.store_contract import SCHEMA, point, write

from kausa.memory.backup import back_up, put_back
from kausa.memory.edge.client import EdgeStore
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.migration import migrate

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


async def test_the_embedded_memory_is_backed_up_migrated_and_put_back(tmp_path: Path) -> None:
    store = EdgeStore(folder=tmp_path / "memory")
    await store.open(SCHEMA, deadline_seconds=60)
    await write(store, [point(number, cluster="c", passage=str(number)) for number in range(100)])
    scratch = EdgeStore(folder=tmp_path / "scratch")
    kept = await back_up(store, tmp_path / "backup", scratch=scratch, deadline_seconds=60)
    assert kept.checked
    await scratch.close()
    embedder = CountingEmbedder()
    embedder.fail_after = 70
    with pytest.raises(MemoryUnavailableError):
        await migrate(store, embedder=embedder)
    embedder.fail_after = 10**9
    done = await migrate(store, embedder=embedder)
    assert (done.points, done.embedded, done.sources) == (100, 36, (SCHEMA,))
    await store.close()
    again = EdgeStore(folder=tmp_path / "memory")
    back = await put_back(again, tmp_path / "backup", deadline_seconds=60)
    assert back.points["failures"] == 100
    await again.open(SCHEMA, deadline_seconds=60)
    await again.close()
