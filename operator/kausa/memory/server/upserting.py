"""Points into a collection, and which of them is to blame where the server refuses a request.

A server refuses a request as a whole, and says only sometimes for which point. Halves find it in a
few more requests. And no point is blamed before the server has taken another one, of which nothing
can be wrong: one that takes nothing at all (limits of its own, a proxy before it, a collection that
somebody made otherwise) would else cost every record that comes to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_client import AsyncQdrantClient

from kausa.memory.errors import InvalidRecordError
from kausa.memory.server.binding import Binding
from kausa.memory.server.calls import Deadline
from kausa.memory.server.passages import batches, incoming
from kausa.memory.server.refusals import RequestRefusedError
from kausa.memory.store import Collection, Point, SparseVector

__all__ = ["Upserter"]

_HARMLESS = "00000000-0000-4000-8000-6b6175736121"
"""The id of a point that is written to see whether any is taken, and deleted again. It has no
cluster, so no search finds it meanwhile."""


class Upserter:
    """Writes into the collections that a store is bound to."""

    def __init__(self, *, client: AsyncQdrantClient, binding: Binding) -> None:
        self._client = client
        self._binding = binding

    async def __call__(
        self, collection: Collection, points: Sequence[Point], *, deadline: Deadline
    ) -> None:
        """Write points, in requests of a size that the server takes.

        Raises `InvalidRecordError` for one that it does not take, though it takes others, and
        `MemoryUnavailableError`. Others may have been written then.
        """
        for batch in batches(points):
            await self._apart(collection, batch, deadline=deadline)

    async def _apart(
        self, collection: Collection, points: Sequence[Point], *, deadline: Deadline
    ) -> None:
        try:
            await self._write(collection, points, deadline=deadline)
        except RequestRefusedError as refused:
            if len(points) == 1:
                await self._write_harmless(collection, deadline=deadline)
                record = points[0].payload.get("record_id", points[0].id)
                raise InvalidRecordError(f"the record {record} is not taken: {refused}") from None
        else:
            return
        middle = len(points) // 2
        for half in (points[:middle], points[middle:]):
            await self._apart(collection, half, deadline=deadline)

    async def _write(
        self, collection: Collection, points: Sequence[Point], *, deadline: Deadline
    ) -> None:
        ready = [incoming(point) for point in points]
        await self._binding.ask(
            collection,
            lambda name: self._client.upsert(name, ready, wait=True),
            doing=f"writing {len(points)} points",
            deadline=deadline,
            writes=True,
        )

    async def _write_harmless(self, collection: Collection, *, deadline: Deadline) -> None:
        """Raises `RequestRefusedError` where the server takes nothing at all."""
        dimensions = self._binding.bound.schema.dimensions
        dense = [1.0] + [0.0] * (dimensions - 1)
        point = Point(id=_HARMLESS, dense=dense, sparse=SparseVector((), ()), payload={})
        await self._write(collection, [point], deadline=deadline)
        await self._binding.ask(
            collection,
            lambda name: self._client.delete(name, [_HARMLESS], wait=True),
            doing="deleting a point that was a test",
            deadline=deadline,
            writes=True,
        )
