from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest

from kausa_embedder.errors import EmbedderError, ModelMissingError
from kausa_embedder.inference import Inference
from kausa_embedder.models import DEFAULT_MODEL
from kausa_embedder.session import Session


class FakeSession:
    """A session that takes its time and notes its threads."""

    dimensions = 3

    def __init__(self, *, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self.threads: set[int] = set()
        self.seen: list[str] = []

    def embed(self, texts: list[str]) -> list[list[float]]:
        self.threads.add(threading.get_ident())
        self.seen += texts
        time.sleep(self._seconds)
        return [[1.0, 0.0, 0.0] for _ in texts]


class FakeLoader:
    """Fails as often as it is told, then loads."""

    def __init__(self, session: FakeSession, *, failures: int = 0, seconds: float = 0.0) -> None:
        self._session = session
        self._failures = failures
        self._seconds = seconds
        self.loads = 0

    def __call__(self, **_: Any) -> Session:
        self.loads += 1
        time.sleep(self._seconds)
        if self.loads <= self._failures:
            raise ModelMissingError("not there")
        return cast("Session", self._session)


def inference(loader: FakeLoader) -> Inference:
    return Inference(spec=DEFAULT_MODEL, folder=Path("unused"), load=loader)


async def test_the_model_is_loaded_once_and_used_on_one_thread() -> None:
    session = FakeSession()
    loader = FakeLoader(session)
    embedder = inference(loader)
    assert embedder.dimensions == 0
    await asyncio.gather(*(embedder.embed([str(number)]) for number in range(20)))
    assert (loader.loads, embedder.dimensions) == (1, 3)
    assert len(session.threads) == 1
    assert threading.get_ident() not in session.threads
    await embedder.close()


async def test_a_model_that_appears_later_is_loaded_then() -> None:
    embedder = inference(FakeLoader(FakeSession(), failures=1))
    with pytest.raises(ModelMissingError):
        await embedder.start()
    assert await embedder.start() == 3
    await embedder.close()


async def test_a_load_that_outlasts_its_caller_is_kept() -> None:
    loader = FakeLoader(FakeSession(), seconds=0.1)
    embedder = inference(loader)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(embedder.start(), 0.02)
    assert await embedder.start() == 3
    assert loader.loads == 1
    await embedder.close()


async def test_a_text_that_nobody_waits_for_is_not_embedded() -> None:
    session = FakeSession(seconds=0.05)
    embedder = inference(FakeLoader(session))
    first = asyncio.create_task(embedder.embed(["first"]))
    await asyncio.sleep(0.01)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(embedder.embed(["abandoned"]), 0.01)
    await first
    await embedder.embed(["last"])
    assert session.seen == ["first", "last"]
    await embedder.close()


async def test_a_closed_embedder_says_so() -> None:
    embedder = inference(FakeLoader(FakeSession()))
    await embedder.close()
    with pytest.raises(EmbedderError, match="closed"):
        await embedder.embed(["text"])
