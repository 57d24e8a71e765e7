"""Recall on a real embedded store: every filter finds what it means, and no tenant another's text.

What is another's says the same in the same words as ours, so nothing but the filters keeps it away;
whatever would tell of it holds the word SECRET.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.edge_in_process import in_process_store
from support.fake_memory import FakeEmbedder
from support.records import NOON, RECORD
from support.store_contract import SCHEMA

from kausa.commands import recall as recall_command
from kausa.memory.chunking.markdown import RunbookSource, runbook_chunks
from kausa.memory.records import FailureRecord, RolloutRecord
from kausa.memory.service import FailureMemory
from kausa.recall.ranking import Ranking
from kausa.recall.recall import Recall, RecallOptions
from kausa.recall.requests import RecallFilters, SearchRequest
from kausa.recall.results import Answer
from kausa.recall.similar import SimilarFailures

SECONDS = 30.0
SECRET = "SECRET"
TEXT = RECORD.embedding_text
MENDED = replace(
    RECORD,
    owner_name="cart",
    reference="shop/cart",
    labels=("app=cart", "tier=front"),
    outcome="Resolved",
    resolved_at=NOON + timedelta(hours=1),
    resolution="the limit was raised",
    changed=("memory limit 256Mi -> 512Mi",),
)
ROLLOUT = RolloutRecord(
    cluster="test",
    namespace="shop",
    owner_kind="Deployment",
    owner_name="checkout",
    revision="7",
    outcome="SUCCEEDED",
    changed=("cpu limit 1 -> 2",),
    first_seen=NOON,
    last_seen=NOON,
)
OURS = RecallFilters(cluster="test", namespaces=("shop",), everywhere=("kausa",))


def secret_failure(cluster: str, namespace: str) -> FailureRecord:
    return replace(
        MENDED,
        cluster=cluster,
        namespace=namespace,
        image=SECRET,
        node=f"node-{SECRET}",
        labels=("app=cart", f"who={SECRET}"),
        reference=f"{namespace}/{SECRET}",
        resolution=SECRET,
        changed=(SECRET,),
        reward_sum=50.0,
        reward_count=50,
    )


def secret_rollout(cluster: str, namespace: str) -> RolloutRecord:
    return replace(
        ROLLOUT, cluster=cluster, namespace=namespace, changed=(SECRET,), images=(SECRET,)
    )


async def add_runbook(
    memory: FailureMemory, name: str, *, namespace: str | None, cluster: str = "test"
) -> None:
    source = RunbookSource(
        cluster=cluster,
        namespace=namespace,
        name=name.lower(),
        source=f"{namespace}/{name}",
        title=name,
        changed_at=NOON,
    )
    chunks = runbook_chunks(f"# Out of memory\n{TEXT}\n", of=source)
    await memory.upsert_runbook(chunks, deadline_seconds=SECONDS)


@pytest.fixture
async def memory(folder: Path) -> AsyncIterator[FailureMemory]:
    """Ours, another namespace's and another cluster's."""
    memory = FailureMemory(
        embedder=FakeEmbedder(model=SCHEMA.model, dimensions=SCHEMA.dimensions),
        store=in_process_store(folder),
    )
    others = (("test", "pay"), ("prod", "shop"), ("prod", "pay"))
    records: list[FailureRecord | RolloutRecord] = [
        *(RECORD, MENDED, ROLLOUT),
        *(secret_failure(*each) for each in others),
        *(secret_rollout(*each) for each in others),
    ]
    await memory.remember(records, deadline_seconds=SECONDS)
    await add_runbook(memory, "Ours", namespace="shop")
    await add_runbook(memory, "Operators", namespace="kausa")
    await add_runbook(memory, "Builtin", namespace=None)
    await add_runbook(memory, SECRET, namespace="pay")
    for namespace in ("shop", "kausa", None):
        await add_runbook(memory, SECRET, namespace=namespace, cluster="prod")
    yield memory
    await memory.close()


def request(filters: RecallFilters = OURS, **more: Any) -> SearchRequest:
    return SearchRequest(text=TEXT, filters=filters, limit=50, rerank=False, **more)


def sources(answer: Answer) -> set[str]:
    return {each.source for each in answer.results}


MATCHING: dict[str, tuple[Any, Any]] = {
    "cluster": ("test", "nowhere"),
    "namespaces": (("shop", "x"), ("x",)),
    "owners": (("Deployment/cart",), ("Deployment/x",)),
    "containers": (("api",), ("x",)),
    "nodes": (("node-1",), ("x",)),
    "categories": (("OOMKilled",), ("x",)),
    "reasons": (("OOMKilled",), ("x",)),
    "exit_code": (137, 1),
    "outcomes": (("Resolved",), ("Dismissed",)),
    "labels": (("app=cart", "tier=front"), ("app=cart", "tier=back")),
    "after": (MENDED.last_seen, MENDED.last_seen + timedelta(seconds=1)),
    "before": (MENDED.last_seen + timedelta(seconds=1), MENDED.last_seen),
    "exclude_record": (RECORD.record_id, MENDED.record_id),
}


async def test_every_filter_of_a_search_has_an_index_and_finds_what_it_means(
    memory: FailureMemory,
) -> None:
    recall = Recall(memory=memory)
    # Runbooks alone know namespaces whose runbooks apply everywhere.
    assert {each.name for each in dataclasses.fields(RecallFilters)} == {*MATCHING, "everywhere"}
    for name, (fits, does_not) in MATCHING.items():
        for value, expected in ((fits, True), (does_not, False)):
            filters = replace(OURS, **{name: value})
            found = sources(await recall.failures(request(filters)))
            assert ("shop/cart" in found) is expected, (name, value)
    both = replace(OURS, **{name: fits for name, (fits, _) in MATCHING.items()})
    assert sources(await recall.failures(request(both))) == {"shop/cart"}


async def test_nothing_of_another_namespace_or_cluster_is_ever_answered(
    memory: FailureMemory,
) -> None:
    recall = Recall(memory=memory)
    similar = SimilarFailures(memory=memory)
    failures = await recall.failures(request())
    assert sources(failures) == {RECORD.reference, "shop/cart"}
    rollouts = await recall.rollouts(request())
    assert len(rollouts.results) == 1
    runbooks = await recall.runbooks(request())
    assert {each.record.headline for each in runbooks.results} == {
        "Ours > Out of memory",
        "Operators > Out of memory",
        "Builtin > Out of memory",
    }
    runbooks_for = await recall.runbooks_for(RECORD, everywhere=("kausa",), limit=50)
    assert len(runbooks_for.results) == 3
    alike = await recall.similar(RECORD, limit=50)
    assert sources(alike) == {"shop/cart"}
    listed = await similar.find(RECORD, limit=50, deadline_seconds=SECONDS)
    assert [each.reference for each in listed] == ["shop/cart"]
    fixes = await recall.suggest_fix(RECORD, limit=50)
    assert {each.changes for each in fixes.suggestions} == {MENDED.changed, ROLLOUT.changed}
    assert all(each.tried == 1 for each in fixes.suggestions), "others' tries are not counted"
    asked_for = await recall.suggest_fix(request(), limit=50)
    assert MENDED.changed in {each.changes for each in asked_for.suggestions}
    answers = (failures, rollouts, runbooks, runbooks_for, alike, listed, fixes, asked_for)
    for answer in answers:
        assert SECRET not in repr(answer)


@pytest.mark.parametrize(
    "question",
    [
        f"{RECORD.headline}?",
        f"{RECORD.headline} in namespace pay of cluster prod?",
        f"namespace=pay {RECORD.headline} and what fixed namespace shop in cluster=prod?",
        f"label who={SECRET.lower()} {RECORD.headline} on node-{SECRET.lower()}?",
    ],
)
async def test_no_question_widens_what_its_asker_may_see(
    memory: FailureMemory, question: str
) -> None:
    # Hashes for vectors say nothing of likeness, and filters are what this is about.
    recall = Recall(memory=memory, options=RecallOptions(ranking=Ranking(floor=0.0)))
    asked = await recall.ask(question, filters=OURS, limit=50)
    assert {each.record.headline for each in asked.runbooks} == {
        "Ours > Out of memory",
        "Operators > Out of memory",
        "Builtin > Out of memory",
    }
    assert {each.source for each in asked.failures} <= {RECORD.reference, "shop/cart"}
    assert SECRET not in repr((asked.failures, asked.runbooks))


async def test_an_answer_that_is_kept_is_not_given_to_another_cluster(
    memory: FailureMemory,
) -> None:
    recall = Recall(memory=memory)
    theirs = replace(OURS, cluster="prod")
    for ask in (recall.failures, recall.rollouts, recall.runbooks):
        assert SECRET in repr(await ask(request(theirs)))
        assert SECRET not in repr(await ask(request()))
        assert SECRET in repr(await ask(request(theirs)))


async def test_the_command_of_a_namespaced_installation_shows_its_own_namespace_alone(
    memory: FailureMemory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAUSA_NAMESPACE", "shop")
    monkeypatch.setenv("KAUSA_CLUSTER_NAME", "test")
    monkeypatch.setenv("KAUSA_MEMORY_PATH", str(tmp_path))
    monkeypatch.setattr("kausa.memory.opening.open_memory", lambda _settings, **_: memory)
    asked = await recall_command._ask(RECORD.headline, ("pay",), limit=50, rerank=False)
    assert {each.source for each in asked.failures} == {RECORD.reference, "shop/cart"}
    assert SECRET not in repr((asked.failures, asked.runbooks))
