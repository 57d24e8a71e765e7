"""Writing records: planned, embedded where that is needed, their rewards compared and set."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from kausa.memory.embedding.protocol import Priority
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import Absent, Condition, Filter, OneOf
from kausa.memory.points import TAKEN_BACK, Passage, collection_of, point_id, point_ids
from kausa.memory.readiness import SparseEncoder
from kausa.memory.records import FailureRecord, Happening, RolloutRecord, Verdict
from kausa.memory.rewards import Reward, with_value, with_verdict
from kausa.memory.session import MOST_AT_ONCE, Session, point_of, stamped
from kausa.memory.store import Collection, Payload, Point, StoredPoint
from kausa.memory.writing import Writing, plan, reward_of

__all__ = ["RecordWriter"]

REWARD_ATTEMPTS = 8
Embedding: TypeAlias = Callable[[Sequence[Passage]], Awaitable[Mapping[str, Sequence[float]]]]
"""Vectors of passages, by their ids."""


class RecordWriter(Session):
    """Failures and rollouts, by identity."""

    async def remember(
        self,
        records: Sequence[Happening],
        *,
        deadline_seconds: float,
        priority: Priority = "interactive",
        copied: bool = False,
    ) -> list[str]:
        """Write records over their earlier selves, and return their ids. Repeating it is harmless.

        `copied`: they were made of the resources alone (`writing.plan`). Rewards that are there
        stay, but for a verdict that changed.
        """
        await self.remember_changed(
            records, deadline_seconds=deadline_seconds, priority=priority, copied=copied
        )
        return [record.record_id for record in records]

    async def remember_changed(
        self,
        records: Sequence[Happening],
        *,
        deadline_seconds: float,
        priority: Priority = "interactive",
        copied: bool = False,
        anew: bool = False,
    ) -> int:
        """The same; how many were not there as they are. `anew` writes and embeds those too."""

        async def embed(new: Sequence[Passage]) -> Mapping[str, Sequence[float]]:
            texts = [each.text for each in new]
            vectors = await self._embed(texts, priority=priority, deadline_seconds=deadline_seconds)
            return {each.id: vector for each, vector in zip(new, vectors, strict=True)}

        written = 0
        async with self._doing("remembering failures", deadline_seconds) as encoder:
            for start in range(0, len(records), MOST_AT_ONCE):
                written += await self._write(
                    records[start : start + MOST_AT_ONCE],
                    embed=embed,
                    encoder=encoder,
                    copied=copied,
                    anew=anew,
                    deadline_seconds=deadline_seconds,
                )
        return written

    async def write_batch(
        self,
        records: Sequence[Happening],
        *,
        embed: Embedding,
        copied: bool = False,
        deadline_seconds: float,
    ) -> int:
        """The same with vectors from elsewhere, for at most `MOST_AT_ONCE` records."""
        async with self._doing("remembering a batch", deadline_seconds) as encoder:
            return await self._write(
                records,
                embed=embed,
                encoder=encoder,
                copied=copied,
                deadline_seconds=deadline_seconds,
            )

    async def _write(
        self,
        records: Sequence[Happening],
        *,
        embed: Embedding,
        encoder: SparseEncoder,
        copied: bool,
        anew: bool = False,
        deadline_seconds: float,
    ) -> int:
        """Plan, embed and write; nobody else here writes these records meanwhile."""
        records = _last_of_each(records)
        async with contextlib.AsyncExitStack() as held:
            for record_id in sorted(each.record_id for each in records):
                await held.enter_async_context(self._lock(record_id))
            writings = await self._plans(
                records, copied=copied, anew=anew, deadline_seconds=deadline_seconds
            )
            lost = await self._carry_out(
                writings, embed=embed, encoder=encoder, deadline_seconds=deadline_seconds
            )
            if lost:
                # Deleted since it was planned, in whole or in part: all of it is written.
                again = await self._plans(
                    lost, copied=copied, anew=True, deadline_seconds=deadline_seconds
                )
                await self._carry_out(
                    again, embed=embed, encoder=encoder, deadline_seconds=deadline_seconds
                )
        return sum(not each.is_nothing for each in writings)

    async def _plans(
        self, records: Sequence[Happening], *, copied: bool, anew: bool, deadline_seconds: float
    ) -> list[Writing]:
        stored = await self._stored(records, deadline_seconds=deadline_seconds)
        writings: list[Writing] = []
        for record in records:
            # Cutting a long text takes milliseconds, and a batch has many.
            await asyncio.sleep(0)
            writings.append(
                plan(
                    record,
                    stored=stored.get(record.record_id),
                    model=self.embedder.model,
                    size=self._size,
                    copied=copied,
                    anew=anew,
                )
            )
        return writings

    async def _carry_out(
        self,
        writings: Sequence[Writing],
        *,
        embed: Embedding,
        encoder: SparseEncoder,
        deadline_seconds: float,
    ) -> list[Happening]:
        """Write what was planned; the records that were not there any more to be changed."""
        new = [each for writing in writings for each in writing.to_embed]
        vectors = await embed(new) if new else {}
        points: dict[Collection, list[Point]] = {}
        for writing in writings:
            await asyncio.sleep(0)
            points.setdefault(writing.collection, []).extend(
                point_of(each, vectors[each.id], encoder=encoder) for each in writing.to_embed
            )
        for collection, of_collection in points.items():
            for start in range(0, len(of_collection), MOST_AT_ONCE):
                await self.store.upsert(
                    collection,
                    of_collection[start : start + MOST_AT_ONCE],
                    deadline_seconds=deadline_seconds,
                )
        return [
            writing.record
            for writing in writings
            if not await self._finish(writing, deadline_seconds=deadline_seconds)
            and isinstance(writing.record, FailureRecord | RolloutRecord)
        ]

    async def _finish(self, writing: Writing, *, deadline_seconds: float) -> bool:
        """False where the record is not there, or not all of it."""
        if writing.stale:
            await self.store.delete(
                writing.collection, ids=writing.stale, deadline_seconds=deadline_seconds
            )
        if writing.values:
            there = await self.store.set_payload(
                writing.collection,
                writing.ids,
                stamped(writing.values),
                deadline_seconds=deadline_seconds,
            )
            if not there:
                return False
        if writing.verdict and isinstance(writing.record, FailureRecord):
            verdict = writing.record.verdict
            counted = await self._reward(
                writing.record.record_id,
                collection=writing.collection,
                change=lambda reward: with_verdict(reward, verdict),
                deadline_seconds=deadline_seconds,
            )
            return counted is not None
        return True

    async def update(
        self,
        record_id: str,
        values: Payload,
        *,
        collection: Collection = "failures",
        only: Callable[[Payload], bool] = lambda _: True,
        deadline_seconds: float,
    ) -> bool:
        """Write over some fields of a record; False where it is not there, or `only` says no.

        For what is not embedded: the outcome, the resolution, counts and times. `TAKEN_BACK` takes
        a field away.
        """
        doing = self._doing("changing a record", deadline_seconds, embeds=False)
        async with doing, self._lock(record_id):
            head = await self._head(
                record_id, collection=collection, deadline_seconds=deadline_seconds
            )
            if head is None or not only(head.payload):
                return False
            return await self.store.set_payload(
                collection, _ids_of(head), stamped(values), deadline_seconds=deadline_seconds
            )

    async def add_reward(
        self,
        record_id: str,
        value: float,
        *,
        collection: Collection = "failures",
        deadline_seconds: float,
    ) -> Reward | None:
        """Count one more answer about a record, from 0 to 1; None where it is not there."""
        doing = self._doing("counting a reward", deadline_seconds, embeds=False)
        async with doing, self._lock(record_id):
            return await self._reward(
                record_id,
                collection=collection,
                change=lambda reward: with_value(reward, value),
                deadline_seconds=deadline_seconds,
            )

    async def set_verdict(
        self, record_id: str, verdict: Verdict | None, *, deadline_seconds: float
    ) -> Reward | None:
        """Count what a person says of a failure's diagnosis, in place of what was said before.

        As often as you like: the record knows which verdict is counted.
        """
        doing = self._doing("counting a verdict", deadline_seconds, embeds=False)
        async with doing, self._lock(record_id):
            return await self._reward(
                record_id,
                collection="failures",
                change=lambda reward: with_verdict(reward, verdict),
                deadline_seconds=deadline_seconds,
            )

    async def forget(
        self,
        record_ids: Sequence[str],
        *,
        collection: Collection = "failures",
        deadline_seconds: float,
    ) -> None:
        """Delete records, all their points."""
        async with self._doing("forgetting records", deadline_seconds, embeds=False):
            for start in range(0, len(record_ids), MOST_AT_ONCE):
                await self.store.delete(
                    collection,
                    where=Filter(
                        must=(OneOf("record_id", tuple(record_ids[start : start + MOST_AT_ONCE])),)
                    ),
                    deadline_seconds=deadline_seconds,
                )

    # -- parts -----------------------------------------------------------------------------------

    async def _reward(
        self,
        record_id: str,
        *,
        collection: Collection,
        change: Callable[[Reward], Reward],
        deadline_seconds: float,
    ) -> Reward | None:
        """Compare and set until nobody was faster."""
        for _ in range(REWARD_ATTEMPTS):
            head = await self._head(
                record_id, collection=collection, deadline_seconds=deadline_seconds
            )
            if head is None:
                return None
            before = reward_of(head.payload)
            after = change(before)
            if after == before:
                return after
            values = stamped(
                {
                    "reward_sum": after.sum,
                    "reward_count": after.count,
                    "reward_revision": before.revision + 1,
                    "verdict": after.verdict or TAKEN_BACK,
                }
            )
            ids = _ids_of(head)
            # The first passage decides, the others are brought in line with it.
            won = await self.store.set_payload(
                collection,
                ids[:1],
                values,
                expect=_as_read(before),
                deadline_seconds=deadline_seconds,
            )
            if won:
                if ids[1:]:
                    await self.store.set_payload(
                        collection, ids[1:], values, deadline_seconds=deadline_seconds
                    )
                return after
        raise MemoryUnavailableError(
            f"a reward could not be counted: others changed it {REWARD_ATTEMPTS} times meanwhile",
            reason="StoreOverloaded",
        )

    async def _stored(
        self, records: Sequence[Happening], *, deadline_seconds: float
    ) -> dict[str, Payload]:
        """The payloads of the first points that are there, by record."""
        found: dict[str, Payload] = {}
        by_collection: dict[Collection, list[str]] = {}
        for record in records:
            by_collection.setdefault(collection_of(record), []).append(record.record_id)
        for collection, record_ids in by_collection.items():
            for start in range(0, len(record_ids), MOST_AT_ONCE):
                ids = [point_id(each, 0) for each in record_ids[start : start + MOST_AT_ONCE]]
                points = await self.store.get(collection, ids, deadline_seconds=deadline_seconds)
                found |= {str(each.payload.get("record_id")): each.payload for each in points}
        return found

    async def _head(
        self, record_id: str, *, collection: Collection, deadline_seconds: float
    ) -> StoredPoint | None:
        """The first point of a record; None where there is none."""
        found = await self.store.get(
            collection, [point_id(record_id, 0)], deadline_seconds=deadline_seconds
        )
        return found[0] if found else None


def _as_read(reward: Reward) -> Filter:
    """Nobody has changed it since. The count alone may be the same again."""
    revision: Condition = OneOf("reward_revision", (reward.revision,))
    if not reward.revision:
        revision = Absent("reward_revision")
    return Filter(must=(OneOf("reward_count", (reward.count,)), revision))


def _ids_of(head: StoredPoint) -> tuple[str, ...]:
    chunks = head.payload.get("chunks")
    count = chunks if isinstance(chunks, int) and 0 < chunks <= 1000 else 1
    return point_ids(str(head.payload["record_id"]), count)


def _last_of_each(records: Sequence[Happening]) -> list[Happening]:
    """Of several that are the same record, the one that came last."""
    return list({each.record_id: each for each in records}.values())
