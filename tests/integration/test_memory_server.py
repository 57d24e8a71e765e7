"""`ServerStore` over real connections: to the shims, and to a Qdrant server where one is named.

    QDRANT_URL=http://localhost:6333 [QDRANT_API_KEY=...] [QDRANT_GRPC=1 [QDRANT_GRPC_PORT=6334]]

Every test has names of its own in the server, and deletes them. Without `QDRANT_URL` those that
need a server are skipped.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from support.qdrant_grpc_shim import running_grpc_shim
from support.qdrant_shim import running_shim
from support.store_contract import (
    SCHEMA,
    SECONDS,
    NewStore,
    StoreContract,
    count,
    everything,
    id_of,
    point,
    write,
)

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.server import ServerSettings, Tuning, connect
from kausa.memory.store import HybridQuery

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
live = pytest.mark.skipif(
    not os.environ.get("QDRANT_URL"),
    reason="QDRANT_URL names no Qdrant server, and none comes as a package",
)


def settings_of(prefix: str, **more: object) -> ServerSettings:
    key = os.environ.get("QDRANT_API_KEY")
    return ServerSettings(
        url=os.environ["QDRANT_URL"],
        api_key=SecretStr(key) if key else None,
        grpc=os.environ.get("QDRANT_GRPC") == "1",
        grpc_port=int(os.environ.get("QDRANT_GRPC_PORT", "6334")),
        prefix=prefix,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
async def prefix() -> AsyncIterator[str]:
    """Names that no other test has, deleted afterwards."""
    mine = f"kausatest-{secrets.token_hex(6)}"
    yield mine
    store = connect(settings_of(mine))
    await store.erase(deadline_seconds=SECONDS)
    await store.close()


class TestOverHttp(StoreContract):
    @pytest.fixture
    async def new_store(self) -> AsyncIterator[NewStore]:
        async with running_shim() as shim:
            yield lambda: connect(ServerSettings(url=shim.url))


class TestOverGrpc(StoreContract):
    @pytest.fixture
    async def new_store(self) -> AsyncIterator[NewStore]:
        async with running_grpc_shim() as port:
            settings = ServerSettings(
                url="http://127.0.0.1", grpc=True, grpc_port=port, backups="scroll"
            )
            yield lambda: connect(settings)


@live
class TestOverALiveServer(StoreContract):
    @pytest.fixture
    async def new_store(self, prefix: str) -> NewStore:
        return lambda: connect(settings_of(prefix))


@live
async def test_a_backup_without_snapshots_brings_back_exactly_what_was_there(
    prefix: str, tmp_path: Path
) -> None:
    store = connect(settings_of(prefix, backups="scroll"))
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    await write(store, [point(number) for number in range(250)])
    before = await everything(store)
    await store.backup(tmp_path / "backup", deadline_seconds=SECONDS)
    await store.delete("failures", where=EVERYTHING, deadline_seconds=SECONDS)
    await store.restore(tmp_path / "backup", deadline_seconds=SECONDS)
    after = await everything(store)
    assert [(each.id, each.payload) for each in after] == [
        (each.id, each.payload) for each in before
    ]
    for old, new in zip(before, after, strict=True):
        # The server brings vectors to length 1 again.
        assert new.dense == pytest.approx(old.dense, abs=1e-6)
        assert new.sparse == old.sparse
    await store.close()


@live
async def test_quantized_vectors_on_disk_are_still_found_exactly(prefix: str) -> None:
    tuning = Tuning(quantization="scalar", vectors="disk")
    store = connect(settings_of(prefix, tuning=tuning))
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    await write(store, [point(number) for number in range(300)])
    for exact in (False, True):
        query = HybridQuery(
            where=EVERYTHING, dense=tuple(point(7).dense), candidates=1, exact=exact
        )
        (found,) = await store.candidates("failures", query, deadline_seconds=SECONDS)
        assert found.id == id_of(7)
        assert found.dense == pytest.approx(1.0, abs=1e-4)
    await store.close()


@live
async def test_a_memory_that_has_grown_is_quantized_when_it_is_opened_again(prefix: str) -> None:
    small = connect(settings_of(prefix))
    await small.open(SCHEMA, deadline_seconds=SECONDS)
    await write(small, [point(number) for number in range(50)])
    await small.close()
    grown = connect(settings_of(prefix, tuning=Tuning(large_bytes=100)))
    for _ in range(2):
        await grown.open(SCHEMA, deadline_seconds=SECONDS)
    assert await count(grown) == 50
    query = HybridQuery(where=EVERYTHING, dense=tuple(point(7).dense), candidates=1)
    (found,) = await grown.candidates("failures", query, deadline_seconds=SECONDS)
    assert found.id == id_of(7)
    await grown.close()


@live
async def test_a_key_that_the_server_does_not_know_is_said(prefix: str) -> None:
    if not os.environ.get("QDRANT_API_KEY"):
        pytest.skip("the server takes everybody: QDRANT_API_KEY is not set")
    wrong = ServerSettings(
        url=os.environ["QDRANT_URL"],
        api_key=SecretStr("not-the-key"),
        grpc=os.environ.get("QDRANT_GRPC") == "1",
        prefix=prefix,
    )
    store = connect(wrong)
    with pytest.raises(MemoryUnavailableError) as refused:
        await store.open(SCHEMA, deadline_seconds=SECONDS)
    assert refused.value.reason == "StoreUnauthorized"
    await store.close()
