"""What every `VectorStore` promises, as tests: a backend subclasses and supplies `new_store`.

    class TestMyStore(StoreContract):
        @pytest.fixture
        async def new_store(self) -> AsyncIterator[NewStore]:
            ...  # stores over the same, at first empty, place; this test's own
            yield make
            ...  # whatever is left there is removed

`new_store()` makes a store that is not open yet; the suite opens and closes what it makes, never
two over the same place at once. Nothing here knows a backend; oracles are computed by hand.
"""

from __future__ import annotations

import asyncio
import math
import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from kausa.memory.errors import (
    InvalidBackupError,
    InvalidRecordError,
    MemoryError_,
    MemoryUnavailableError,
)
from kausa.memory.filters import (
    EVERYTHING,
    Absent,
    Condition,
    Filter,
    InvalidFilterError,
    OneOf,
    Range,
    TimeRange,
)
from kausa.memory.schema import MOST_PAYLOAD_BYTES, MOST_POINTS
from kausa.memory.store import (
    Candidate,
    Collection,
    HybridQuery,
    Payload,
    Point,
    Schema,
    SparseVector,
    StoredPoint,
    VectorStore,
)

__all__ = [
    "OTHER_SCHEMA",
    "SCHEMA",
    "SECONDS",
    "NewStore",
    "StoreContract",
    "everything",
    "id_of",
    "point",
]

SCHEMA = Schema(model="tiny-8", dimensions=8)
OTHER_SCHEMA = Schema(model="other-6", dimensions=6)
SECONDS = 30.0
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NewStore = Callable[[], VectorStore]


def id_of(number: int) -> str:
    """The id of a numbered point."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def point(number: int, *, schema: Schema = SCHEMA, **payload: Any) -> Point:
    """A numbered point; the number decides its vectors, keywords are its payload."""
    noise = random.Random(number)
    dense = [noise.gauss(0, 1) for _ in range(schema.dimensions)]
    length = math.hypot(*dense)
    words = sorted(noise.sample(range(1, 30), 5))
    return Point(
        id=id_of(number),
        dense=[value / length for value in dense],
        sparse=SparseVector(tuple(words), tuple(noise.uniform(0.5, 2.0) for _ in words)),
        payload=payload or {"cluster": "c", "chunk": number},
    )


async def everything(store: VectorStore, collection: Collection = "failures") -> list[StoredPoint]:
    """All points with all that they have, by walking in small steps."""
    found: list[StoredPoint] = []
    after = None
    for _ in range(1000):
        page = await store.scroll(
            collection,
            where=EVERYTHING,
            limit=7,
            after=after,
            with_vectors=True,
            deadline_seconds=SECONDS,
        )
        found += page.points
        after = page.after
        if after is None:
            return found
    raise AssertionError("the walk has no end")


class StoreContract:
    """Run for a backend by subclassing; see the module."""

    @pytest.fixture
    async def new_store(self) -> AsyncIterator[NewStore]:
        raise NotImplementedError("a backend supplies it")
        yield  # noqa: PT022 - what makes it a generator, as those of the subclasses are

    @pytest.fixture
    async def store(self, new_store: NewStore) -> AsyncIterator[VectorStore]:
        store = new_store()
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        yield store
        await store.close()

    # -- opening ---------------------------------------------------------------------------

    async def test_a_new_store_is_empty_and_opening_it_again_changes_nothing(
        self, store: VectorStore
    ) -> None:
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        assert await everything(store) == []
        assert await everything(store, "runbooks") == []
        health = await store.health(deadline_seconds=SECONDS)
        assert health.schema == SCHEMA
        assert dict(health.points) == {"failures": 0, "runbooks": 0}
        assert health.backend
        assert health.version

    async def test_what_was_written_is_there_after_a_restart(self, new_store: NewStore) -> None:
        first = new_store()
        await first.open(SCHEMA, deadline_seconds=SECONDS)
        await write(first, [point(number) for number in range(20)])
        before = await everything(first)
        await first.close()
        second = new_store()
        await second.open(SCHEMA, deadline_seconds=SECONDS)
        assert await everything(second) == before
        assert len(before) == 20
        await second.close()

    @pytest.mark.parametrize(
        ("wanted", "reason"),
        [
            (Schema(model="tiny-8", dimensions=6), "DimensionMismatch"),
            (Schema(model="other-8", dimensions=8), "ModelMismatch"),
            (OTHER_SCHEMA, "ModelMismatch"),
            (Schema(model="tiny-8", dimensions=8, version=99), "SchemaMismatch"),
        ],
    )
    async def test_vectors_of_something_else_are_refused_and_nothing_is_changed(
        self, new_store: NewStore, wanted: Schema, reason: str
    ) -> None:
        first = new_store()
        await first.open(SCHEMA, deadline_seconds=SECONDS)
        await write(first, [point(1)])
        await first.close()
        second = new_store()
        with pytest.raises(MemoryUnavailableError, match="tiny-8") as refused:
            await second.open(wanted, deadline_seconds=SECONDS)
        assert refused.value.reason == reason
        await second.open(SCHEMA, deadline_seconds=SECONDS)
        assert len(await everything(second)) == 1
        await second.close()

    async def test_an_unopened_and_a_closed_store_say_so(self, new_store: NewStore) -> None:
        store = new_store()
        with pytest.raises(MemoryUnavailableError) as unopened:
            await write(store, [point(1)])
        assert unopened.value.reason == "StoreUnavailable"
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        await store.close()
        await store.close()
        with pytest.raises(MemoryUnavailableError) as closed:
            await count(store)
        assert closed.value.reason == "Closed"

    # -- writing and reading -----------------------------------------------------------------

    async def test_a_point_comes_back_as_it_went(self, store: VectorStore) -> None:
        payload: Payload = {
            "cluster": "c",
            "passage": "naïve 😀 \u0000 line\nline",
            "labels": ["app=web", "tier=front"],
            "none": None,
            "empty": [],
            "big": 2**53 - 1,
            "negative": -7,
            "fraction": 0.1,
            "truth": True,
            "nested": {"a": [{"b": "c"}, 1], "": ""},
        }
        wanted = point(1, **payload)
        await write(store, [wanted])
        (found,) = await store.get(
            "failures", [wanted.id], with_vectors=True, deadline_seconds=SECONDS
        )
        assert found.payload == payload
        assert found.dense == pytest.approx(tuple(wanted.dense), abs=1e-6)
        assert found.sparse is not None
        words = dict(zip(found.sparse.indices, found.sparse.values, strict=True))
        assert words == pytest.approx(
            dict(zip(wanted.sparse.indices, wanted.sparse.values, strict=True)), abs=1e-6
        )

    async def test_writing_twice_is_writing_once_with_the_later_words(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(1, cluster="c", reason="Old", node="n1"), point(2)])
        later = msgspec.structs.replace(point(3, cluster="c", reason="New"), id=id_of(1))
        for _ in range(2):
            await write(store, [later])
        assert await count(store) == 2
        (found,) = await store.get(
            "failures", [id_of(1)], with_vectors=True, deadline_seconds=SECONDS
        )
        assert found.payload == {"cluster": "c", "reason": "New"}
        assert found.dense == pytest.approx(tuple(later.dense), abs=1e-6)
        assert await ids(store, OneOf("reason", ("Old",))) == set()
        named = await store.candidates(
            "failures",
            HybridQuery(where=EVERYTHING, sparse=later.sparse, candidates=1),
            deadline_seconds=SECONDS,
        )
        assert [each.id for each in named] == [id_of(1)]

    async def test_a_point_twice_in_one_call_is_the_later_one(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", reason="A"), point(1, cluster="c", reason="B")])
        assert await ids(store, OneOf("reason", ("B",))) == {id_of(1)}
        assert await count(store) == 1

    async def test_an_id_is_the_same_however_it_is_spelt(self, store: VectorStore) -> None:
        shouted = msgspec.structs.replace(point(1), id=id_of(1).upper())
        plain = msgspec.structs.replace(point(1), id=id_of(1).replace("-", ""))
        await write(store, [shouted])
        await write(store, [plain])
        assert await count(store) == 1
        found = await store.get("failures", [shouted.id], deadline_seconds=SECONDS)
        assert [each.id for each in found] == [id_of(1)]

    async def test_reading_by_id_keeps_the_order_and_leaves_out_what_is_not_there(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(number) for number in range(5)])
        wanted = [id_of(3), id_of(77), id_of(0), id_of(4)]
        found = await store.get("failures", wanted, deadline_seconds=SECONDS)
        assert [each.id for each in found] == [id_of(3), id_of(0), id_of(4)]
        assert all(each.dense is None and each.sparse is None for each in found)
        assert await store.get("failures", [], deadline_seconds=SECONDS) == []

    async def test_a_point_without_words_is_found_by_its_vector_alone(
        self, store: VectorStore
    ) -> None:
        silent = msgspec.structs.replace(point(1), sparse=SparseVector((), ()))
        await write(store, [silent, point(2)])
        found = await search(store, HybridQuery(where=EVERYTHING, dense=vector(1), sparse=words(2)))
        assert found[id_of(1)].sparse is None
        assert found[id_of(1)].dense == pytest.approx(1.0, abs=1e-5)

    async def test_a_batch_of_the_largest_size_fits(self, store: VectorStore) -> None:
        text = "a text as long as a page of a log " * 100
        batch = [point(number, cluster="c", passage=text) for number in range(MOST_POINTS)]
        await write(store, batch)
        assert await count(store) == MOST_POINTS
        found = await store.get(
            "failures", [each.id for each in batch], with_vectors=True, deadline_seconds=SECONDS
        )
        assert len(found) == MOST_POINTS

    async def test_the_two_collections_are_apart(self, store: VectorStore) -> None:
        await write(store, [point(1)])
        await store.upsert("runbooks", [point(1), point(2)], deadline_seconds=SECONDS)
        assert [await count(store), await count(store, "runbooks")] == [1, 2]
        await store.delete("runbooks", where=EVERYTHING, deadline_seconds=SECONDS)
        assert [await count(store), await count(store, "runbooks")] == [1, 0]

    # -- what is refused ---------------------------------------------------------------------

    async def test_a_malformed_point_is_refused_with_all_of_its_batch(
        self, store: VectorStore
    ) -> None:
        for wrong in MALFORMED:
            bad = msgspec.structs.replace(point(2), **wrong)
            with pytest.raises(InvalidRecordError):
                await write(store, [point(1), bad, point(3)])
            assert await count(store) == 0, wrong

    async def test_vectors_of_another_length_are_refused(self, store: VectorStore) -> None:
        short = msgspec.structs.replace(point(2), dense=[1.0] * 7)
        with pytest.raises(MemoryUnavailableError) as refused:
            await write(store, [point(1), short])
        assert refused.value.reason == "DimensionMismatch"
        assert await count(store) == 0
        with pytest.raises(MemoryUnavailableError) as unasked:
            await search(store, HybridQuery(where=EVERYTHING, dense=(1.0,) * 9))
        assert unasked.value.reason == "DimensionMismatch"

    async def test_a_question_that_is_not_finite_is_refused(self, store: VectorStore) -> None:
        with pytest.raises(InvalidRecordError):
            await search(store, HybridQuery(where=EVERYTHING, dense=(math.nan,) * 8))
        with pytest.raises(InvalidRecordError):
            await search(
                store, HybridQuery(where=EVERYTHING, sparse=SparseVector((1,), (math.inf,)))
            )

    async def test_too_many_points_at_once_are_refused(self, store: VectorStore) -> None:
        with pytest.raises(InvalidRecordError, match="500"):
            await write(store, [point(number) for number in range(MOST_POINTS + 1)])
        assert await count(store) == 0

    async def test_a_filter_that_cannot_be_meant_is_an_error_and_never_ignored(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(1)])
        for condition in UNUSABLE_CONDITIONS:
            for where in (Filter(must=(condition,)), Filter(must_not=(condition,))):
                with pytest.raises(InvalidFilterError):
                    await count(store, where=where)
                with pytest.raises(InvalidFilterError):
                    await search(store, HybridQuery(where=where, dense=vector(1)))
                with pytest.raises(InvalidFilterError):
                    await store.scroll("failures", where=where, limit=1, deadline_seconds=SECONDS)
                with pytest.raises(InvalidFilterError):
                    await store.facet(
                        "failures", "reason", where=where, limit=1, deadline_seconds=SECONDS
                    )
                with pytest.raises(InvalidFilterError):
                    await store.delete("failures", where=where, deadline_seconds=SECONDS)
                with pytest.raises(InvalidFilterError):
                    await change(store, {"node": "n"}, expect=where)
        too_many = Filter(must=(OneOf("cluster", ("c",)),) * 33)
        with pytest.raises(InvalidFilterError):
            await count(store, where=too_many)
        assert [each.payload for each in await everything(store)] == [point(1).payload]

    # -- filters -----------------------------------------------------------------------------

    async def test_every_filter_means_what_its_words_say(self, store: VectorStore) -> None:
        payloads = {id_of(number): payload for number, payload in enumerate(PAYLOADS)}
        await write(store, [point(number, **each) for number, each in enumerate(PAYLOADS)])
        for where in (*SINGLE_FILTERS, *combined_filters(120)):
            wanted = {id_ for id_, payload in payloads.items() if matches(payload, where)}
            assert await ids(store, *where.must, without=where.must_not) == wanted, where
            assert await count(store, where=where) == len(wanted), where

    async def test_a_filter_narrows_the_search_before_it_looks(self, store: VectorStore) -> None:
        near = [point(1, cluster="c", namespace="loud", chunk=each) for each in range(40)]
        near = [
            msgspec.structs.replace(each, id=id_of(100 + number))
            for number, each in enumerate(near)
        ]
        far = point(2, cluster="c", namespace="quiet")
        await write(store, [*near, far])
        query = HybridQuery(
            where=Filter(must=(OneOf("namespace", ("quiet",)),)),
            dense=vector(1),
            sparse=words(2),
            candidates=3,
        )
        assert set(await search(store, query)) == {far.id}

    async def test_a_filter_sees_what_was_changed(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", outcome="Open", labels=["a=1"])])
        await change(store, {"outcome": "Resolved", "labels": ["b=2"]})
        assert await ids(store, OneOf("outcome", ("Resolved",))) == {id_of(1)}
        assert await ids(store, OneOf("outcome", ("Open",))) == set()
        assert await ids(store, OneOf("labels", ("b=2",))) == {id_of(1)}
        assert await ids(store, OneOf("labels", ("a=1",))) == set()

    # -- candidates --------------------------------------------------------------------------

    @pytest.mark.parametrize("exact", [False, True])
    async def test_candidates_are_what_brute_force_finds(
        self, store: VectorStore, exact: bool
    ) -> None:
        points = [
            point(number, cluster=("a", "b")[number % 2], chunk=number) for number in range(80)
        ]
        await write(store, points)
        noise = random.Random(7)
        for _ in range(12):
            where = Filter(must=(OneOf("cluster", ("a",)), Range("chunk", noise.randrange(40))))
            query = HybridQuery(
                where=where,
                dense=vector(noise.randrange(1000, 2000)),
                sparse=SparseVector(tuple(noise.sample(range(1, 30), 3)), (1.0, 1.0, 1.0)),
                candidates=noise.choice((1, 5, 10, 50)),
                exact=exact,
            )
            found = await store.candidates("failures", query, deadline_seconds=SECONDS)
            dense, sparse = brute_force(points, query)
            assert {each.id: each.dense for each in found if each.dense is not None} == (
                pytest.approx(dense, abs=1e-4)
            )
            assert {each.id: each.sparse for each in found if each.sparse is not None} == (
                pytest.approx(sparse, abs=1e-3)
            )
            assert {each.id for each in found} == dense.keys() | sparse.keys()
            assert found == sorted(found, key=best_first)
            by_id = {each.id: each.payload for each in points}
            assert all(each.payload == by_id[each.id] for each in found)

    async def test_one_list_may_be_asked_alone_and_none_names_nothing(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(number) for number in range(10)])
        by_vector = await search(store, HybridQuery(where=EVERYTHING, dense=vector(3)))
        assert len(by_vector) == 10
        assert all(each.sparse is None for each in by_vector.values())
        by_words = await search(store, HybridQuery(where=EVERYTHING, sparse=words(3)))
        assert by_words
        assert all(each.dense is None and each.sparse for each in by_words.values())
        assert await search(store, HybridQuery(where=EVERYTHING)) == {}
        silent = SparseVector((), ())
        assert await search(store, HybridQuery(where=EVERYTHING, sparse=silent)) == {}
        unknown = SparseVector((10_000,), (1.0,))
        assert await search(store, HybridQuery(where=EVERYTHING, sparse=unknown)) == {}

    async def test_an_empty_store_names_nothing(self, store: VectorStore) -> None:
        query = HybridQuery(where=EVERYTHING, dense=vector(1), sparse=words(1))
        assert await search(store, query) == {}

    async def test_more_candidates_than_a_search_may_name_are_cut_and_not_refused(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(number) for number in range(300)])
        query = HybridQuery(where=EVERYTHING, dense=vector(1), candidates=100_000)
        found = await search(store, query)
        assert len(found) == 256

    async def test_another_tenants_text_is_never_named(self, store: VectorStore) -> None:
        secret: Payload = {"passage": "the other's secret", "namespace": "shop"}
        await write(
            store,
            [
                *(point(number, cluster="theirs", **secret) for number in range(30)),
                *(
                    msgspec.structs.replace(
                        point(number, cluster="ours", namespace="shop"), id=id_of(100 + number)
                    )
                    for number in range(3)
                ),
            ],
        )
        ours = Filter(must=(OneOf("cluster", ("ours",)), OneOf("namespace", ("shop",))))
        query = HybridQuery(where=ours, dense=vector(1), sparse=words(1))
        found = await search(store, query)
        assert set(found) == {id_of(100), id_of(101), id_of(102)}
        page = await store.scroll("failures", where=ours, limit=100, deadline_seconds=SECONDS)
        assert {each.id for each in page.points} == set(found)
        counted = await store.facet(
            "failures", "cluster", where=ours, limit=9, deadline_seconds=SECONDS
        )
        assert counted == {"ours": 3}

    # -- walking and counting ------------------------------------------------------------------

    async def test_a_walk_sees_every_match_once_in_the_order_of_ids(
        self, store: VectorStore
    ) -> None:
        await write(
            store, [point(number, cluster="c", kind=("a", "b")[number % 2]) for number in range(25)]
        )
        seen: list[str] = []
        after = None
        pages = 0
        while pages < 20:
            page = await store.scroll(
                "failures",
                where=Filter(must=(OneOf("kind", ("a",)),)),
                limit=4,
                after=after,
                deadline_seconds=SECONDS,
            )
            assert len(page.points) <= 4
            assert all(each.dense is None for each in page.points)
            seen += [each.id for each in page.points]
            pages, after = pages + 1, page.after
            if after is None:
                break
        assert seen == sorted(id_of(number) for number in range(0, 25, 2))

    async def test_a_walk_goes_on_where_the_next_point_was_deleted(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(number) for number in range(9)])
        order = sorted(id_of(number) for number in range(9))
        first = await store.scroll("failures", where=EVERYTHING, limit=3, deadline_seconds=SECONDS)
        await store.delete("failures", ids=[order[3]], deadline_seconds=SECONDS)
        rest = await store.scroll(
            "failures", where=EVERYTHING, limit=9, after=first.after, deadline_seconds=SECONDS
        )
        assert [each.id for each in (*first.points, *rest.points)] == order[:3] + order[4:]

    async def test_values_are_counted_most_first(self, store: VectorStore) -> None:
        reasons = ["A"] * 5 + ["B"] * 2 + ["C"] * 3
        await write(
            store,
            [
                point(number, cluster="c", reason=reason, labels=[f"r={reason}", "all=1"])
                for number, reason in enumerate(reasons)
            ]
            + [point(50, cluster="other", reason="A"), point(51, cluster="c")],
        )

        async def facet(field: str, limit: int = 10) -> list[tuple[str, int]]:
            where = Filter(must=(OneOf("cluster", ("c",)),))
            counted = await store.facet(
                "failures", field, where=where, limit=limit, deadline_seconds=SECONDS
            )
            return list(counted.items())

        assert await facet("reason") == [("A", 5), ("C", 3), ("B", 2)]
        assert await facet("reason", limit=1) == [("A", 5)]
        assert await facet("labels") == [("all=1", 10), ("r=A", 5), ("r=C", 3), ("r=B", 2)]
        assert await facet("node") == []
        for field in ("passage", "last_seen", "exit_code"):
            with pytest.raises(InvalidFilterError):
                await facet(field)

    # -- changing payloads ---------------------------------------------------------------------

    async def test_some_keys_are_written_over_and_the_others_stay(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", reason="A", nested={"a": 1}), point(2)])
        assert await change(store, {"reason": "B", "nested": {"b": 2}, "new": [1, "x"]})
        first, second = await store.get(
            "failures", [id_of(1), id_of(2)], with_vectors=True, deadline_seconds=SECONDS
        )
        assert first.payload == {
            "cluster": "c",
            "reason": "B",
            "nested": {"b": 2},
            "new": [1, "x"],
        }
        assert first.dense == pytest.approx(tuple(point(1).dense), abs=1e-6)
        assert second.payload == point(2).payload

    async def test_only_who_expected_what_was_there_changes_it(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", reward_count=1)])
        first = Filter(must=(OneOf("reward_count", (1,)),))
        assert await change(store, {"reward_count": 2, "node": "winner"}, expect=first)
        assert not await change(store, {"reward_count": 2, "node": "loser"}, expect=first)
        (found,) = await store.get("failures", [id_of(1)], deadline_seconds=SECONDS)
        assert found.payload == {"cluster": "c", "reward_count": 2, "node": "winner"}
        absent = Filter(must=(Absent("outcome"),))
        assert await change(store, {"outcome": "Open"}, expect=absent)
        assert not await change(store, {"outcome": "Resolved"}, expect=absent)

    async def test_repeating_a_change_that_was_made_is_a_success(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", reward_count=1)])
        first = Filter(must=(OneOf("reward_count", (1,)),))
        for _ in range(2):
            assert await change(store, {"reward_count": 2}, expect=first)

    async def test_all_points_must_have_changed(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", chunk=0), point(2, cluster="c", chunk=1)])
        both = [id_of(1), id_of(2)]
        only_one = Filter(must=(OneOf("chunk", (0,)),))
        assert not await change(store, {"outcome": "Resolved"}, ids_=both, expect=only_one)
        assert await ids(store, OneOf("outcome", ("Resolved",))) == {id_of(1)}
        assert await change(store, {"outcome": "Resolved"}, ids_=both)
        assert not await change(store, {"outcome": "Open"}, ids_=[id_of(1), id_of(9)])
        assert await count(store) == 2

    async def test_racing_changes_lose_nothing(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", reward_count=0, by="")])

        async def add(name: str) -> None:
            for _ in range(200):
                (found,) = await store.get("failures", [id_of(1)], deadline_seconds=SECONDS)
                seen = found.payload["reward_count"]
                values = {"reward_count": seen + 1, "by": name}
                if await change(
                    store, values, expect=Filter(must=(OneOf("reward_count", (seen,)),))
                ):
                    return
            raise AssertionError("never won")

        await asyncio.gather(*(add(f"writer {number}") for number in range(8)))
        (found,) = await store.get("failures", [id_of(1)], deadline_seconds=SECONDS)
        assert found.payload["reward_count"] == 8

    # -- deleting ------------------------------------------------------------------------------

    async def test_deleted_points_are_gone_from_everything(self, store: VectorStore) -> None:
        await write(
            store, [point(number, cluster="c", kind=str(number % 3)) for number in range(12)]
        )
        await store.delete("failures", ids=[id_of(0), id_of(99)], deadline_seconds=SECONDS)
        assert await count(store) == 11
        await store.delete(
            "failures", where=Filter(must=(OneOf("kind", ("1",)),)), deadline_seconds=SECONDS
        )
        assert await count(store) == 7
        await store.delete(
            "failures",
            ids=[id_of(3)],
            where=Filter(must=(OneOf("kind", ("2",)),)),
            deadline_seconds=SECONDS,
        )
        left = {id_of(6), id_of(9)}
        assert await ids(store) == left
        query = HybridQuery(where=EVERYTHING, dense=vector(0), sparse=words(0))
        assert set(await search(store, query)) == left
        assert await store.get("failures", [id_of(0)], deadline_seconds=SECONDS) == []
        await store.delete("failures", deadline_seconds=SECONDS)
        assert await ids(store) == left
        await store.delete("failures", where=EVERYTHING, deadline_seconds=SECONDS)
        assert await count(store) == 0

    # -- generations -----------------------------------------------------------------------------

    async def test_a_generation_is_filled_beside_the_active_one_and_then_switched_to(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(1), point(2)])
        beside = await store.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await write(beside, [point(number, schema=OTHER_SCHEMA) for number in (1, 2, 3)])
        assert [await count(store), await count(beside)] == [2, 3]
        listed = {each.schema: each for each in await store.generations(deadline_seconds=SECONDS)}
        assert {schema: each.active for schema, each in listed.items()} == {
            SCHEMA: True,
            OTHER_SCHEMA: False,
        }
        assert dict(listed[SCHEMA].points) == {"failures": 2, "runbooks": 0}
        assert dict(listed[OTHER_SCHEMA].points) == {"failures": 3, "runbooks": 0}
        with pytest.raises(MemoryError_):
            await store.drop(SCHEMA, deadline_seconds=SECONDS)

        await store.activate(OTHER_SCHEMA, deadline_seconds=SECONDS)
        assert await count(store) == 3
        await write(store, [point(4, schema=OTHER_SCHEMA)])
        assert await count(store) == 4
        with pytest.raises(MemoryUnavailableError) as refused:
            await write(store, [point(5)])
        assert refused.value.reason == "DimensionMismatch"
        health = await store.health(deadline_seconds=SECONDS)
        assert health.schema == OTHER_SCHEMA
        assert health.points["failures"] == 4

        await store.drop(SCHEMA, deadline_seconds=SECONDS)
        await store.drop(SCHEMA, deadline_seconds=SECONDS)
        assert [each.schema for each in await store.generations(deadline_seconds=SECONDS)] == [
            OTHER_SCHEMA
        ]
        await beside.close()
        assert await count(store) == 4

    async def test_a_half_filled_generation_is_found_again(self, new_store: NewStore) -> None:
        first = new_store()
        await first.open(SCHEMA, deadline_seconds=SECONDS)
        beside = await first.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await write(beside, [point(1, schema=OTHER_SCHEMA)])
        await beside.close()
        await first.close()
        second = new_store()
        assert len(await second.generations(deadline_seconds=SECONDS)) == 2
        again = await second.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
        assert await count(again) == 1
        await again.close()
        await second.open(SCHEMA, deadline_seconds=SECONDS)
        assert await count(second) == 0
        await second.close()

    async def test_a_switch_outlives_a_restart(self, new_store: NewStore) -> None:
        first = new_store()
        await first.open(SCHEMA, deadline_seconds=SECONDS)
        beside = await first.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await beside.upsert("runbooks", [point(1, schema=OTHER_SCHEMA)], deadline_seconds=SECONDS)
        await first.activate(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await beside.close()
        await first.close()
        second = new_store()
        with pytest.raises(MemoryUnavailableError) as refused:
            await second.open(SCHEMA, deadline_seconds=SECONDS)
        assert refused.value.reason == "ModelMismatch"
        await second.open(OTHER_SCHEMA, deadline_seconds=SECONDS)
        assert await count(second, "runbooks") == 1
        await second.close()

    async def test_switching_to_what_is_not_there_is_refused(self, store: VectorStore) -> None:
        with pytest.raises(MemoryError_):
            await store.activate(OTHER_SCHEMA, deadline_seconds=SECONDS)
        assert await count(store) == 0
        await store.drop(OTHER_SCHEMA, deadline_seconds=SECONDS)

    # -- backup and restore ----------------------------------------------------------------------

    async def test_a_backup_brings_back_exactly_what_was_there(
        self, store: VectorStore, tmp_path: Path
    ) -> None:
        await write(store, [point(number) for number in range(30)])
        await store.upsert("runbooks", [point(77)], deadline_seconds=SECONDS)
        before = [await everything(store), await everything(store, "runbooks")]
        await store.backup(tmp_path / "backup", deadline_seconds=SECONDS)

        await store.delete("failures", ids=[id_of(3)], deadline_seconds=SECONDS)
        await store.delete("runbooks", where=EVERYTHING, deadline_seconds=SECONDS)
        await write(store, [point(1, cluster="c", reason="Changed"), point(50)])
        await store.restore(tmp_path / "backup", deadline_seconds=SECONDS)

        assert [await everything(store), await everything(store, "runbooks")] == before
        assert await ids(store, OneOf("reason", ("Changed",))) == set()
        query = HybridQuery(where=EVERYTHING, dense=vector(3), candidates=1)
        assert set(await search(store, query)) == {id_of(3)}
        await write(store, [point(60)])
        assert await count(store) == 31
        assert len(await store.generations(deadline_seconds=SECONDS)) == 1

    async def test_a_backup_goes_into_a_store_that_is_empty_or_of_another_model(
        self, new_store: NewStore, tmp_path: Path
    ) -> None:
        first = new_store()
        await first.open(SCHEMA, deadline_seconds=SECONDS)
        await write(first, [point(number) for number in range(5)])
        await first.backup(tmp_path / "backup", deadline_seconds=SECONDS)
        await first.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await first.activate(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await first.drop(SCHEMA, deadline_seconds=SECONDS)
        await first.close()
        second = new_store()
        await second.restore(tmp_path / "backup", deadline_seconds=SECONDS)
        await second.open(SCHEMA, deadline_seconds=SECONDS)
        assert await ids(second) == {id_of(number) for number in range(5)}
        await second.close()

    async def test_what_is_no_backup_touches_nothing(
        self, store: VectorStore, tmp_path: Path
    ) -> None:
        await write(store, [point(1)])
        (tmp_path / "empty").mkdir()
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "backup.json").write_text("{}")
        for source in ("empty", "other", "absent"):
            with pytest.raises(InvalidBackupError):
                await store.restore(tmp_path / source, deadline_seconds=SECONDS)
        assert await ids(store) == {id_of(1)}

    async def test_a_damaged_backup_touches_nothing(
        self, store: VectorStore, tmp_path: Path
    ) -> None:
        await write(store, [point(number) for number in range(30)])
        target = tmp_path / "backup"
        await store.backup(target, deadline_seconds=SECONDS)
        largest = max(
            (path for path in target.rglob("*") if path.is_file()),
            key=lambda path: path.stat().st_blocks,
        )
        content = largest.read_bytes()
        largest.write_bytes(content[: len(content) // 2])
        await write(store, [point(50)])
        with pytest.raises(InvalidBackupError):
            await store.restore(target, deadline_seconds=SECONDS)
        assert await count(store) == 31

    async def test_a_backup_is_not_written_over_something_else(
        self, store: VectorStore, tmp_path: Path
    ) -> None:
        target = tmp_path / "taken"
        target.mkdir()
        (target / "precious").write_text("x")
        with pytest.raises(InvalidBackupError):
            await store.backup(target, deadline_seconds=SECONDS)
        assert names_in(target) == ["precious"]

    # -- everything at once ------------------------------------------------------------------------

    async def test_calls_at_the_same_time_are_all_answered(self, store: VectorStore) -> None:
        async def one(number: int) -> bool:
            await write(store, [point(number)])
            query = HybridQuery(where=EVERYTHING, dense=vector(number), candidates=1)
            found = await search(store, query)
            await store.flush(deadline_seconds=SECONDS)
            return set(found) == {id_of(number)}

        assert all(await asyncio.gather(*(one(number) for number in range(24))))
        assert await count(store) == 24


# -- what the tests above say shortly ------------------------------------------------------------


async def write(store: VectorStore, points: list[Point]) -> None:
    await store.upsert("failures", points, deadline_seconds=SECONDS)


async def count(
    store: VectorStore, collection: Collection = "failures", *, where: Filter = EVERYTHING
) -> int:
    return await store.count(collection, where=where, deadline_seconds=SECONDS)


async def ids(
    store: VectorStore, *must: Condition, without: tuple[Condition, ...] = ()
) -> set[str]:
    page = await store.scroll(
        "failures",
        where=Filter(must=must, must_not=without),
        limit=500,
        deadline_seconds=SECONDS,
    )
    assert page.after is None
    return {each.id for each in page.points}


async def search(store: VectorStore, query: HybridQuery) -> dict[str, Candidate]:
    found = await store.candidates("failures", query, deadline_seconds=SECONDS)
    assert len({each.id for each in found}) == len(found)
    return {each.id: each for each in found}


async def change(
    store: VectorStore,
    values: Payload,
    *,
    ids_: list[str] | None = None,
    expect: Filter | None = None,
) -> bool:
    return await store.set_payload(
        "failures", ids_ or [id_of(1)], values, expect=expect, deadline_seconds=SECONDS
    )


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def vector(number: int) -> tuple[float, ...]:
    return tuple(point(number).dense)


def words(number: int) -> SparseVector:
    found = point(number).sparse
    return SparseVector(found.indices, (1.0,) * len(found.indices))


def best_first(candidate: Candidate) -> tuple[float, float, str]:
    dense = 2.0 if candidate.dense is None else -candidate.dense
    return (dense, -(candidate.sparse or 0.0), candidate.id)


# -- what is refused ---------------------------------------------------------------------------

MALFORMED: tuple[dict[str, Any], ...] = (
    {"dense": [math.nan] + [0.0] * 7},
    {"dense": [math.inf] + [0.0] * 7},
    {"dense": [1e39] + [0.0] * 7},
    {"sparse": SparseVector((1, 2), (1.0, math.nan))},
    {"sparse": SparseVector((1, 1), (1.0, 1.0))},
    {"sparse": SparseVector((1, 2), (1.0,))},
    {"sparse": SparseVector((2**32,), (1.0,))},
    {"sparse": SparseVector((-1,), (1.0,))},
    {"id": "checkout"},
    {"id": ""},
    {"payload": {"passage": "x" * MOST_PAYLOAD_BYTES}},
    {"payload": {"moment": NOON}},
    {"payload": {"number": math.nan}},
    {"payload": {"bytes": b"x"}},
    {"payload": {"whole": 2**70}},
    {"payload": {1: "x"}},
)
UNUSABLE_CONDITIONS: tuple[Condition, ...] = (
    OneOf("passage", ("x",)),
    OneOf("cluster", (1,)),
    OneOf("exit_code", ("1",)),
    OneOf("exit_code", (True,)),
    OneOf("exit_code", (2**63,)),
    OneOf("cluster", (cast("str", None),)),
    OneOf("cluster", tuple(str(each) for each in range(300))),
    Range("cluster", 1, 2),
    Range("exit_code"),
    Range("exit_code", math.nan),
    TimeRange("last_seen"),
    TimeRange("last_seen", after=datetime(2026, 3, 1)),
    TimeRange("exit_code", after=NOON),
    Absent("passage"),
    cast("Condition", object()),
    cast("Condition", Filter()),
)

# -- oracles -----------------------------------------------------------------------------------

PAYLOADS: tuple[Payload, ...] = (
    {
        "cluster": "a",
        "namespace": "shop",
        "labels": ["app=web", "tier=front"],
        "exit_code": 137,
        "last_seen": "2026-03-01T12:00:00Z",
    },
    {
        "cluster": "a",
        "namespace": "shop",
        "labels": ["app=web"],
        "exit_code": 1,
        "last_seen": "2026-03-01T12:00:00.500000Z",
    },
    {"cluster": "a", "namespace": "eu", "labels": [], "exit_code": 0},
    {"cluster": "b", "namespace": "shop", "exit_code": None, "last_seen": "2026-03-01T11:59:59Z"},
    {
        "cluster": "b",
        "namespace": "",
        "labels": ["app=Web"],
        "exit_code": -1,
        "last_seen": "2026-03-02T00:00:00+00:00",
    },
    {"cluster": "b", "namespace": "shop prod", "last_seen": "2026-02-28T23:59:59Z"},
    {"namespace": "shop", "labels": ["tier=front", "tier=front"], "exit_code": 137},
    {"cluster": "ä", "labels": ["x=" + "y" * 300], "exit_code": 2**40},
)
_EAST = timezone(timedelta(hours=9))
_HALF = NOON + timedelta(milliseconds=500)
CONDITIONS: tuple[Condition, ...] = (
    OneOf("cluster", ("a",)),
    OneOf("cluster", ("a", "b")),
    OneOf("cluster", ("ä",)),
    OneOf("cluster", ("A",)),
    OneOf("cluster", ()),
    OneOf("namespace", ("shop",)),
    OneOf("namespace", ("",)),
    OneOf("namespace", ("shop prod", "eu")),
    OneOf("labels", ("app=web",)),
    OneOf("labels", ("tier=front", "app=Web")),
    OneOf("exit_code", (137,)),
    OneOf("exit_code", (0, -1, 2**40)),
    OneOf("exit_code", ()),
    Range("exit_code", 0, 137),
    Range("exit_code", 1),
    Range("exit_code", None, 0),
    Range("exit_code", 136.5, 137.5),
    Range("exit_code", 5, 4),
    TimeRange("last_seen", after=NOON),
    TimeRange("last_seen", before=NOON),
    TimeRange("last_seen", after=NOON.astimezone(_EAST), before=_HALF.astimezone(_EAST)),
    TimeRange("last_seen", after=_HALF),
    TimeRange("last_seen", after=NOON, before=datetime(2026, 3, 2, tzinfo=UTC)),
    TimeRange("last_seen", before=datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=1)))),
    TimeRange("last_seen", after=NOON, before=NOON),
    Absent("labels"),
    Absent("exit_code"),
    Absent("last_seen"),
    Absent("cluster"),
    Absent("node"),
)
SINGLE_FILTERS = (
    EVERYTHING,
    *(Filter(must=(each,)) for each in CONDITIONS),
    *(Filter(must_not=(each,)) for each in CONDITIONS),
)


def combined_filters(number: int) -> Iterable[Filter]:
    """Conditions in chance company, always the same."""
    noise = random.Random(3)
    for _ in range(number):
        must = tuple(noise.sample(CONDITIONS, noise.randrange(4)))
        yield Filter(must=must, must_not=tuple(noise.sample(CONDITIONS, noise.randrange(3))))


def matches(payload: Payload, where: Filter) -> bool:
    """What a filter means, in a few lines."""
    return all(_holds(payload, each) for each in where.must) and not any(
        _holds(payload, each) for each in where.must_not
    )


def _holds(payload: Payload, condition: Condition) -> bool:
    value = payload.get(condition.field)
    values = value if isinstance(value, list) else [] if value is None else [value]
    match condition:
        case OneOf():
            return any(each in condition.values for each in values)
        case Range(least=least, most=most):
            return any(
                (least is None or each >= least) and (most is None or each <= most)
                for each in values
            )
        case TimeRange(after=after, before=before):
            moments = [datetime.fromisoformat(each) for each in values]
            return any(
                (after is None or each >= after) and (before is None or each < before)
                for each in moments
            )
        case Absent():
            return not values


def brute_force(
    points: list[Point], query: HybridQuery
) -> tuple[dict[str, float], dict[str, float]]:
    """Both lists of a hybrid query: cosine, and BM25 with the IDF of all points."""
    chosen = [each for each in points if matches(each.payload, query.where)]
    assert query.dense is not None
    assert query.sparse is not None
    dense = {
        each.id: sum(a * b for a, b in zip(each.dense, query.dense, strict=True)) for each in chosen
    }
    weights: dict[int, float] = {}
    for index, value in zip(query.sparse.indices, query.sparse.values, strict=True):
        having = sum(index in each.sparse.indices for each in points)
        weights[index] = value * math.log((len(points) - having + 0.5) / (having + 0.5) + 1)
    sparse = {
        each.id: sum(
            weights.get(index, 0.0) * value
            for index, value in zip(each.sparse.indices, each.sparse.values, strict=True)
        )
        for each in chosen
    }
    sparse = {id_: score for id_, score in sparse.items() if score > 0}
    return _best(dense, query.candidates), _best(sparse, query.candidates)


def _best(scores: dict[str, float], number: int) -> dict[str, float]:
    return dict(sorted(scores.items(), key=lambda item: -item[1])[:number])
