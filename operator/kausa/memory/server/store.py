"""`ServerStore`: the memory in a Qdrant server; calls are checked, translated and asked here."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from qdrant_client import AsyncQdrantClient, models

from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.filters import Filter
from kausa.memory.schema import (
    DENSE,
    MOST_CHANGED_AT_ONCE,
    MOST_FACETS,
    MOST_PER_PAGE,
    MOST_POINTS,
    SPARSE,
    canonical_id,
    canonical_ids,
    check_facet,
    check_filter,
    check_point,
    packed_payload,
    within,
)
from kausa.memory.server.backups import Backups, Packing, PackingKind
from kausa.memory.server.binding import Binding
from kausa.memory.server.calls import Calls, Deadline
from kausa.memory.server.catalog import Catalog, Place
from kausa.memory.server.filtering import matches_nothing, translated
from kausa.memory.server.passages import merged, stored
from kausa.memory.server.searching import requests_of
from kausa.memory.server.settings import ServerSettings
from kausa.memory.server.swapping import compare_and_set, set_values
from kausa.memory.server.upserting import Upserter
from kausa.memory.store import (
    Candidate,
    Collection,
    Generation,
    Health,
    HybridQuery,
    Page,
    Payload,
    Point,
    Schema,
    StoredPoint,
)

__all__ = ["ServerStore"]

T = TypeVar("T")


class ServerStore:
    """A `VectorStore` over a client of Qdrant; `connecting.connect` makes one from settings."""

    def __init__(
        self,
        *,
        client: AsyncQdrantClient,
        settings: ServerSettings,
        calls: Calls,
        packings: Mapping[PackingKind, Packing],
        let_go: Callable[[], Awaitable[None]] | None = None,
        place: Place | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._calls = calls
        self._packings = packings
        self._let_go = let_go
        self._catalog = Catalog(client=client, calls=calls, settings=settings)
        self._binding = Binding(catalog=self._catalog, calls=calls, place=place)
        self._upsert = Upserter(client=client, binding=self._binding)
        self._closed = False

    async def open(self, schema: Schema, *, deadline_seconds: float) -> None:
        """Find the generation in use; an empty server gets one of this schema.

        Raises `MemoryUnavailableError`.
        """
        await self._binding.open(schema, self._deadline(deadline_seconds))

    async def upsert(
        self, collection: Collection, points: Sequence[Point], *, deadline_seconds: float
    ) -> None:
        """Write points; once it returns, every replica that must has them in its log."""
        deadline = self._deadline(deadline_seconds)
        dimensions = self._binding.bound.schema.dimensions
        if len(points) > MOST_POINTS:
            raise InvalidRecordError(f"{len(points)} points at once, at most {MOST_POINTS}")
        for point in points:
            check_point(point, dimensions=dimensions)
        each_once = list({canonical_id(each.id): each for each in points}.values())
        await self._upsert(collection, each_once, deadline=deadline)

    async def candidates(
        self, collection: Collection, query: HybridQuery, *, deadline_seconds: float
    ) -> list[Candidate]:
        """Both lists in one request, each filtered before it searches."""
        deadline = self._deadline(deadline_seconds)
        where = translated(query.where)
        requests = requests_of(
            query,
            where=where,
            dimensions=self._binding.bound.schema.dimensions,
            tuning=self._settings.tuning,
        )
        if not requests or matches_nothing(query.where):
            return []
        answers = await self._binding.ask(
            collection,
            lambda name: self._client.query_batch_points(
                name, list(requests.values()), timeout=deadline.on_server
            ),
            doing="searching",
            deadline=deadline,
        )
        hits = {kind: answer.points for kind, answer in zip(requests, answers, strict=True)}
        return merged(hits.get(DENSE, []), hits.get(SPARSE, []))

    async def get(
        self,
        collection: Collection,
        ids: Sequence[str],
        *,
        with_vectors: bool = False,
        deadline_seconds: float,
    ) -> list[StoredPoint]:
        """The points that exist, in the order of the ids."""
        deadline = self._deadline(deadline_seconds)
        wanted = canonical_ids(ids, most=MOST_POINTS)
        if not wanted:
            return []
        records = await self._binding.ask(
            collection,
            lambda name: self._client.retrieve(
                name,
                wanted,
                with_payload=True,
                with_vectors=with_vectors,
                timeout=deadline.on_server,
            ),
            doing="reading points",
            deadline=deadline,
        )
        found = {str(record.id): record for record in records}
        return [stored(found[each]) for each in dict.fromkeys(wanted) if each in found]

    async def scroll(
        self,
        collection: Collection,
        *,
        where: Filter,
        limit: int,
        after: str | None = None,
        with_vectors: bool = False,
        deadline_seconds: float,
    ) -> Page:
        """A page in the order of ids; a write meanwhile moves none of the others."""
        deadline = self._deadline(deadline_seconds)
        condition = translated(where)
        if matches_nothing(where):
            return Page([], None)
        records, following = await self._binding.ask(
            collection,
            lambda name: self._client.scroll(
                name,
                scroll_filter=condition,
                limit=within(limit, MOST_PER_PAGE),
                offset=canonical_id(after) if after is not None else None,
                with_payload=True,
                with_vectors=with_vectors,
                timeout=deadline.on_server,
            ),
            doing="reading a page",
            deadline=deadline,
        )
        return Page(
            [stored(record) for record in records],
            str(following) if following is not None else None,
        )

    async def count(self, collection: Collection, *, where: Filter, deadline_seconds: float) -> int:
        """How many points match, exactly."""
        deadline = self._deadline(deadline_seconds)
        condition = translated(where)
        if matches_nothing(where):
            return 0
        found = await self._binding.ask(
            collection,
            lambda name: self._client.count(
                name, count_filter=condition, exact=True, timeout=deadline.on_server
            ),
            doing="counting",
            deadline=deadline,
        )
        return found.count

    async def facet(
        self,
        collection: Collection,
        field: str,
        *,
        where: Filter,
        limit: int,
        deadline_seconds: float,
    ) -> dict[str, int]:
        """How many of the matching points have each value, most first, then by the alphabet."""
        deadline = self._deadline(deadline_seconds)
        check_facet(field)
        condition = translated(where)
        if matches_nothing(where):
            return {}
        found = await self._binding.ask(
            collection,
            lambda name: self._client.facet(
                name,
                field,
                facet_filter=condition,
                limit=within(limit, MOST_FACETS),
                exact=True,
                timeout=deadline.on_server,
            ),
            doing=f"counting values of {field}",
            deadline=deadline,
        )
        hits = sorted(found.hits, key=lambda hit: (-hit.count, str(hit.value)))
        return {str(hit.value): hit.count for hit in hits if hit.count}

    async def set_payload(
        self,
        collection: Collection,
        ids: Sequence[str],
        values: Payload,
        *,
        expect: Filter | None = None,
        deadline_seconds: float,
    ) -> bool:
        """Write over some keys, of points that are there and that `expect` still matches."""
        deadline = self._deadline(deadline_seconds)
        wanted = canonical_ids(ids, most=MOST_CHANGED_AT_ONCE)
        packed_payload(values)
        if expect is not None:
            check_filter(expect)
        if not wanted:
            return True
        # Made once for all repetitions: they are the same change.
        mark = secrets.token_hex(8)

        async def change(name: str) -> bool:
            timeout = deadline.on_server
            if expect is None:
                return await set_values(self._client, name, wanted, values, timeout=timeout)
            return await compare_and_set(
                self._client, name, wanted, values, expect=expect, mark=mark, timeout=timeout
            )

        return await self._binding.ask(
            collection, change, doing="changing payloads", deadline=deadline, writes=True
        )

    async def delete(
        self,
        collection: Collection,
        *,
        ids: Sequence[str] = (),
        where: Filter | None = None,
        deadline_seconds: float,
    ) -> None:
        """Forget these ids, and all that the filter matches."""
        deadline = self._deadline(deadline_seconds)
        gone: list[models.PointIdsList | models.FilterSelector] = []
        named = canonical_ids(ids, most=MOST_CHANGED_AT_ONCE)
        if named:
            gone.append(models.PointIdsList(points=list(named)))
        if where is not None:
            condition = translated(where) or models.Filter()
            if not matches_nothing(where):
                gone.append(models.FilterSelector(filter=condition))
        for which in gone:
            await self._binding.ask(
                collection,
                lambda name, which=which: self._client.delete(name, which, wait=True),  # type: ignore[misc]
                doing="deleting points",
                deadline=deadline,
                writes=True,
            )

    async def generations(self, *, deadline_seconds: float) -> list[Generation]:
        """Every generation that is there, the one in use first."""
        deadline = self._deadline(deadline_seconds)
        active = await self._catalog.active(deadline)
        return [
            Generation(
                place.schema,
                active is not None and place.schema == active.schema,
                await self._catalog.points(place, deadline),
                place.predecessors,
            )
            for place in await self._catalog.places(deadline)
        ]

    async def make(self, schema: Schema, *, deadline_seconds: float) -> ServerStore:
        """A generation beside the active one, as a store of its own."""
        place = await self._binding.beside(schema, self._deadline(deadline_seconds))
        return ServerStore(
            client=self._client,
            settings=self._settings,
            calls=self._calls,
            packings=self._packings,
            place=place,
        )

    async def activate(self, schema: Schema, *, deadline_seconds: float) -> None:
        """Let both aliases lead to this generation, in one call; this store goes with them."""
        await self._binding.activate(schema, self._deadline(deadline_seconds))

    async def drop(self, schema: Schema, *, deadline_seconds: float) -> None:
        """Delete a generation that is not active."""
        await self._binding.drop(schema, self._deadline(deadline_seconds))

    async def backup(self, target: Path, *, deadline_seconds: float) -> None:
        """Write the generation in use into a folder."""
        deadline = self._deadline(deadline_seconds)
        place = await self._binding.current(deadline)
        if place is None:
            raise MemoryUnavailableError(
                f"{self._calls.at} holds no memory yet: there is nothing to back up",
                reason="StoreUnavailable",
            )
        await self._backups.write(place, target, deadline=deadline)

    async def restore(self, source: Path, *, deadline_seconds: float) -> None:
        """Bring a backup into collections of its own, count, and only then switch to them."""
        deadline = self._deadline(deadline_seconds)
        await self._catalog.version(deadline)
        bound = self._binding.place
        expected = bound.schema if bound is not None else None
        place = await self._backups.read(source, expected=expected, deadline=deadline)
        if self._binding.follows and bound is not None:
            self._binding.place = place

    async def health(self, *, deadline_seconds: float) -> Health:
        """Whether it answers, and what it holds."""
        deadline = self._deadline(deadline_seconds)
        version = await self._catalog.version(deadline)
        place = await self._binding.current(deadline)
        return Health(
            backend="server",
            version=str(version),
            schema=place.schema if place is not None else None,
            points=await self._catalog.points(place, deadline) if place is not None else {},
        )

    async def flush(self, *, deadline_seconds: float) -> None:
        """Ask whether it is there: a server has every confirmed write in its log, and brings
        that to disk by itself every few seconds. Against the loss of a node it has replicas.
        """
        deadline = self._deadline(deadline_seconds)
        await self._calls(self._client.info, doing="asking for its version", deadline=deadline)

    async def close(self) -> None:
        """Let go of the connections. Closing twice is closing once."""
        if self._closed:
            return
        self._closed = True
        if self._let_go is not None:
            await self._let_go()

    async def erase(self, *, deadline_seconds: float) -> None:
        """Delete all that this prefix has in the server: for scratch memories and tests."""
        await self._catalog.erase(self._deadline(deadline_seconds))
        if self._binding.follows:
            self._binding.place = None

    async def every_name(self, *, deadline_seconds: float) -> list[str]:
        """Every collection of the server that we may see: to find scratch that was left behind."""
        return await self._catalog.every_name(self._deadline(deadline_seconds))

    @property
    def _backups(self) -> Backups:
        return Backups(
            catalog=self._catalog, packings=self._packings, write_as=self._settings.backups
        )

    def _deadline(self, seconds: float) -> Deadline:
        if self._closed:
            raise MemoryUnavailableError("the memory was closed", reason="Closed")
        return Deadline(seconds)
