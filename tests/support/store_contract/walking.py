"""Walking over a collection, and counting values."""

from __future__ import annotations

import pytest
from support.store_contract.fixtures import Fixtures
from support.store_contract.shorthand import SECONDS, id_of, point, write

from kausa.memory.filters import EVERYTHING, Filter, InvalidFilterError, OneOf
from kausa.memory.store import VectorStore

__all__ = ["Walking"]


class Walking(Fixtures):
    """Part of `StoreContract`."""

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
