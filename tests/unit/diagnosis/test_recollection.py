from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from support.dossiers import dossier
from support.fake_memory import FakeEmbedder, FakeVectorStore, fake_memory, unavailable
from support.pods import container, pod, terminated, waiting
from support.records import NOON, RECORD

from kausa.diagnosis.decide import decide
from kausa.diagnosis.recollection import Remembrance, failure_record
from kausa.memory.ingest import Ingest
from kausa.memory.metrics import MemoryMetrics
from kausa.recall.recall import Recall
from kausa.recall.similar import SimilarFailures

CRASHES = pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2), uid="a")


class Remembering:
    def __init__(self) -> None:
        self.store, self.embedder = FakeVectorStore(), FakeEmbedder()
        self.memory = fake_memory(self.store, self.embedder)
        registry = CollectorRegistry()
        metrics = MemoryMetrics(registry)
        self.registry = registry
        self.ingest = Ingest(memory=self.memory, metrics=metrics)
        self.remembrance = Remembrance(
            similar=SimilarFailures(memory=self.memory),
            recall=Recall(memory=self.memory),
            ingest=self.ingest,
            metrics=metrics,
        )


async def test_what_is_like_it_is_found_and_it_is_left_to_be_kept() -> None:
    it = Remembering()
    await it.memory.remember([replace(RECORD, owner_name="cart")], deadline_seconds=1)
    found = await it.remembrance.recall_and_remember(RECORD)
    assert found.unavailable is None
    assert [each.reference for each in found.similar] == [RECORD.reference]
    assert len(it.ingest) == 1
    assert len(it.store.payloads()) == 1


@pytest.mark.parametrize("reason", ["StoreLocked", "ModelMismatch"])
async def test_without_a_memory_it_says_why_and_is_kept_for_later(reason: Any) -> None:
    it = Remembering()
    it.store.fail = unavailable(reason)
    found = await it.remembrance.recall_and_remember(RECORD)
    assert found.unavailable == (reason, f"injected: {reason}")
    assert (found.similar, found.runbooks) == ((), ())
    assert len(it.ingest) == 1
    sample = {"reason": reason}
    assert it.registry.get_sample_value("kausa_memory_unavailable_total", sample) == 1


async def test_it_never_finds_itself() -> None:
    it = Remembering()
    await it.memory.remember([RECORD], deadline_seconds=1)
    assert (await it.remembrance.recall_and_remember(RECORD)).similar == ()


def test_the_record_has_what_only_a_witness_knows() -> None:
    seen = dossier(CRASHES, log="java.lang.OutOfMemoryError: Java heap space\n")
    assert seen.symptom is not None
    record = failure_record(
        seen,
        seen.symptom,
        decide(seen),
        cluster="test",
        fingerprint="4f1c2a",
        occurrences=2,
        first_seen=NOON,
        last_seen=NOON,
        reference="shop/x",
    )
    assert (record.owner, record.container) == ("Deployment/checkout", "api")
    assert record.image == seen.pod.spec.all_containers[0].image
    assert "OutOfMemoryError" in record.text
    assert record.record_id == replace(record, text="", image=None).record_id
