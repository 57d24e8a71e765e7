"""Which generation a store reads and writes, and how it finds its collections again.

A store is bound to the collections of one generation, found through the aliases when it is opened.
So after a switch nobody writes vectors of the old model among those of the new one: who was open
goes on with the old generation until it is dropped, is told then that the model is another, and
what it wrote meanwhile is brought back from the resources. Where a backup was put in place of the
same generation, it is found again without a word.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from kausa.memory.errors import MemoryUnavailableError, UnavailableReason
from kausa.memory.server.calls import Calls, Deadline
from kausa.memory.server.catalog import Catalog, Place
from kausa.memory.server.refusals import NotThereError
from kausa.memory.store import COLLECTIONS, Collection, Schema

__all__ = ["Binding"]

T = TypeVar("T")


class Binding:
    """One store's; `place` None is bound when it is opened, and follows the aliases."""

    def __init__(self, *, catalog: Catalog, calls: Calls, place: Place | None) -> None:
        self._catalog = catalog
        self._calls = calls
        self.place = place
        """None before it is opened."""
        self.follows = place is None
        """False for a generation beside the active one, which never becomes another."""

    @property
    def bound(self) -> Place:
        """Raises `MemoryUnavailableError` before it is opened."""
        if self.place is None:
            raise MemoryUnavailableError("the memory was not opened yet", reason="StoreUnavailable")
        return self.place

    async def open(self, schema: Schema, deadline: Deadline) -> None:
        """Find the generation in use; an empty server gets one of this schema."""
        await self._catalog.version(deadline)
        if not self.follows:
            self._match(self.bound, wanted=schema)
            return
        active = await self._catalog.active(deadline)
        if active is not None:
            self._match(active, wanted=schema)
        names = {each: self._catalog.names.of(each, schema) for each in COLLECTIONS}
        place = Place(schema, {**names, **(active.names if active is not None else {})})
        await self._catalog.make(place, points=0, deadline=deadline)
        await self._catalog.switch(place, deadline)
        self.place = place

    async def activate(self, schema: Schema, deadline: Deadline) -> None:
        """Let both aliases lead to this generation, and go with them."""
        place = await self._there(schema, deadline)
        if place is None:
            raise MemoryUnavailableError(
                f"{self._calls.at} has no vectors of {schema.model} ({schema.dimensions} "
                "dimensions) to switch to: make and fill them first (kausa memory migrate)",
                reason="SchemaMismatch",
            )
        active = await self._catalog.active(deadline)
        if active is not None and active.schema != schema:
            await self._catalog.succeed(place, to=active, deadline=deadline)
        await self._catalog.switch(place, deadline)
        if self.follows:
            self.place = place

    async def drop(self, schema: Schema, deadline: Deadline) -> None:
        """Delete a generation that is not active, and what a killed restore left of it."""
        active = await self._catalog.active(deadline)
        if active is not None and active.schema == schema:
            raise MemoryUnavailableError(
                f"the vectors of {schema.model} are in use: switch to others before they are "
                "dropped",
                reason="SchemaMismatch",
            )
        await self._catalog.remove(await self._catalog.leftovers(schema, deadline), deadline)

    async def beside(self, schema: Schema, deadline: Deadline) -> Place:
        """A generation that is whole, made or found as it was left."""
        await self._catalog.version(deadline)
        names = {each: self._catalog.names.of(each, schema) for each in COLLECTIONS}
        place = await self._there(schema, deadline) or Place(schema, names)
        await self._catalog.make(place, points=0, deadline=deadline)
        return place

    async def current(self, deadline: Deadline) -> Place | None:
        """Where it is bound, or would be; None in an empty server."""
        return self.place or await self._catalog.active(deadline)

    async def ask(
        self,
        collection: Collection,
        request: Callable[[str], Awaitable[T]],
        *,
        doing: str,
        deadline: Deadline,
        writes: bool = False,
    ) -> T:
        """Ask the collection of this generation, and find it again where it was replaced."""
        lost = self.bound

        async def ask() -> T:
            return await request(self.bound.names[collection])

        try:
            return await self._calls(ask, doing=doing, deadline=deadline, writes=writes)
        except NotThereError:
            await self._find_again(lost, deadline)
        return await self._calls(ask, doing=doing, deadline=deadline, writes=writes)

    async def _there(self, schema: Schema, deadline: Deadline) -> Place | None:
        for place in await self._catalog.places(deadline):
            if place.schema == schema and set(place.names) == set(COLLECTIONS):
                return place
        return None

    async def _find_again(self, lost: Place, deadline: Deadline) -> None:
        active = await self._catalog.active(deadline) if self.follows else None
        if active is None:
            raise MemoryUnavailableError(
                f"{self._calls.at}: the collections of the memory were deleted. Start the operator "
                "again, or run `kausa memory sync --rebuild`: what the cluster still knows is read "
                "again",
                reason="StoreCorrupt",
            )
        self._match(active, wanted=lost.schema)
        self.place = active

    def _match(self, place: Place, *, wanted: Schema) -> None:
        found = place.schema
        if found == wanted:
            return
        reason: UnavailableReason = "ModelMismatch"
        if found.version != wanted.version:
            reason = "SchemaMismatch"
        elif found.model == wanted.model:
            reason = "DimensionMismatch"
        moved = next((each.at for each in place.predecessors if each.schema == wanted), None)
        since = f" since {moved}, when it was migrated from this embedder's" if moved else ""
        raise MemoryUnavailableError(
            f"the memory in {self._calls.at} holds vectors of {found.model} ({found.dimensions} "
            f"dimensions, schema {found.version}){since}, but the embedder is {wanted.model} "
            f"({wanted.dimensions} dimensions, schema {wanted.version}). Configure the model that "
            "they were made with, or make them anew with this one: `kausa memory migrate`",
            reason=reason,
        )
