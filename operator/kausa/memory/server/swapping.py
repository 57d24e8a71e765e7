"""Change payloads only where they still are what was read, though Qdrant has no such request.

The server takes a filter with the change, applies changes one after the other, and answers the same
whether the filter matched or not: who won is seen afterwards. Values alone cannot tell, because who
won may have been followed by another already, and would add a second time. So the points keep the
marks of the last who changed them, and whoever finds his among them has won. A mark also makes the
request safe to repeat where the answer to the first was lost. Two callers that write the very same
values are one to the protocol: whoever must not be taken for another writes something of his own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qdrant_client import AsyncQdrantClient, models

from kausa.memory.filters import EVERYTHING, Filter
from kausa.memory.server.filtering import matches_nothing, selecting
from kausa.memory.server.passages import MARK
from kausa.memory.store import Payload

__all__ = ["compare_and_set", "set_values"]

_MOST_MARKS = 8
"""So many others may change a point between our change and our look at it."""


async def compare_and_set(
    client: AsyncQdrantClient,
    name: str,
    ids: Sequence[str],
    values: Payload,
    *,
    expect: Filter,
    mark: str,
    timeout: int,
) -> bool:
    """Whether every one of the points was changed; `mark` stays the same if this is repeated."""
    seen = await _read(client, name, ids, (MARK,), timeout=timeout)
    marks = {each: payload.get(MARK) or () for each, payload in seen.items()}
    if not all(mark in marks.get(each, ()) for each in ids) and not matches_nothing(expect):
        earlier = dict.fromkeys(each for some in marks.values() for each in some)
        kept = [mark, *(each for each in earlier if each != mark)][:_MOST_MARKS]
        await _write(client, name, ids, {**values, MARK: kept}, where=expect)
    seen = await _read(client, name, ids, (MARK, *values), timeout=timeout)
    return all(_is_changed(seen.get(each), values, mark=mark) for each in ids)


def _is_changed(payload: Payload | None, values: Payload, *, mark: str) -> bool:
    if payload is None:
        return False
    if mark in (payload.get(MARK) or ()):
        return True
    # What is set to null is taken out of the payload.
    return all(payload.get(key) == value for key, value in values.items())


async def set_values(
    client: AsyncQdrantClient, name: str, ids: Sequence[str], values: Payload, *, timeout: int
) -> bool:
    """Whether every one of the points was there to be changed."""
    await _write(client, name, ids, values, where=EVERYTHING)
    there = await _read(client, name, ids, (MARK,), timeout=timeout)
    return all(each in there for each in ids)


async def _write(
    client: AsyncQdrantClient, name: str, ids: Sequence[str], values: Payload, *, where: Filter
) -> None:
    """By a filter, because an id that is not there would be an error for all of them."""
    await client.set_payload(
        name,
        payload=values,
        points=models.FilterSelector(filter=selecting(ids, where=where)),
        wait=True,
        # All replicas apply changes in the same order, so all agree who won.
        ordering=models.WriteOrdering.STRONG,
    )


async def _read(
    client: AsyncQdrantClient,
    name: str,
    ids: Sequence[str],
    keys: Sequence[str],
    *,
    timeout: int,
) -> Mapping[str, Payload]:
    """Some keys of the points that are there."""
    found = await client.retrieve(
        name,
        list(ids),
        # By whole names: a path would take a dot in a key as a step.
        with_payload=[_quoted(key) for key in keys],
        consistency=models.ReadConsistencyType.QUORUM,
        timeout=timeout,
    )
    return {str(record.id): record.payload or {} for record in found}


def _quoted(key: str) -> str:
    return key if key.replace("_", "").isalnum() else f'"{key}"'
