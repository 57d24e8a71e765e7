"""The memory's runbooks become what the API server's are, whatever happens on the way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from support.fake_runbooks import FakeRunbookMemory, FakeRunbookStore, away, made_runbook
from support.fake_store import overloaded

from kausa.controller.runbook_documents import prepare
from kausa.controller.runbooks import RunbookIndexer
from kausa.evidence.redaction import Redactor
from kausa.memory.errors import InvalidRecordError
from kausa.recall.runbook_library import BUILTIN, built_in_runbooks
from kausa.resources.condition import INDEXED, ConditionStatus, find_condition
from kausa.resources.runbook import RunbookStatus

TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"  # made up


def indexer(
    store: FakeRunbookStore,
    memory: FakeRunbookMemory | None,
    *,
    namespace: str | None = None,
    on_changed: Callable[[], None] = lambda: None,
    on_built_in: Callable[[], None] = lambda: None,
) -> RunbookIndexer:
    return RunbookIndexer(
        store=store,  # type: ignore[arg-type]
        memory=memory,
        redactor=Redactor(key=b"k" * 32),
        cluster="c1",
        namespace=namespace,
        on_changed=on_changed,
        on_built_in=on_built_in,
        first_pause_seconds=0.01,
    )


@contextlib.asynccontextmanager
async def working(found: RunbookIndexer) -> AsyncIterator[RunbookIndexer]:
    task = asyncio.ensure_future(found.run())
    try:
        yield found
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def says(status: RunbookStatus) -> tuple[ConditionStatus, str]:
    condition = find_condition(status.conditions or (), INDEXED)
    assert condition is not None
    return condition.status, condition.reason


async def settled(store: FakeRunbookStore, **which: str) -> RunbookStatus:
    key = which.get("namespace", "shop"), which.get("name", "registry")
    await until(
        lambda: (
            (found := store.there[key]).status is not None
            and found.status.observed_generation == found.metadata.generation
        )
    )
    return store.status(*key)


async def test_a_runbook_is_indexed_and_its_status_says_so() -> None:
    store, memory = FakeRunbookStore(), FakeRunbookMemory()
    async with working(indexer(store, memory)) as found:
        store.put(made_runbook())
        await found.told("ADDED", store.there["shop", "registry"].to_dict())
        status = await settled(store)
    assert says(status) == (ConditionStatus.TRUE, "Indexed")
    assert (status.chunks, status.observed_generation) == (2, 1)
    assert status.indexed_time is not None
    kept = memory.kept["shop/registry"]
    assert [each.headings for each in kept] == [("Look",), ("Do",)]
    assert {each.namespace for each in kept} == {"shop"}


async def test_a_change_is_indexed_in_place_of_what_was_there() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    async with working(indexer(store, memory)) as found:
        await settled(store)
        store.put(made_runbook(generation=2, content="Call the other team.\n"))
        await found.told("MODIFIED", store.there["shop", "registry"].to_dict())
        status = await settled(store)
    assert (status.chunks, status.observed_generation) == (1, 2)
    assert [each.text for each in memory.kept["shop/registry"]] == ["Call the other team."]


async def test_a_runbook_that_is_deleted_is_found_no_more() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    async with working(indexer(store, memory)) as found:
        await settled(store)
        gone = store.there.pop(("shop", "registry"))
        await found.told("DELETED", gone.to_dict())
        await until(lambda: "shop/registry" not in memory.kept)


async def test_who_keeps_answers_is_told_of_what_was_written_and_removed() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    told: list[int] = []
    found = indexer(store, memory, on_changed=lambda: told.append(len(memory.kept)))
    for _ in range(2):
        found.changed(namespace="shop", name="registry")
        await found._round()
    store.there.clear()
    found.changed(namespace="shop", name="registry")
    await found._round()
    assert told == [1, 0]


async def test_who_keeps_answers_is_told_of_built_in_runbooks_too() -> None:
    store, memory = FakeRunbookStore(), FakeRunbookMemory()
    told: list[int] = []
    found = indexer(store, memory, on_changed=lambda: told.append(len(memory.kept)))
    await found.sweep(memory)
    assert told[-1] == len(built_in_runbooks())
    told.clear()
    await found.sweep(memory)
    assert told == []


async def test_once_all_built_in_runbooks_are_there_it_is_told_and_not_before() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    told: list[int] = []
    found = indexer(store, memory, on_built_in=lambda: told.append(len(memory.kept)))
    for _ in range(2):
        await found.sweep(memory)
    assert told == [len(built_in_runbooks())]


async def test_the_status_is_not_written_again_and_again() -> None:
    # Round by round: beside a running sweep nobody could tell who asked the memory.
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    found = indexer(store, memory)
    found.changed(namespace="shop", name="registry")
    await found._round()
    assert (len(store.written), memory.calls) == (1, 1)
    await found.told("MODIFIED", store.there["shop", "registry"].to_dict())
    await found._round()
    assert memory.calls == 1
    await found.told(None, store.there["shop", "registry"].to_dict())
    await found._round()
    assert (len(store.written), memory.calls) == (1, 2)
    assert memory.kept["shop/registry"]


async def test_while_the_memory_is_away_the_status_says_why_and_it_catches_up() -> None:
    store, memory = FakeRunbookStore(made_runbook(), made_runbook("other")), FakeRunbookMemory()
    memory.error = away()
    async with working(indexer(store, memory)) as found:
        for runbook in list(store.there.values()):
            await found.told(None, runbook.to_dict())
        for name in ("registry", "other"):
            status = await settled(store, name=name)
            assert says(status) == (ConditionStatus.FALSE, "StoreUnavailable")
        memory.error = None
        await until(lambda: says(store.status())[0] is ConditionStatus.TRUE)
        await until(lambda: says(store.status(name="other"))[0] is ConditionStatus.TRUE)
        await until(lambda: len(memory.kept) == 2 + len(built_in_runbooks()))


async def test_a_fault_of_the_api_server_is_ridden_out() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    store.fails = [overloaded(), overloaded(), overloaded()]
    async with working(indexer(store, memory)) as found:
        found.changed(namespace="shop", name="registry")
        await until(lambda: store.written and says(store.status())[0] is ConditionStatus.TRUE)


async def test_a_pattern_that_cannot_be_used_is_refused_and_nothing_of_it_is_searched() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    async with working(indexer(store, memory)) as found:
        await settled(store)
        store.put(made_runbook(generation=2, match={"messagePattern": r"(a)\1"}))
        await found.told("MODIFIED", store.there["shop", "registry"].to_dict())
        await until(lambda: store.status().observed_generation == 2)
    assert says(store.status()) == (ConditionStatus.FALSE, "InvalidPattern")
    assert store.status().chunks == 0
    assert "shop/registry" not in memory.kept


async def test_a_blank_text_is_refused() -> None:
    store, memory = FakeRunbookStore(made_runbook(content=" \n ")), FakeRunbookMemory()
    async with working(indexer(store, memory)):
        status = await settled(store)
    assert says(status) == (ConditionStatus.FALSE, "Empty")


async def test_what_the_memory_refuses_is_said_and_not_tried_for_ever() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    memory.error = InvalidRecordError("a runbook record is malformed")
    found = indexer(store, memory)
    found.changed(namespace="shop", name="registry")
    assert await found._round() == []
    assert says(store.status()) == (ConditionStatus.FALSE, "MemoryFailed")


async def test_no_secret_reaches_the_memory() -> None:
    store = FakeRunbookStore(made_runbook(content=f"# Do\nUse the token {TOKEN} and call us.\n"))
    memory = FakeRunbookMemory()
    async with working(indexer(store, memory)):
        status = await settled(store)
    assert TOKEN not in repr(memory.kept)
    condition = find_condition(status.conditions or (), INDEXED)
    assert condition is not None
    assert "1 secret left out" in condition.message


@pytest.mark.parametrize(
    ("part", "match"),
    [
        ("reasons", {"reasons": [TOKEN]}),
        ("messagePattern", {"messagePattern": f"denied for {TOKEN}"}),
        ("labels", {"labels": [{"key": "app", "value": TOKEN}]}),
    ],
)
def test_a_match_that_holds_a_secret_is_refused_and_nothing_of_it_is_searched(
    part: str, match: dict[str, Any]
) -> None:
    prepared = prepare(
        made_runbook(match=match),
        cluster="c",
        redact=Redactor(key=b"k" * 32).text,
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )
    assert prepared.chunks == ()
    assert prepared.problem is not None
    assert prepared.problem[0] == "SecretInMatch"
    assert f"match.{part} " in prepared.problem[1]
    assert TOKEN not in prepared.problem[1]


@pytest.mark.parametrize("pattern", [r"invalid token: \S+", "password=.*", "pull .* denied"])
def test_a_pattern_that_looks_for_a_secret_has_none(pattern: str) -> None:
    prepared = prepare(
        made_runbook(match={"messagePattern": pattern}),
        cluster="c",
        redact=Redactor(key=b"k" * 32).text,
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )
    assert prepared.problem is None


async def test_without_a_memory_the_status_says_so() -> None:
    store = FakeRunbookStore(made_runbook())
    async with working(indexer(store, None)) as found:
        await found.told(None, store.there["shop", "registry"].to_dict())
        status = await settled(store)
    assert says(status) == (ConditionStatus.FALSE, "MemoryDisabled")


# -- what nobody told ----------------------------------------------------------------------------


async def swept(found: RunbookIndexer, memory: FakeRunbookMemory) -> None:
    await found.sweep(memory)
    assert await found._round() == []


async def test_a_deletion_that_nobody_saw_is_made_good() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    found = indexer(store, memory)
    await swept(found, memory)
    assert "shop/registry" in memory.kept
    store.there.clear()
    await swept(found, memory)
    assert "shop/registry" not in memory.kept


async def test_a_memory_that_was_lost_is_filled_again_although_every_status_says_indexed() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    found = indexer(store, memory)
    await swept(found, memory)
    before = dict(memory.kept)
    memory.kept.clear()
    await swept(found, memory)
    assert set(memory.kept) == set(before)


async def test_a_memory_that_was_restored_is_given_the_text_of_now() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    found = indexer(store, memory)
    await swept(found, memory)
    backup = dict(memory.kept)
    for change in (
        {"content": "Call the other team.\n"},
        {"match": {"reasons": ["OOMKilled"]}},
        {"title": "The other registry"},
    ):
        generation = store.there["shop", "registry"].metadata.generation or 0
        store.put(made_runbook(generation=generation + 1, **change))
        await swept(found, memory)
        now = memory.kept["shop/registry"]
        memory.kept = dict(backup)
        await swept(found, memory)
        assert (
            memory.kept["shop/registry"][0].digest
            == now[0].digest
            != backup["shop/registry"][0].digest
        )


async def test_a_runbook_that_is_as_it_was_indexed_is_not_asked_for_in_every_sweep() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    found = indexer(store, memory)
    await swept(found, memory)
    await found.sweep(memory)
    assert not found._pending


async def test_a_sweep_that_finds_nothing_writes_nothing() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    found = indexer(store, memory)
    await swept(found, memory)
    writes, written = memory.writes, len(store.written)
    await swept(found, memory)
    assert (memory.writes, len(store.written)) == (writes, written)


async def test_built_in_runbooks_come_with_the_release_and_go_with_it() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    found = indexer(store, memory)
    await swept(found, memory)
    ours = {source for source in memory.kept if source.startswith(BUILTIN)}
    assert len(ours) == len(built_in_runbooks())
    memory.kept[f"{BUILTIN}of-an-older-release"] = memory.kept["shop/registry"]
    await swept(found, memory)
    assert {source for source in memory.kept if source.startswith(BUILTIN)} == ours


async def test_what_is_no_resource_or_another_operators_is_left_alone() -> None:
    memory = FakeRunbookMemory()
    found = indexer(FakeRunbookStore(made_runbook()), memory, namespace="shop")
    await swept(found, memory)
    passage = memory.kept["shop/registry"]
    others = ("file:notes/oom.md", "billing/their-own", "a/b/c")
    memory.kept |= dict.fromkeys((*others, "shop/gone"), passage)
    await swept(found, memory)
    assert set(others) <= set(memory.kept)
    assert "shop/gone" not in memory.kept


async def test_nothing_is_removed_where_runbooks_cannot_be_listed() -> None:
    store, memory = FakeRunbookStore(made_runbook()), FakeRunbookMemory()
    found = indexer(store, memory)
    await swept(found, memory)
    store.there.clear()
    store.fails = [overloaded()]
    with pytest.raises(type(overloaded())):
        await found.sweep(memory)
    assert "shop/registry" in memory.kept
