"""Which collections of ours a server has, which are in use, and how they are made and switched.

A generation in use is what the aliases lead to, both changed in one call. What a generation is
stands in the metadata of its collections. Everything here may be repeated, and be done by two
operators at once: what is there is left as it is, what is missing is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from qdrant_client import AsyncQdrantClient, models

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.server.calls import Calls, Deadline
from kausa.memory.server.layout import (
    LIMITS,
    creation,
    index_of,
    metadata_of,
    missing_indexes,
    plan_for,
    predecessors_of,
    schema_of,
    update,
)
from kausa.memory.server.naming import Names
from kausa.memory.server.refusals import AlreadyThereError, NotThereError
from kausa.memory.server.settings import ServerSettings
from kausa.memory.server.versions import BEST, ServerVersion, checked
from kausa.memory.store import COLLECTIONS, Collection, Predecessor, Schema
from kausa.telemetry.logs import get_logger

__all__ = ["Catalog", "Place"]

_logger = get_logger("kausa.memory.server")
_MOST_PREDECESSORS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A generation, and where its collections are."""

    schema: Schema
    names: Mapping[Collection, str]
    predecessors: tuple[Predecessor, ...] = ()
    """Whose place it took, newest first."""


class Catalog:
    """Reads and changes what collections there are; it keeps no points."""

    def __init__(
        self, *, client: AsyncQdrantClient, calls: Calls, settings: ServerSettings
    ) -> None:
        self._client = client
        self._calls = calls
        self._settings = settings
        self._version: ServerVersion | None = None
        self.names = Names(settings.prefix)

    async def version(self, deadline: Deadline) -> ServerVersion:
        """The server's, asked once; `MemoryUnavailableError` for one that is too old."""
        if self._version is None:
            info = await self._calls(
                self._client.info, doing="asking for its version", deadline=deadline
            )
            self._version = checked(info.version, at=self._calls.at)
            if self._version < BEST:
                _logger.warning(
                    "The server should be upgraded", version=str(self._version), to=str(BEST)
                )
        return self._version

    async def active(self, deadline: Deadline) -> Place | None:
        """The generation in use; None where there is none, as in an empty server."""
        aliases = await self._aliases(deadline)
        names = {each: aliases[alias] for each, alias in self._ours().items() if alias in aliases}
        if not names:
            return None
        infos = [await self._info(name, deadline) for name in names.values()]
        schemas = [schema_of(each) if each is not None else None for each in infos]
        first = schemas[0]
        if first is None or any(schema != first for schema in schemas):
            raise MemoryUnavailableError(
                f"{self._calls.at}: the aliases {', '.join(self._ours().values())} lead to "
                f"{', '.join(names.values())}, which are not two collections of one memory. Give "
                "this installation another prefix, or delete the aliases",
                reason="SchemaMismatch",
            )
        return Place(first, names, predecessors_of(infos[0]) if infos[0] is not None else ())

    async def places(self, deadline: Deadline) -> list[Place]:
        """Every generation: those in use, and those that were made as such.

        What a restore left behind that was killed is none; `leftovers` names it.
        """
        active = await self.active(deadline)
        found: dict[Schema, dict[Collection, str]] = {}
        for collection, name in await self._collections(deadline):
            schema = await self._schema(name, deadline)
            if schema is None or (active is not None and schema == active.schema):
                continue
            if name == self.names.of(collection, schema):
                found.setdefault(schema, {})[collection] = name
        others = [Place(schema, names) for schema, names in found.items()]
        return ([active] if active is not None else []) + others

    async def make(self, place: Place, *, points: int, deadline: Deadline) -> None:
        """Make what is missing of a generation: collections, then indexes, before any point."""
        for collection, name in place.names.items():
            if await self._info(name, deadline) is None:
                await self._create(collection, name, schema=place.schema, deadline=deadline)
            await self.complete(collection, name, place=place, points=points, deadline=deadline)

    async def complete(
        self, collection: Collection, name: str, *, place: Place, points: int, deadline: Deadline
    ) -> None:
        """Bring a collection that is there up to date: indexes, limits, what its size asks for."""
        found = await self._info(name, deadline)
        if found is None:
            raise NotThereError(f"{name} is gone", reason="StoreUnavailable")
        for field in missing_indexes(found.payload_schema):
            await self._calls(
                lambda field=field: self._client.create_payload_index(  # type: ignore[misc]
                    name, field.name, field_schema=index_of(field), wait=True
                ),
                doing=f"indexing {field.name} of {name}",
                deadline=deadline,
                writes=True,
            )
        changes = await self._changes(
            collection, found, place=place, points=points, deadline=deadline
        )
        if changes:
            await self._calls(
                lambda: self._client.update_collection(name, **changes),
                doing=f"changing {name}",
                deadline=deadline,
                writes=True,
            )

    async def succeed(self, place: Place, *, to: Place, deadline: Deadline) -> None:
        """Note beside a generation whose place it is about to take: it is switched to next.

        So that an operator of the model before does not take it for its own, and back again.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        gone = (place.schema, to.schema)
        before = (each for each in to.predecessors if each.schema not in gone)
        predecessors = (Predecessor(to.schema, now), *before)[:_MOST_PREDECESSORS]
        for collection, name in place.names.items():
            kept = metadata_of(place.schema, collection=collection, predecessors=predecessors)
            await self._calls(
                lambda name=name, kept=kept: self._client.update_collection(  # type: ignore[misc]
                    name, metadata=kept
                ),
                doing=f"changing {name}",
                deadline=deadline,
                writes=True,
            )

    async def switch(self, place: Place, deadline: Deadline) -> None:
        """Let both aliases lead to a generation, in one call."""
        there = await self._aliases(deadline)
        changes: list[Any] = []
        for collection, name in place.names.items():
            alias = self.names.alias(collection)
            if there.get(alias) == name:
                continue
            if alias in there:
                changes.append(
                    models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
                )
            new = models.CreateAlias(collection_name=name, alias_name=alias)
            changes.append(models.CreateAliasOperation(create_alias=new))
        if not changes:
            return
        try:
            await self._calls(
                lambda: self._client.update_collection_aliases(changes),
                doing="switching aliases",
                deadline=deadline,
                writes=True,
            )
        except AlreadyThereError as error:
            raise MemoryUnavailableError(
                f"{self._calls.at} has a collection of the name that our alias needs. Give this "
                f"installation another prefix than {self._settings.prefix!r}: {error}",
                reason="SchemaMismatch",
            ) from error

    async def remove(self, names: Iterable[str], deadline: Deadline) -> None:
        """Delete collections; those that are not there are deleted already."""
        for name in names:
            try:
                await self._calls(
                    lambda name=name: self._client.delete_collection(name),  # type: ignore[misc]
                    doing=f"deleting {name}",
                    deadline=deadline,
                    writes=True,
                )
            except NotThereError:
                continue

    async def leftovers(self, schema: Schema, deadline: Deadline) -> list[str]:
        """Collections of a generation that no alias leads to."""
        used = set((await self._aliases(deadline)).values())
        return [
            name
            for collection, name in await self._collections(deadline)
            if name not in used and self.names.belongs(name, collection=collection, schema=schema)
        ]

    async def count(self, name: str, deadline: Deadline) -> int:
        """Every point of a collection, exactly."""
        found = await self._calls(
            lambda: self._client.count(name, exact=True, timeout=deadline.on_server),
            doing=f"counting {name}",
            deadline=deadline,
        )
        return found.count

    async def points(self, place: Place, deadline: Deadline) -> dict[str, int]:
        """How many points each collection of a generation has."""
        return {each: await self.count(name, deadline) for each, name in place.names.items()}

    async def erase(self, deadline: Deadline) -> None:
        """Delete every collection and alias of this prefix. For tests and scratch memories."""
        there = await self._aliases(deadline)
        gone: list[Any] = [
            models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
            for alias in self._ours().values()
            if alias in there
        ]
        if gone:
            await self._calls(
                lambda: self._client.update_collection_aliases(gone),
                doing="deleting aliases",
                deadline=deadline,
                writes=True,
            )
        await self.remove([name for _, name in await self._collections(deadline)], deadline)

    async def every_name(self, deadline: Deadline) -> list[str]:
        """Every collection of the server that we may see, whosever it is."""
        found = await self._calls(
            self._client.get_collections, doing="listing its collections", deadline=deadline
        )
        return [each.name for each in found.collections]

    def _ours(self) -> dict[Collection, str]:
        return {each: self.names.alias(each) for each in COLLECTIONS}

    async def _aliases(self, deadline: Deadline) -> dict[str, str]:
        found = await self._calls(
            self._client.get_aliases, doing="reading its aliases", deadline=deadline
        )
        return {each.alias_name: each.collection_name for each in found.aliases}

    async def _collections(self, deadline: Deadline) -> list[tuple[Collection, str]]:
        found = await self._calls(
            self._client.get_collections, doing="listing its collections", deadline=deadline
        )
        named = ((self.names.collection(each.name), each.name) for each in found.collections)
        return sorted((kind, name) for kind, name in named if kind is not None)

    async def _info(self, name: str, deadline: Deadline) -> models.CollectionInfo | None:
        try:
            return await self._calls(
                lambda: self._client.get_collection(name),
                doing=f"reading {name}",
                deadline=deadline,
            )
        except NotThereError:
            return None

    async def _schema(self, name: str, deadline: Deadline) -> Schema | None:
        found = await self._info(name, deadline)
        return schema_of(found) if found is not None else None

    async def _create(
        self, collection: Collection, name: str, *, schema: Schema, deadline: Deadline
    ) -> None:
        settings = self._settings
        plan = plan_for(0, dimensions=schema.dimensions, tuning=settings.tuning)
        how = creation(
            schema,
            collection=collection,
            plan=plan,
            tuning=settings.tuning,
            version=await self.version(deadline),
        )
        try:
            await self._calls(
                lambda: self._client.create_collection(
                    name,
                    replication_factor=settings.replication_factor,
                    write_consistency_factor=settings.write_consistency_factor,
                    **how,
                ),
                doing=f"making {name}",
                deadline=deadline,
                writes=True,
            )
        except AlreadyThereError:
            # An answer was lost, or another operator was faster: its indexes are made next.
            _logger.debug("The collection was made meanwhile", collection=name)

    async def _changes(
        self,
        collection: Collection,
        found: models.CollectionInfo,
        *,
        place: Place,
        points: int,
        deadline: Deadline,
    ) -> dict[str, Any]:
        version = await self.version(deadline)
        points = max(points, found.points_count or 0)
        plan = plan_for(points, dimensions=place.schema.dimensions, tuning=self._settings.tuning)
        changes = update(found, plan=plan, version=version)
        limits = found.config.strict_mode_config
        if limits is None or not limits.enabled:
            changes["strict_mode_config"] = LIMITS
        if schema_of(found) != place.schema:
            changes["metadata"] = metadata_of(place.schema, collection=collection)
        return changes
