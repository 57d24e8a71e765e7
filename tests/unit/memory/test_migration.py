"""Migration over a real store (local mode of the server backend), with an embedder that counts."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.counting_embedder import CountingEmbedder, vector
from support.fake_memory import FakeEncoder
from support.records import RECORD
from support.server_stores import local_stores

from kausa.memory.embedding.protocol import Embedder
from kausa.memory.embedding.replies import TextsRefusedError
from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.migration import Progress, migrate
from kausa.memory.server.store import ServerStore
from kausa.memory.service import FailureMemory
from kausa.memory.store import Payload, Point, Schema, SparseVector, StoredPoint

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
OLD = Schema(model="old", dimensions=4)
SECONDS = 5.0


def id_of(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))


def point(number: int, *, schema: Schema = OLD, **more: Any) -> Point:
    payload: Payload = {
        "cluster": "c",
        "passage": f"passage {number}",
        "last_seen": "2026-03-01T12:00:00Z",
        **more,
    }
    return Point(
        id=id_of(number),
        dense=vector(str(payload["passage"]), model=schema.model, dimensions=schema.dimensions),
        sparse=SparseVector((number + 1, 999), (1.0, 0.5)),
        payload=payload,
    )


@pytest.fixture
async def store() -> AsyncIterator[ServerStore]:
    async with local_stores() as make:
        store = make()
        await store.open(OLD, deadline_seconds=SECONDS)
        await write(store, range(150))
        await store.upsert("runbooks", [point(500)], deadline_seconds=SECONDS)
        yield store


async def write(store: ServerStore, numbers: Sequence[int], **more: Any) -> None:
    points = [point(number, **more) for number in numbers]
    await store.upsert("failures", points, deadline_seconds=SECONDS)


async def failures(store: ServerStore) -> dict[str, StoredPoint]:
    page = await store.scroll(
        "failures", where=EVERYTHING, limit=500, with_vectors=True, deadline_seconds=SECONDS
    )
    return {each.id: each for each in page.points}


def check(embedder: Embedder) -> Embedder:
    """Only so that the type checker sees that the double keeps the protocol."""
    return embedder


async def test_every_passage_is_embedded_again_and_words_and_payloads_are_carried_over(
    store: ServerStore,
) -> None:
    embedder = CountingEmbedder()
    before = await failures(store)
    done = await migrate(store, embedder=check(embedder))
    assert (done.points, done.embedded, done.sources) == (151, 151, (OLD,))
    assert done.target == Schema(model="new", dimensions=6)
    after = await failures(store)
    assert after.keys() == before.keys()
    for id_, found in after.items():
        of_vectors = {"model": "new", "schema_version": done.target.version}
        assert found.payload == before[id_].payload | of_vectors
        assert found.sparse == before[id_].sparse
        wanted = vector(found.payload["passage"], model="new", dimensions=6)
        assert found.dense == pytest.approx(wanted, abs=1e-6)
    listed = await store.generations(deadline_seconds=SECONDS)
    assert [(each.schema, each.active) for each in listed] == [(done.target, True)]


async def test_a_model_of_the_same_length_is_another_model(store: ServerStore) -> None:
    done = await migrate(store, embedder=CountingEmbedder("twin", 4))
    assert done.embedded == 151
    with pytest.raises(MemoryUnavailableError):
        await store.open(OLD, deadline_seconds=SECONDS)


async def test_a_migration_that_was_killed_goes_on_where_it_was(store: ServerStore) -> None:
    embedder = CountingEmbedder()
    embedder.fail_after = 130
    with pytest.raises(MemoryUnavailableError):
        await migrate(store, embedder=embedder)
    assert len(embedder.texts) == 128
    listed = await store.generations(deadline_seconds=SECONDS)
    assert [each.schema for each in listed if each.active] == [OLD]
    embedder.fail_after = 10**9
    done = await migrate(store, embedder=embedder)
    assert done.embedded == 151 - 128
    assert len(embedder.texts) == len(set(embedder.texts)) == 151


async def test_what_is_written_changed_and_deleted_meanwhile_is_not_lost(
    store: ServerStore,
) -> None:
    embedder = CountingEmbedder()
    steps: list[int] = []

    async def meanwhile() -> None:
        await write(store, [1000])
        await write(store, [0], outcome="Resolved")
        await write(store, [1], passage="other words")
        await store.delete("failures", ids=[id_of(2)], deadline_seconds=SECONDS)

    class Meddling(CountingEmbedder):
        async def embed(self, texts: Sequence[str], **how: Any) -> list[list[float]]:
            steps.append(len(texts))
            if len(steps) == 3:
                await meanwhile()
            return await embedder.embed(texts, **how)

    await migrate(store, embedder=Meddling())
    found = await failures(store)
    assert id_of(1000) in found
    assert id_of(2) not in found
    assert found[id_of(0)].payload["outcome"] == "Resolved"
    wanted = vector("other words", model="new", dimensions=6)
    assert found[id_of(1)].dense == pytest.approx(wanted, abs=1e-6)
    assert len(found) == 150


async def test_what_an_operator_of_the_old_model_wrote_after_the_switch_is_brought_over(
    store: ServerStore,
) -> None:
    """And nothing that is older than what the new generation has."""
    embedder = CountingEmbedder()
    await migrate_but_keep_the_old(store, embedder)
    old = await store.make(OLD, deadline_seconds=SECONDS)
    new = Schema(model="new", dimensions=6)
    later = "2026-03-01T12:00:01Z"
    await old.upsert("failures", [point(2000), point(3, last_seen=later)], deadline_seconds=SECONDS)
    newest = point(4, schema=new, last_seen=later, outcome="Resolved")
    await store.upsert("failures", [newest], deadline_seconds=SECONDS)
    done = await migrate(store, embedder=embedder)
    assert done.sources == (OLD,)
    found = await failures(store)
    assert id_of(2000) in found
    assert found[id_of(3)].payload["last_seen"] == later
    assert found[id_of(4)].payload["outcome"] == "Resolved"
    assert len(await store.generations(deadline_seconds=SECONDS)) == 1


async def test_whatever_was_written_later_is_brought_over_until_right_before_the_end(
    store: ServerStore,
) -> None:
    """Also what changes no count and no sighting: an outcome, a cause, a verdict."""
    embedder = CountingEmbedder()
    await migrate_but_keep_the_old(store, embedder)
    old = await store.make(OLD, deadline_seconds=SECONDS)
    moments = [f"2026-03-02T12:00:0{n}.000000+00:00" for n in range(10)]
    await old.set_payload(
        "failures", [id_of(3)], {"outcome": "Resolved", "written_at": moments[1]},
        deadline_seconds=SECONDS,
    )  # fmt: skip
    await old.set_payload(
        "failures", [id_of(4)], {"cause": "older", "written_at": moments[1]},
        deadline_seconds=SECONDS,
    )  # fmt: skip
    await store.set_payload(
        "failures", [id_of(4)], {"cause": "newer", "written_at": moments[2]},
        deadline_seconds=SECONDS,
    )  # fmt: skip
    make, scrolls = store.make, 0

    async def made(schema: Schema, **how: Any) -> Any:
        nonlocal scrolls
        found = await make(schema, **how)
        scroll = found.scroll

        async def scrolled(*of: Any, **how: Any) -> Any:
            nonlocal scrolls
            page = await scroll(*of, **how)
            scrolls += 1
            if scrolls == 4:  # the runbooks of the first walk: its failures were read
                late = {"verdict": "Wrong", "written_at": moments[3]}
                await old.set_payload("failures", [id_of(5)], late, deadline_seconds=SECONDS)
            return page

        found.scroll = scrolled  # type: ignore[method-assign]
        return found

    store.make = made  # type: ignore[method-assign]
    await migrate(store, embedder=embedder)
    found = await failures(store)
    assert found[id_of(3)].payload["outcome"] == "Resolved"
    assert found[id_of(4)].payload["cause"] == "newer"
    assert found[id_of(5)].payload["verdict"] == "Wrong"


async def test_nothing_is_embedded_a_second_time_after_a_migration() -> None:
    async with local_stores() as make:
        store = make()
        records = [replace(RECORD, owner_name=f"w{number}") for number in range(10)]
        old = CountingEmbedder("old", 4)
        before = FailureMemory(embedder=old, store=store, encoder=FakeEncoder())
        await before.remember(records, deadline_seconds=SECONDS)
        new = CountingEmbedder()
        await migrate(store, embedder=new)
        after = FailureMemory(embedder=new, store=store, encoder=FakeEncoder())
        assert await after.remember_changed(records, deadline_seconds=SECONDS) == 0
        assert len(new.texts) == 10


async def test_a_memory_of_the_right_model_is_left_alone(store: ServerStore) -> None:
    embedder = CountingEmbedder("old", 4)
    done = await migrate(store, embedder=embedder)
    assert (done.embedded, done.sources) == (0, ())
    assert not embedder.texts


async def test_an_empty_place_gets_a_memory_of_the_model() -> None:
    async with local_stores() as make:
        store = make()
        done = await migrate(store, embedder=CountingEmbedder())
        assert done.embedded == 0
        assert await failures(store) == {}


class Picky(CountingEmbedder):
    """Does not take some texts, as embedders of OpenAI's shape do: whole requests are refused."""

    def __init__(self, *refused: str) -> None:
        super().__init__()
        self.refused = frozenset(refused)
        self.requests = 0

    async def embed(self, texts: Sequence[str], **how: Any) -> list[list[float]]:
        self.requests += 1
        if self.refused.intersection(texts):
            if len(texts) == 1:
                raise InvalidRecordError("too long")
            raise TextsRefusedError("one of them is too long")
        return await super().embed(texts, **how)


async def test_a_passage_that_the_new_model_refuses_is_left_behind_and_told(
    store: ServerStore,
) -> None:
    embedder = Picky("passage 3", "passage 77", "passage 500")
    told: list[int] = []
    done = await migrate(
        store, embedder=embedder, report=lambda progress: told.append(progress.refused)
    )
    assert set(done.refused) == {id_of(3), id_of(77), id_of(500)}
    assert set(done.refused.values()) == {"too long"}
    assert (done.embedded, done.points) == (148, 148)
    assert told[-1] == 3
    assert id_of(3) not in await failures(store)
    # Each is found once, in a few halves, and not asked for again by every walk.
    assert embedder.requests < 100


async def test_a_model_that_refuses_much_changes_nothing(store: ServerStore) -> None:
    embedder = Picky(*(f"passage {number}" for number in range(30)))
    with pytest.raises(MemoryUnavailableError, match="not given up") as refused:
        await migrate(store, embedder=embedder)
    assert refused.value.reason == "EmbedderFailed"
    listed = await store.generations(deadline_seconds=SECONDS)
    assert [each.schema for each in listed if each.active] == [OLD]
    assert len(await failures(store)) == 150


async def test_an_embedder_that_is_away_in_the_middle_blames_no_passage(
    store: ServerStore,
) -> None:
    embedder = Picky("passage 3")
    embedder.fail_after = 100
    with pytest.raises(MemoryUnavailableError) as away:
        await migrate(store, embedder=embedder)
    assert away.value.reason == "EmbedderUnavailable"
    assert 0 < len(embedder.texts) <= 100


async def test_two_operators_of_two_models_do_not_migrate_back_and_forth(
    store: ServerStore,
) -> None:
    ours, theirs = CountingEmbedder("old", 4), CountingEmbedder()
    done = await migrate(store, embedder=theirs)
    # The other one is started again: the memory is of another model than its own.
    with pytest.raises(MemoryUnavailableError, match="migrated from old to new at 20") as refused:
        await migrate(store, embedder=ours)
    assert refused.value.reason == "ModelMismatch"
    for said in ("turns", "KAUSA_MEMORY_PREFIX", "kausa memory migrate"):
        assert said in str(refused.value)
    assert not ours.texts
    # Who finds the memory so is told as much by its condition.
    with pytest.raises(MemoryUnavailableError, match=r"since 20.*migrated from this embedder's"):
        await reopened(store).open(OLD, deadline_seconds=SECONDS)
    # A person may have it back, and then it is the other model that was left.
    back = await migrate(store, embedder=ours, back=True)
    assert (back.target, back.embedded) == (OLD, 151)
    with pytest.raises(MemoryUnavailableError, match="migrated from new to old"):
        await migrate(store, embedder=theirs)
    assert done.target != OLD


def reopened(store: ServerStore) -> ServerStore:
    """Another operator's view of the same server."""
    return ServerStore(
        client=store._client,
        settings=store._settings,
        calls=store._calls,
        packings=store._packings,
    )


async def test_a_third_model_is_migrated_to_by_itself(store: ServerStore) -> None:
    await migrate(store, embedder=CountingEmbedder())
    done = await migrate(store, embedder=CountingEmbedder("newest", 5))
    assert done.embedded == 151


async def test_progress_is_told_and_what_has_no_passage_is_named(store: ServerStore) -> None:
    nothing = point(7000)
    del nothing.payload["passage"]
    await store.upsert("failures", [nothing], deadline_seconds=SECONDS)
    told: list[tuple[int, int]] = []

    def report(progress: Progress) -> None:
        told.append((progress.seen, progress.total))

    done = await migrate(store, embedder=CountingEmbedder(), report=report)
    assert done.unreadable == (id_of(7000),)
    assert told[:3] == [(64, 152), (128, 152), (151, 152)]


async def migrate_but_keep_the_old(store: ServerStore, embedder: CountingEmbedder) -> None:
    """As if it was killed right after the switch."""
    drop = store.drop

    async def killed(*_of: Any, **_how: Any) -> None:
        raise MemoryUnavailableError("killed", reason="StoreUnavailable")

    store.drop = killed  # type: ignore[method-assign]
    with pytest.raises(MemoryUnavailableError, match="killed"):
        await migrate(store, embedder=embedder)
    store.drop = drop  # type: ignore[method-assign]
