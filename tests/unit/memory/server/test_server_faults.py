"""A server that is away, busy, distrusted, too old or full: the right error, and no doubled write.

Over real HTTP to the shim; minutes pass in virtual time.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from support.qdrant_shim import Fault, QdrantShim, running_shim
from support.store_contract import SCHEMA, count, id_of, point, write
from support.virtual_time import VirtualTimeLoop

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING, Filter, OneOf
from kausa.memory.server import ServerSettings, connect
from kausa.memory.server.store import ServerStore
from kausa.memory.store import Schema
from kausa.memory.waiting import Waiting

EVENT_LOOP = VirtualTimeLoop
ONE = Filter(must=(OneOf("reward_count", (0,)),))


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
async def shim() -> AsyncIterator[QdrantShim]:
    async with running_shim() as found:
        yield found


@pytest.fixture
async def store(shim: QdrantShim) -> AsyncIterator[ServerStore]:
    store = connect(ServerSettings(url=shim.url))
    await store.open(SCHEMA, deadline_seconds=30)
    yield store
    await store.close()


async def refusal(store: ServerStore, *, seconds: float = 5) -> MemoryUnavailableError:
    with pytest.raises(MemoryUnavailableError) as refused:
        await store.count("failures", where=EVERYTHING, deadline_seconds=seconds)
    return refused.value


async def test_a_server_that_is_away_for_minutes_is_waited_for_and_then_used_again(
    shim: QdrantShim, store: ServerStore
) -> None:
    await write(store, [point(1)])
    await shim.stop()
    began = now()
    away = await refusal(store, seconds=10)
    assert away.reason == "StoreUnavailable"
    assert "cannot be reached" in str(away)
    assert now() - began <= 10.1

    async def come_back() -> None:
        await asyncio.sleep(180)
        await shim.start()

    back = asyncio.create_task(come_back())
    await store.upsert("failures", [point(2)], deadline_seconds=300)
    await back
    assert 180 <= now() - began <= 215
    assert await count(store) == 2


async def test_a_storm_of_429_is_waited_out_as_the_server_asks(
    shim: QdrantShim, store: ServerStore
) -> None:
    shim.faults.append(Fault(path="PUT .*/points$", times=5, status=429, retry_after="7"))
    began = now()
    await store.upsert("failures", [point(1)], deadline_seconds=120)
    assert 35 <= now() - began < 60
    assert shim.calls("PUT .*/points$") == 6
    assert await count(store) == 1


async def test_who_waits_for_a_server_is_told_at_once_what_for_and_how_long_at_most(
    shim: QdrantShim,
) -> None:
    told: list[Waiting] = []
    store = connect(ServerSettings(url=shim.url), on_waiting=told.append)
    await shim.stop()
    with pytest.raises(MemoryUnavailableError):
        await store.open(SCHEMA, deadline_seconds=30)
    assert {each.part for each in told} == {"store"}
    assert 29 < told[0].left_seconds <= 30
    assert shim.url in told[0].why
    assert "correct KAUSA_MEMORY_URL" in told[0].why
    await store.close()


@pytest.mark.parametrize("retry_after", [None, "60", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_a_storm_of_429_that_does_not_end_is_overload(
    shim: QdrantShim, store: ServerStore, retry_after: str | None
) -> None:
    shim.faults.append(Fault(times=1000, status=429, retry_after=retry_after))
    began = now()
    assert (await refusal(store)).reason == "StoreOverloaded"
    assert now() - began <= 5.1
    # Who is asked to wait longer than there is time does not knock again.
    assert shim.calls("points/count") == 1 if retry_after == "60" else 2 <= shim.calls("count") < 60


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_errors_of_a_server_that_starts_pass(
    shim: QdrantShim, store: ServerStore, status: int
) -> None:
    shim.faults.append(Fault(times=3, status=status))
    assert await count(store) == 0


async def test_a_lost_answer_doubles_nothing(shim: QdrantShim, store: ServerStore) -> None:
    shim.faults.append(Fault(path="PUT .*/points$", times=2, applied=True))
    await write(store, [point(1, cluster="c", reward_count=0), point(2)])
    assert shim.calls("PUT .*/points$") == 3
    assert await count(store) == 2
    shim.faults.append(Fault(path="POST .*/points/delete$", applied=True))
    await store.delete("failures", ids=[id_of(2)], deadline_seconds=30)
    assert await count(store) == 1


async def test_who_won_a_compare_and_set_knows_it_though_the_answer_was_lost(
    shim: QdrantShim, store: ServerStore
) -> None:
    await write(store, [point(1, cluster="c", reward_count=0)])
    shim.faults.append(Fault(path="POST .*/points/payload$", applied=True))
    assert await store.set_payload(
        "failures", [id_of(1)], {"reward_count": 1}, expect=ONE, deadline_seconds=30
    )


async def test_who_won_a_compare_and_set_knows_it_though_another_followed_at_once(
    shim: QdrantShim, store: ServerStore
) -> None:
    """By the values alone it had lost, would read again, and add a second time."""
    await write(store, [point(1, cluster="c", reward_count=0)])
    other = connect(ServerSettings(url=shim.url))
    await other.open(SCHEMA, deadline_seconds=30)

    async def second() -> None:
        while (await other.get("failures", [id_of(1)], deadline_seconds=30))[0].payload[
            "reward_count"
        ] != 1:
            await asyncio.sleep(0.01)
        where = Filter(must=(OneOf("reward_count", (1,)),))
        assert await other.set_payload(
            "failures", [id_of(1)], {"reward_count": 2}, expect=where, deadline_seconds=30
        )

    # The first has written, and looks for its mark only after the second has written too.
    shim.faults.append(Fault(path="POST .*/points/payload$", applied=True, status=503))
    following = asyncio.create_task(second())
    assert await store.set_payload(
        "failures", [id_of(1)], {"reward_count": 1}, expect=ONE, deadline_seconds=30
    )
    await following
    (found,) = await store.get("failures", [id_of(1)], deadline_seconds=30)
    assert found.payload == {"cluster": "c", "reward_count": 2}
    await other.close()


async def test_a_server_that_hangs_is_given_up_in_time(
    shim: QdrantShim, store: ServerStore
) -> None:
    shim.faults.append(Fault(times=100, delay=1000))
    began = now()
    assert (await refusal(store, seconds=3)).reason == "DeadlineExceeded"
    assert now() - began <= 3.1


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, "Service internal error: No space left on device: WAL buffer", "StoreFull"),
        (400, "Bad request: Resident memory limit exceeded", "StoreFull"),
        (403, "Forbidden: Global manage access is required", "StoreReadOnly"),
        (403, "Forbidden: Access to collection is required", "StoreReadOnly"),
        (400, "Wrong input: Vector dimension error: expected dim: 4, got 8", "DimensionMismatch"),
    ],
)
async def test_what_does_not_pass_is_said_at_once(
    shim: QdrantShim, store: ServerStore, status: int, body: str, reason: str
) -> None:
    shim.faults.append(Fault(path="PUT .*/points$", times=9, status=status, body=body))
    with pytest.raises(MemoryUnavailableError, match=body.split(":")[0]) as refused:
        await write(store, [point(1)])
    assert refused.value.reason == reason
    assert shim.calls("PUT .*/points$") == 1


async def test_an_api_key_that_is_missing_wrong_or_may_only_read_is_said() -> None:
    async with running_shim(api_key="right", read_only_key="reader") as shim:
        for key, reason in ((None, "Unauthorized"), ("x", "Unauthorized"), ("reader", "ReadOnly")):
            secret = SecretStr(key) if key is not None else None
            store = connect(ServerSettings(url=shim.url, api_key=secret))
            with pytest.raises(MemoryUnavailableError, match="API key") as refused:
                await store.open(SCHEMA, deadline_seconds=5)
            assert refused.value.reason == f"Store{reason}"
            assert key is None or key not in str(refused.value)
            await store.close()
        store = connect(ServerSettings(url=shim.url, api_key=SecretStr("right")))
        await store.open(SCHEMA, deadline_seconds=5)
        await store.close()


async def test_a_certificate_that_is_not_trusted_ends_it_before_the_key_is_sent(
    tmp_path: Path,
) -> None:
    context = certificate(tmp_path)
    async with running_shim(tls=context, api_key="secret") as shim:
        key = SecretStr("secret")
        store = connect(ServerSettings(url=shim.url, api_key=key))
        began = now()
        with pytest.raises(MemoryUnavailableError, match="TLS") as refused:
            await store.open(SCHEMA, deadline_seconds=60)
        assert refused.value.reason == "StoreUnauthorized"
        assert now() - began < 1
        assert not shim.requests
        await store.close()
        for trusting in ({"ca_file": tmp_path / "server.crt"}, {"verify": False}):
            store = connect(ServerSettings(url=shim.url, api_key=key, **trusting))
            await store.open(SCHEMA, deadline_seconds=5)
            await store.backup(tmp_path / f"b{len(trusting)}{list(trusting)}", deadline_seconds=5)
            await store.close()


async def test_a_certificate_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(MemoryUnavailableError, match="certificate") as refused:
        connect(ServerSettings(url="https://localhost", ca_file=tmp_path / "absent"))
    assert refused.value.reason == "StoreUnauthorized"


@pytest.mark.parametrize("version", ["1.16.3", "0.11.0", "2.0.0", "unknown"])
async def test_a_server_of_another_age_is_refused_with_words(version: str) -> None:
    async with running_shim(version=version) as shim:
        store = connect(ServerSettings(url=shim.url))
        with pytest.raises(MemoryUnavailableError, match=version) as refused:
            await store.open(SCHEMA, deadline_seconds=5)
        assert refused.value.reason == "StoreUnavailable"
        assert not shim.added
        await store.close()


@pytest.mark.parametrize("version", ["1.17.0", "1.19.0", "1.20.1", "1.17.1-dev"])
async def test_a_server_of_our_age_is_taken(version: str) -> None:
    async with running_shim(version=version) as shim:
        store = connect(ServerSettings(url=shim.url))
        await store.open(SCHEMA, deadline_seconds=5)
        assert await count(store) == 0
        await store.close()


async def test_collections_that_were_deleted_are_told_from_a_restored_backup(
    shim: QdrantShim, store: ServerStore, tmp_path: Path
) -> None:
    await write(store, [point(1)])
    other = connect(ServerSettings(url=shim.url))
    await other.open(SCHEMA, deadline_seconds=30)
    await store.backup(tmp_path / "backup", deadline_seconds=30)
    await store.restore(tmp_path / "backup", deadline_seconds=30)
    assert await count(other) == 1
    await store.erase(deadline_seconds=30)
    lost = await refusal(other)
    assert lost.reason == "StoreCorrupt"
    assert "sync --rebuild" in str(lost)
    await other.close()


async def test_who_was_open_before_a_switch_never_writes_among_the_new_vectors(
    shim: QdrantShim, store: ServerStore
) -> None:
    """Two models of one length: a server could not tell their vectors apart."""
    twin = Schema(model="twin-8", dimensions=SCHEMA.dimensions)
    other = connect(ServerSettings(url=shim.url))
    beside = await other.make(twin, deadline_seconds=30)
    await other.activate(twin, deadline_seconds=30)
    await write(store, [point(1)])
    assert await count(beside) == 0
    await other.drop(SCHEMA, deadline_seconds=30)
    with pytest.raises(MemoryUnavailableError) as refused:
        await write(store, [point(2)])
    assert refused.value.reason == "ModelMismatch"
    assert await count(beside) == 0
    await other.close()


async def test_two_operators_that_begin_at_once_share_one_memory(shim: QdrantShim) -> None:
    stores = [connect(ServerSettings(url=shim.url)) for _ in range(3)]
    await asyncio.gather(*(each.open(SCHEMA, deadline_seconds=30) for each in stores))
    await asyncio.gather(*(write(each, [point(n)]) for n, each in enumerate(stores)))
    assert [await count(each) for each in stores] == [3, 3, 3]
    assert len(shim.added) == 2
    for each in stores:
        await each.close()


async def test_indexes_that_a_killed_operator_did_not_make_are_made_at_the_next_start(
    shim: QdrantShim,
) -> None:
    shim.faults.append(Fault(path="PUT .*/index$", times=1000, status=403))
    first = connect(ServerSettings(url=shim.url))
    with pytest.raises(MemoryUnavailableError):
        await first.open(SCHEMA, deadline_seconds=5)
    await first.close()
    shim.faults.clear()
    second = connect(ServerSettings(url=shim.url))
    await second.open(SCHEMA, deadline_seconds=5)
    assert await second.count("failures", where=ONE, deadline_seconds=5) == 0
    assert all("cluster" in each.indexes for each in shim.added.values())
    await second.close()


def certificate(folder: Path) -> ssl.SSLContext:
    """Of a server on this machine, which nobody trusts who does not name it."""
    made, key = folder / "server.crt", folder / "server.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=shim", "-days", "2"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
            *("-keyout", str(key), "-out", str(made)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    return context
