"""Whoever wants to read runbooks beforehand is told of their passages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.fake_memory import FakeVectorStore, fake_memory
from support.records import NOON

from kausa.memory.chunking.markdown import RunbookSource, runbook_chunks

SOURCE = RunbookSource(
    cluster="test", name="oom", source="ops/oom", title="Out of memory", changed_at=NOON
)
CHUNKS = runbook_chunks("# See\nExit code 137.\n# Do\nRaise the limit.\n", of=SOURCE)


class Told(list[str]):
    def __call__(self, passages: Sequence[str]) -> None:
        self.extend(passages)


async def test_who_watches_is_told_what_is_written_as_it_will_be_found() -> None:
    store, told = FakeVectorStore(), Told()
    memory = fake_memory(store)
    memory.watch_runbooks(told)
    await memory.upsert_runbook(CHUNKS, deadline_seconds=1)
    passages = [each["passage"] for each in store.payloads("runbooks")]
    assert sorted(told) == sorted(passages)
    assert len(passages) == 2
    await memory.upsert_runbook(CHUNKS, deadline_seconds=1)
    assert len(told) == 2, "what is there already is not written"


async def test_who_watches_is_told_once_what_was_there_before_and_only_of_this_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, told = FakeVectorStore(), Told()
    before = fake_memory(store)
    elsewhere = runbook_chunks("Elsewhere.\n", of=replace(SOURCE, cluster="elsewhere"))
    for chunks in (CHUNKS, elsewhere):
        await before.upsert_runbook(chunks, deadline_seconds=1)
    memory = fake_memory(store)
    memory.watch_runbooks(told)

    async def breaks(*_: Any, **__: Any) -> None:
        raise OSError("injected")

    with monkeypatch.context() as patch:
        patch.setattr(store, "scroll", breaks)
        with pytest.raises(OSError, match="injected"):
            await memory.runbook_sources(cluster="test", deadline_seconds=1)
    for _ in range(2):
        sources = await memory.runbook_sources(cluster="test", deadline_seconds=1)
        assert sources == {"ops/oom": CHUNKS[0].digest}
    assert len(told) == 2
    assert all("Elsewhere" not in each for each in told)
