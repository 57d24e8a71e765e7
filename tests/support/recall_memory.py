"""A memory that answers what it is given, filtered as a store would filter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from kausa.memory.embedding.protocol import Priority
from kausa.memory.filters import Absent, Condition, Filter, OneOf, Range, TimeRange
from kausa.memory.points import payload_of
from kausa.memory.records import Record
from kausa.memory.store import Candidate, Collection, Payload

__all__ = ["FakeMemory", "candidate", "matches"]


def candidate(
    record: Record,
    *,
    dense: float | None = None,
    sparse: float | None = None,
    chunk: int = 0,
    **more: Any,
) -> Candidate:
    """A passage of a record, with the scores that the lists are to give it."""
    payload: Payload = payload_of(record) | {
        "chunk": chunk,
        "passage": f"{record.headline}\n{record.text}",
        **more,
    }
    number = f"{record.record_id}/{chunk}"
    return Candidate(id=number, payload=payload, dense=dense, sparse=sparse)


def holds(condition: Condition, payload: Payload) -> bool:
    value = payload.get(condition.field)
    values = value if isinstance(value, list) else [value]
    match condition:
        case OneOf(values=wanted):
            return any(each in wanted for each in values)
        case Absent():
            return value in (None, [])
        case TimeRange(after=after, before=before):
            moment = datetime.fromisoformat(str(value))
            return (after is None or moment >= after) and (before is None or moment < before)
        case Range(least=least, most=most):
            return isinstance(value, int) and (least or 0) <= value <= (most or 1e9)


def matches(where: Filter, payload: Payload) -> bool:
    return all(holds(each, payload) for each in where.must) and not any(
        holds(each, payload) for each in where.must_not
    )


class FakeMemory:
    """Candidates with the scores that they are given; reads again as it is told."""

    model = "fake"

    def __init__(self) -> None:
        self.candidates_of: dict[str, list[Candidate]] = {"failures": [], "runbooks": []}
        self.reranker = ""
        self.reread: dict[str, float] = {}
        """Scores by a part of the passage; others get 0.1."""
        self.remembers = True
        self.most_new: list[int | None] = []
        self.known: set[str] | None = None
        """Passages that cost nothing; of others one is read where there is a bound. None: all."""
        self.listeners: list[Callable[[Sequence[str]], None]] = []
        self.rerank_seconds = 0.0
        self.error: Exception | None = None
        self.rerank_error: Exception | None = None
        self.searches: list[tuple[Collection, str, str, Sequence[Filter]]] = []
        self.limits: list[int] = []
        self.rereads: list[Sequence[str]] = []
        self.priorities: list[Priority] = []

    def knows(self, *candidates: Candidate) -> FakeMemory:
        for each in candidates:
            kind = each.payload["kind"]
            self.candidates_of["runbooks" if kind == "runbook" else "failures"].append(each)
        return self

    async def candidates(
        self,
        collection: Collection,
        *,
        text: str,
        words: str,
        wheres: Sequence[Filter],
        limit: int,
        deadline_seconds: float,
    ) -> list[Candidate]:
        self.searches.append((collection, text, words, tuple(wheres)))
        self.limits.append(limit)
        if self.error is not None:
            raise self.error
        return [
            each
            for each in self.candidates_of[collection]
            if any(matches(where, each.payload) for where in wheres)
        ]

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline_seconds: float,
        most_new_tokens: int | None = None,
    ) -> list[float | None]:
        self.rereads.append(documents)
        self.priorities.append(priority)
        self.most_new.append(most_new_tokens)
        if self.rerank_seconds:
            await asyncio.sleep(self.rerank_seconds)
        if self.rerank_error is not None:
            raise self.rerank_error
        new = [] if self.known is None else [t for t in documents if t not in self.known]
        left = set(new if most_new_tokens is None else new[1:])
        if self.known is not None:
            self.known |= set(documents) - (left if most_new_tokens is not None else set())
        return [
            None
            if most_new_tokens is not None and text in left
            else next((score for part, score in self.reread.items() if part in text), 0.1)
            for text in documents
        ]

    def watch_runbooks(self, listener: Callable[[Sequence[str]], None]) -> None:
        self.listeners.append(listener)
