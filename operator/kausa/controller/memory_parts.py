"""All that works for the memory while the operator leads, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from kausa.cluster.client import KubernetesClient
from kausa.cluster.owners import OwnerResolver
from kausa.controller.lessons import Lessons, TargetFinder
from kausa.controller.memory_sync import MemorySync
from kausa.controller.rollouts import RolloutTracker
from kausa.controller.store import FailureDiagnosisStore
from kausa.diagnosis.recollection import Remembrance
from kausa.evidence.redaction import Redactor
from kausa.memory.ingest import Ingest
from kausa.memory.metrics import MemoryMetrics
from kausa.memory.migration import migrate
from kausa.memory.retention import Retention, RetentionPolicy
from kausa.memory.service import FailureMemory
from kausa.recall.ranking import Ranking
from kausa.recall.recall import Recall, RecallOptions
from kausa.recall.similar import SimilarFailures
from kausa.settings import Settings
from kausa.telemetry.logs import get_logger

__all__ = ["MemoryParts", "memory_parts", "recall_options"]

RESTART_SECONDS = 5.0
_logger = get_logger("kausa.controller.memory_parts")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryParts:
    """What others hand things to, and what runs."""

    ingest: Ingest
    lessons: Lessons
    remembrance: Remembrance
    recall: Recall
    """Answers diagnoses; its cache is to be cleared where runbooks change."""
    rollouts: RolloutTracker
    sync: MemorySync
    retention: Retention

    @property
    def work(self) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """What runs until it is cancelled."""
        parts = (
            self.ingest.run,
            self.lessons.run,
            self.rollouts.run,
            self.sync.run,
            self.retention.run,
        )
        return tuple(partial(_for_ever, each) for each in parts)


async def _for_ever(part: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Begin again where something that nobody thought of ended it: the operator does not end for
    its memory.
    """
    while True:
        try:
            await part()
        except Exception:
            _logger.exception("A part of the memory ended, starting it again")
        await asyncio.sleep(RESTART_SECONDS)


def memory_parts(
    memory: FailureMemory,
    *,
    settings: Settings,
    client: KubernetesClient,
    store: FailureDiagnosisStore,
    owners: OwnerResolver,
    redactor: Redactor,
    metrics: MemoryMetrics,
    watches: Callable[[str], bool] = lambda _: True,
) -> MemoryParts:
    """Build everything around one memory. `watches`: whether a namespace is looked at."""
    cluster = settings.cluster_name
    ingest = Ingest(memory=memory, metrics=metrics)
    targets = TargetFinder(owners=owners)
    options = recall_options(settings)
    recall = Recall(memory=memory, options=options)
    sync = MemorySync(
        client=client,
        memory=memory,
        ingest=ingest,
        targets=targets,
        metrics=metrics,
        cluster=cluster,
        namespace=settings.namespace,
        migrate=_migrate if settings.memory_migrate else None,
    )

    def ending_lost() -> None:
        metrics.dropped("ending")
        sync.ask()

    metrics.observe_losses(
        trimmed=lambda: memory.passages_trimmed, truncated=lambda: memory.texts_truncated
    )
    return MemoryParts(
        ingest=ingest,
        lessons=Lessons(
            store=store,
            ingest=ingest,
            targets=targets,
            cluster=cluster,
            on_lost=ending_lost,
        ),
        remembrance=Remembrance(
            similar=SimilarFailures(memory=memory, options=options),
            recall=recall,
            ingest=ingest,
            metrics=metrics,
            everywhere=settings.runbooks_of_everybody,
        ),
        recall=recall,
        rollouts=RolloutTracker(
            queue=ingest,
            cluster=cluster,
            redact=lambda text: redactor.text(text).value,
            watches=watches,
        ),
        sync=sync,
        retention=Retention(
            store=memory.store,
            policy=RetentionPolicy(
                days=settings.memory_keep_days,
                by_outcome={"Open": settings.memory_keep_open_days},
            ),
            cluster=cluster,
            namespace=settings.namespace,
        ),
    )


async def _migrate(memory: FailureMemory) -> None:
    await migrate(memory.store, embedder=memory.embedder)


def recall_options(settings: Settings) -> RecallOptions:
    """The numbers of the ranking that are set."""
    return RecallOptions(
        ranking=Ranking(
            relevance_weight=settings.ranking_relevance,
            reward_weight=settings.ranking_reward,
            half_life_days=settings.ranking_half_life_days,
            band=settings.ranking_band,
            floor=settings.ranking_floor,
        ),
        rerank_seconds=settings.rerank_seconds,
    )
