"""Another model: every passage is embedded again beside what is in use, then both are switched.

No state is kept outside of the store: what the new generation has already, as it is, is not done
again, so a migration that was killed anywhere goes on where it was. Walks are repeated until one
finds nothing new, because operators go on writing with the old model meanwhile. After the switch
more walks bring over what came between, and only where it was written later: from then on the new
generation is the truth. The sparse vectors are those of words and are carried over as they are.

A passage that the new model refuses is left behind and told; many of them end it, with the memory
as it was. And nobody goes back by himself to a model that the memory was migrated away from: two
operators of two models would do so in turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kausa.memory.embedding.protocol import Embedder
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.reembedding import Reembedder, with_vector
from kausa.memory.store import (
    COLLECTIONS,
    Collection,
    Generation,
    Payload,
    Point,
    Schema,
    StoredPoint,
    VectorStore,
)
from kausa.telemetry.logs import get_logger

__all__ = ["Migration", "Progress", "migrate"]

_logger = get_logger("kausa.memory.migration")
_PAGE_POINTS = 64
_MOST_WALKS = 8
"""Before the switch: where operators write faster than we embed, the last walk takes the rest."""
_OF_VECTORS = frozenset({"model", "schema_version"})
_PROBE = "What fails, and why?"


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far it is; told after every page."""

    source: Schema
    target: Schema
    total: int = 0
    """Points of the old generation, as the walk began."""
    walk: int = 0
    seen: int = 0
    """Points of this walk."""
    embedded: int = 0
    """Of all walks."""
    carried: int = 0
    """Whose payload alone was newer, of all walks."""
    removed: int = 0
    """Deleted in the new one because they were in the old one."""
    unreadable: list[str] = field(default_factory=list)
    """Ids of points without a passage: nothing can be embedded, they are left behind."""
    refused: int = 0
    """Passages that the new model does not take, though it takes others: left behind, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What a migration came to."""

    target: Schema
    sources: tuple[Schema, ...] = ()
    """The generations that were brought over and dropped; none where nothing was to be done."""
    points: int = 0
    embedded: int = 0
    carried: int = 0
    unreadable: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why the new model does not take a passage, by the id of its point."""


Report = Callable[[Progress], None]


async def migrate(
    store: VectorStore,
    *,
    embedder: Embedder,
    report: Report = lambda _: None,
    back: bool = False,
    call_seconds: float = 120.0,
) -> Migration:
    """Bring a memory to the embedder's model; the store is open for that model afterwards.

    Every call of store and embedder gets `call_seconds`. `back`: a person wants it, so also where
    the memory was migrated away from this model before. Raises `MemoryUnavailableError`; whatever
    was in use then still is, and asking again goes on.
    """
    target = await _schema_of(embedder, call_seconds=call_seconds)
    generations = await store.generations(deadline_seconds=call_seconds)
    active = next((each.schema for each in generations if each.active), None)
    if not back:
        _refuse_to_go_back(generations, target=target)
    if active is None or (active == target and len(generations) == 1):
        await store.open(target, deadline_seconds=call_seconds)
        return Migration(target=target)
    embed = Reembedder(embedder=embedder, target=target, seconds=call_seconds)
    work = _Work(store=store, embed=embed, report=report, seconds=call_seconds)
    if active != target:
        await store.open(active, deadline_seconds=call_seconds)
        new = await store.make(target, deadline_seconds=call_seconds)
        try:
            await work.until_nothing_is_new(store, new, source=active, target=target)
        finally:
            await new.close()
        await store.activate(target, deadline_seconds=call_seconds)
    await store.open(target, deadline_seconds=call_seconds)
    others = tuple(
        each.schema
        for each in await store.generations(deadline_seconds=call_seconds)
        if each.schema != target
    )
    for schema in others:
        await work.finish(store, source=schema, target=target)
    points = [
        await store.count(each, where=EVERYTHING, deadline_seconds=call_seconds)
        for each in COLLECTIONS
    ]
    return Migration(
        target=target,
        sources=others,
        points=sum(points),
        embedded=work.embedded,
        carried=work.carried,
        unreadable=tuple(work.unreadable),
        refused=dict(work.embed.refused),
    )


class _Work:
    """Walks from one generation to another."""

    def __init__(
        self, *, store: VectorStore, embed: Reembedder, report: Report, seconds: float
    ) -> None:
        self._store = store
        self.embed = embed
        self._report = report
        self._seconds = seconds
        self.embedded = 0
        self.carried = 0
        self.unreadable: dict[str, None] = {}

    async def until_nothing_is_new(
        self, old: VectorStore, new: VectorStore, *, source: Schema, target: Schema
    ) -> None:
        """Walk again and again, at most so often."""
        for number in range(1, _MOST_WALKS + 1):
            progress = Progress(source=source, target=target, walk=number)
            progress.total = await self._total(old)
            before = self.embedded + self.carried
            for collection in COLLECTIONS:
                await self._walk(old, new, collection, progress=progress, only_newer=False)
                await self._forget(old, new, collection, progress=progress)
            changed = self.embedded + self.carried - before + progress.removed
            _logger.info("Walked over the memory", walk=number, changed=changed)
            if not changed:
                return

    async def finish(self, new: VectorStore, *, source: Schema, target: Schema) -> None:
        """What came to an old generation until the switch, and then its end.

        Twice at least: what an operator of the old model writes during the first walk, behind it,
        is brought by the next.
        """
        old = await self._store.make(source, deadline_seconds=self._seconds)
        try:
            for number in range(1, _MOST_WALKS + 1):
                progress = Progress(source=source, target=target, total=await self._total(old))
                before = self.embedded + self.carried
                for collection in COLLECTIONS:
                    await self._walk(old, new, collection, progress=progress, only_newer=True)
                if number > 1 and self.embedded + self.carried == before:
                    break
        finally:
            await old.close()
        await self._store.drop(source, deadline_seconds=self._seconds)

    async def _total(self, store: VectorStore) -> int:
        counts = [
            await store.count(each, where=EVERYTHING, deadline_seconds=self._seconds)
            for each in COLLECTIONS
        ]
        return sum(counts)

    async def _walk(
        self,
        old: VectorStore,
        new: VectorStore,
        collection: Collection,
        *,
        progress: Progress,
        only_newer: bool,
    ) -> None:
        after = None
        while True:
            page = await old.scroll(
                collection,
                where=EVERYTHING,
                limit=_PAGE_POINTS,
                after=after,
                with_vectors=True,
                deadline_seconds=self._seconds,
            )
            await self._bring(
                new, collection, page.points, target=progress.target, only_newer=only_newer
            )
            progress.seen += len(page.points)
            progress.embedded, progress.carried = self.embedded, self.carried
            progress.unreadable, progress.refused = list(self.unreadable), len(self.embed.refused)
            self.embed.check(total=progress.total)
            self._report(progress)
            after = page.after
            if after is None:
                return

    async def _bring(
        self,
        new: VectorStore,
        collection: Collection,
        points: Sequence[StoredPoint],
        *,
        target: Schema,
        only_newer: bool,
    ) -> None:
        there = {
            each.id: each
            for each in await new.get(
                collection,
                [each.id for each in points],
                with_vectors=True,
                deadline_seconds=self._seconds,
            )
        }
        embed: list[StoredPoint] = []
        carry: list[Point] = []
        for point in points:
            found = there.get(point.id)
            if found is not None and not _is_wanted(point, found, only_newer=only_newer):
                continue
            if not isinstance(point.payload.get("passage"), str):
                self.unreadable[point.id] = None
            elif found is not None and found.payload.get("passage") == point.payload["passage"]:
                carry.append(with_vector(point, found.dense or (), target=target))
            elif not self.embed.is_refused(point):
                embed.append(point)
        made = await self.embed(embed)
        if carry or made:
            await new.upsert(collection, carry + made, deadline_seconds=self._seconds)
        self.carried += len(carry)
        self.embedded += len(made)

    async def _forget(
        self, old: VectorStore, new: VectorStore, collection: Collection, *, progress: Progress
    ) -> None:
        """Delete in the new one what the old one does not have any more."""
        after = None
        while True:
            page = await new.scroll(
                collection,
                where=EVERYTHING,
                limit=_PAGE_POINTS,
                after=after,
                deadline_seconds=self._seconds,
            )
            ids = [each.id for each in page.points]
            kept = await old.get(collection, ids, deadline_seconds=self._seconds)
            gone = sorted(set(ids) - {each.id for each in kept})
            if gone:
                await new.delete(collection, ids=gone, deadline_seconds=self._seconds)
                progress.removed += len(gone)
            after = page.after
            if after is None:
                return


def _refuse_to_go_back(generations: Sequence[Generation], *, target: Schema) -> None:
    active = next((each for each in generations if each.active), None)
    if active is None or active.schema == target:
        return
    left = next((each for each in active.predecessors if each.schema == target), None)
    if left is not None:
        raise MemoryUnavailableError(
            f"the memory was migrated from {target.model} to {active.schema.model} at {left.at}, "
            "by another operator or by hand, and is not migrated back by itself: two operators of "
            f"two models would do so in turns. Configure {active.schema.model} here, too, or give "
            "this installation a memory of its own (KAUSA_MEMORY_PREFIX), or run `kausa memory "
            "migrate` if the memory is to go back",
            reason="ModelMismatch",
        )


async def _schema_of(embedder: Embedder, *, call_seconds: float) -> Schema:
    """What the embedder makes, which only an answer of it tells."""
    await embedder.embed([_PROBE], deadline_seconds=call_seconds)
    if not embedder.model or not embedder.dimensions:
        raise MemoryUnavailableError(
            "the embedder answers and does not say which model it is", reason="EmbedderFailed"
        )
    return Schema(model=embedder.model, dimensions=embedder.dimensions)


def _is_wanted(old: StoredPoint, new: StoredPoint, *, only_newer: bool) -> bool:
    if _told(old.payload) == _told(new.payload):
        return False
    return not only_newer or _age(old.payload) > _age(new.payload)


def _told(payload: Payload) -> Payload:
    """What a point says, but for what tells the model of its vectors."""
    return {key: value for key, value in payload.items() if key not in _OF_VECTORS}


def _age(payload: Payload) -> tuple[str, str, int, int]:
    """What grows when a record is written again: moments are text that sorts as they do.

    Points of an earlier Kausa do not say when they were written; what else grows has to do.
    """
    written, seen = (payload.get(key) for key in ("written_at", "last_seen"))
    counts = (payload.get(key) for key in ("occurrences", "reward_count"))
    occurrences, rewards = (count if isinstance(count, int) else 0 for count in counts)
    return (
        written if isinstance(written, str) else "",
        seen if isinstance(seen, str) else "",
        occurrences,
        rewards,
    )
