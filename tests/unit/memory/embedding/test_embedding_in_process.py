"""The model in this process: loaded once, when it is needed, and again when it broke."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from support.embedding_engine import FakeEngine

from kausa.memory.embedding.in_process import InProcessEmbedder, translated
from kausa.memory.errors import MemoryUnavailableError
from kausa_embedder import errors


def embedder_of(*engines: Any) -> InProcessEmbedder:
    left = list(engines)
    return InProcessEmbedder(model_path=None, make_engine=lambda: left.pop(0))


class FakeSlowEngine(FakeEngine):
    begun = 0

    async def start(self) -> None:
        FakeSlowEngine.begun += 1
        await self._released.wait()


async def test_a_load_that_outlasts_its_caller_is_kept_for_the_next() -> None:
    FakeSlowEngine.begun = 0
    engine = FakeSlowEngine()
    embedder = embedder_of(engine)
    with pytest.raises(MemoryUnavailableError) as missed:
        await embedder.embed(["x"], deadline_seconds=0.01)
    assert missed.value.reason == "DeadlineExceeded"
    asking = asyncio.gather(*(embedder.embed(["x"], deadline_seconds=5) for _ in range(3)))
    await asyncio.sleep(0)
    engine.release()
    assert len(await asking) == 3
    assert FakeSlowEngine.begun == 1
    await embedder.close()


async def test_closing_while_it_loads_ends_the_load() -> None:
    engine = FakeSlowEngine()
    embedder = embedder_of(engine)
    asking = asyncio.create_task(embedder.embed(["x"], deadline_seconds=60))
    await asyncio.sleep(0.01)
    await embedder.close()
    await asyncio.wait([asking], timeout=5)
    assert asking.done()
    assert engine.closed
    asking.cancelled() or asking.exception()


async def test_an_engine_that_broke_is_replaced() -> None:
    broken, fresh = FakeEngine(errors=[errors.BrokenError("a stage died")]), FakeEngine()
    embedder = embedder_of(broken, fresh)
    with pytest.raises(MemoryUnavailableError, match="a stage died") as failed:
        await embedder.embed(["x"], deadline_seconds=5)
    assert failed.value.reason == "EmbedderUnavailable"
    assert broken.closed
    assert len(await embedder.embed(["x"], deadline_seconds=5)) == 1
    await embedder.close()
    assert fresh.closed


async def test_a_model_that_is_missing_may_come_later() -> None:
    absent = FakeEngine(start_error=errors.ModelMissingError("run `make embedded-models`"))
    embedder = embedder_of(absent, FakeEngine())
    with pytest.raises(MemoryUnavailableError, match="make embedded-models") as missing:
        await embedder.embed(["x"], deadline_seconds=5)
    assert missing.value.reason == "EmbedderMissing"
    assert absent.closed
    assert len(await embedder.embed(["x"], deadline_seconds=5)) == 1
    await embedder.close()


async def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    embedder = InProcessEmbedder(model_path=tmp_path)
    with pytest.raises(MemoryUnavailableError, match=str(tmp_path)) as missing:
        await embedder.embed(["x"], deadline_seconds=10)
    assert missing.value.reason == "EmbedderMissing"
    await embedder.close()


@pytest.mark.parametrize("module", ["kausa_embedder.engine", "kausa_embedder.errors"])
async def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    embedder = InProcessEmbedder(model_path=None)
    with pytest.raises(MemoryUnavailableError, match=r"install kausa\[embedded\]") as missing:
        await embedder.embed(["x"], deadline_seconds=5)
    assert missing.value.reason == "EmbedderMissing"
    await embedder.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.ModelMissingError("x"), "EmbedderMissing"),
        (errors.RuntimeMissingError("x"), "EmbedderMissing"),
        (errors.ProviderMissingError("x"), "EmbedderMissing"),
        (errors.ModelBrokenError("x"), "EmbedderFailed"),
        (errors.ChecksumError("x"), "EmbedderFailed"),
        (errors.TooLargeError("x"), "EmbedderFailed"),
        (errors.OverloadedError("x", retry_after_seconds=1), "EmbedderOverloaded"),
        (errors.ExpiredError("x"), "DeadlineExceeded"),
        (errors.BrokenError("x"), "EmbedderUnavailable"),
        (errors.ClosedError("x"), "EmbedderUnavailable"),
    ],
)
def test_every_error_of_the_engine_has_a_reason(error: errors.EmbedderError, reason: str) -> None:
    assert translated(error).reason == reason


async def test_it_tells_how_much_the_model_reads_and_how_many_passages_were_longer() -> None:
    embedder = embedder_of(FakeEngine())
    assert embedder.max_tokens == 0
    long = "one two three four five six seven eight"
    await embedder.embed([long, "short"], deadline_seconds=5)
    await embedder.embed([long], kind="query", deadline_seconds=5)
    assert (embedder.max_tokens, embedder.truncated) == (6, 1)
    await embedder.close()
