"""Points like those of a cluster's failures, made: nearby vectors, Zipf words, whole payloads.

Vectors are a mixture of low rank (failures come in kinds, and an embedding uses few of its
dimensions for them), so that a search has near neighbours to tell apart. The same seed makes the
same corpus.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from kausa.memory.filters import Filter, OneOf, TimeRange
from kausa.memory.store import Payload, Point, SparseVector

__all__ = ["DIMENSIONS", "FILTERS", "Corpus", "Question"]

DIMENSIONS = 384
KINDS = 60
RANK = 24
VOCABULARY = 30_000
WORDS = 25
CLUSTERS, NAMESPACES = 3, 40
CATEGORIES = ("OOMKilled", "CrashLoop", "ImagePull", "Probe", "Scheduling", "Mount", "Config")
OUTCOMES = ("Open", "Resolved", "Superseded")
START = datetime(2026, 1, 1, tzinfo=UTC)
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: both vectors, and the filters by how much they leave."""

    dense: tuple[float, ...]
    sparse: SparseVector


class Corpus:
    """So many points and as many questions as are asked for."""

    def __init__(self, size: int, *, seed: int = 1) -> None:
        noise = np.random.default_rng(seed)
        self.size = size
        self._centres = noise.normal(size=(KINDS, DIMENSIONS)).astype(np.float32)
        self._basis = noise.normal(size=(RANK, DIMENSIONS)).astype(np.float32) / np.sqrt(RANK)
        frequencies = 1.0 / np.arange(1, VOCABULARY + 1)
        self._chances = np.cumsum(frequencies / frequencies.sum())
        self.kinds = noise.integers(0, KINDS, size)
        self.vectors = self._near(self.kinds, noise)
        self.words = self._drawn(noise, (size, WORDS))
        self.weights = noise.uniform(0.5, 2.0, (size, WORDS)).astype(np.float32)
        self.clusters = noise.integers(0, CLUSTERS, size)
        self.namespaces = noise.integers(0, NAMESPACES, size)
        self.outcomes = noise.integers(0, len(OUTCOMES), size)
        self.minutes = noise.integers(0, 60 * 24 * 300, size)

    def batches(self, length: int) -> Iterator[list[Point]]:
        """All points, in order."""
        for start in range(0, self.size, length):
            yield self.batch(start, length)

    def batch(self, start: int, length: int) -> list[Point]:
        """Some of them."""
        return [self.point(each) for each in range(start, min(start + length, self.size))]

    def point(self, number: int) -> Point:
        """One of them."""
        words, first = np.unique(self.words[number], return_index=True)
        weights = self.weights[number][first]
        return Point(
            id=str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
            dense=self.vectors[number].tolist(),
            sparse=SparseVector(tuple(words.tolist()), tuple(weights.tolist())),
            payload=self._payload(number),
        )

    def questions(self, number: int) -> list[Question]:
        """Texts near those of the corpus, of six words each."""
        noise = np.random.default_rng(99)
        kinds = noise.integers(0, KINDS, number)
        vectors = self._near(kinds, noise)
        words = self._drawn(noise, (number, 6))
        return [
            Question(
                dense=tuple(vectors[each].tolist()),
                sparse=SparseVector(
                    tuple(found := sorted(set(words[each].tolist()))), (1.0,) * len(found)
                ),
            )
            for each in range(number)
        ]

    def _near(self, kinds: NDArray[np.int64], noise: np.random.Generator) -> Floats:
        mixed = noise.normal(size=(len(kinds), RANK)).astype(np.float32) @ self._basis
        vectors = self._centres[kinds] + mixed
        vectors += 0.3 * noise.normal(size=vectors.shape).astype(np.float32)
        found: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return found

    def _drawn(self, noise: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.int64]:
        return np.searchsorted(self._chances, noise.random(shape))

    def _payload(self, number: int) -> Payload:
        kind, minute = int(self.kinds[number]), int(self.minutes[number])
        text = " ".join(f"word{word}" for word in self.words[number].tolist())
        seen = (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")
        return {
            "version": 1,
            "kind": "failure",
            "record_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"record {number}")),
            "chunk": 0,
            "chunks": 1,
            "cluster": f"cluster-{self.clusters[number]}",
            "namespace": f"team-{self.namespaces[number]}",
            "owner": f"Deployment/service-{number % 997}",
            "owner_kind": "Deployment",
            "owner_name": f"service-{number % 997}",
            "reference": f"team-{self.namespaces[number]}/service-{number % 997}",
            "container": "app",
            "node": f"node-{number % 200}",
            "category": CATEGORIES[kind % len(CATEGORIES)],
            "reason": f"Reason{kind % 20}",
            "fingerprint": f"{number % 50_000:08x}",
            "outcome": OUTCOMES[int(self.outcomes[number])],
            "exit_code": kind % 3,
            "labels": [f"app=service-{number % 997}", f"tier={kind % 4}"],
            "first_seen": seen,
            "last_seen": seen,
            "occurrences": number % 90 + 1,
            "reward_count": 0,
            "reward_sum": 0.0,
            "image": f"registry.example/service-{number % 997}:1.{kind}",
            "cause": f"container app of service-{number % 997} failed in way {kind}",
            "passage": text,
            "text": text,
        }


FILTERS: dict[str, Filter] = {
    # Of all points a third, of these two thirds, and of these a half: 11 %.
    "3 filters": Filter(
        must=(
            OneOf("cluster", ("cluster-0",)),
            OneOf("outcome", ("Resolved", "Superseded")),
            TimeRange("last_seen", after=START + timedelta(days=150)),
        )
    ),
    "cluster only": Filter(must=(OneOf("cluster", ("cluster-0",)),)),
}
