"""Wherever a look begins, in Kopf's loop, by time or at the model's turn, its lines have one id."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest
from support.fake_kind_server import FakeKindServer, resource, until
from support.logs import captured_log

from kausa.controller.consulting import Consulting
from kausa.controller.kopf_host import KopfHost
from kausa.controller.looks import Looks
from kausa.diagnosis.consultation_gate import Gate
from kausa.diagnosis.consultation_queue import ConsultationQueue
from kausa.telemetry.following import following
from kausa.telemetry.logs import get_logger

logger = get_logger("kausa.test")


def lines_of(log: Any) -> list[dict[str, Any]]:
    return [json.loads(each) for each in log.getvalue().splitlines()]


async def test_what_kopfs_loop_says_of_a_look_has_the_id_of_what_ours_says() -> None:
    async def changed(body: dict[str, Any]) -> None:
        # As the reconciler does, which knows the name alone.
        with following("shop/" + body["metadata"]["name"]):
            logger.info("Here", name="shop/" + body["metadata"]["name"])
        raise ValueError("a defect")

    async def deleted(body: dict[str, Any]) -> None:
        """Nothing goes."""

    async with FakeKindServer() as server:
        server.items = [resource("one"), resource("two")]
        host = KopfHost(
            credentials=server.credentials, namespace=None, on_change=changed, on_delete=deleted
        )
        with captured_log() as log:
            task = asyncio.ensure_future(host.run())
            await until(lambda: log.getvalue().count("Could not diagnose") >= 2)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    lines = [each for each in lines_of(log) if each["event"] in ("Here", "Could not diagnose")]
    for name in ("shop/one", "shop/two"):
        mine = [each for each in lines if each["name"] == name][:2]
        assert [each["event"] for each in mine] == ["Here", "Could not diagnose"]
        (look,) = {each["diagnosis"] for each in mine}
        assert look.startswith(f"{name}#")


async def test_looks_that_are_due_have_each_an_id_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kausa.controller.looks.TICK_SECONDS", 0.01)
    now = 0.0
    looks = Looks(refresh_seconds=600, clock=lambda: now)
    keys = [("shop", "one"), ("shop", "two")]
    for key in keys:
        looks.looked(key, missing=True)
    now = 1000.0
    looked: list[str] = []

    async def look(key: tuple[str, str]) -> None:
        looked.append(key[1])
        await asyncio.sleep(0)
        logger.info("Here", of=key[1])
        raise ValueError("a defect")

    with captured_log() as log:
        task = asyncio.ensure_future(looks.run(look))
        await until(lambda: log.getvalue().count("Could not look again") == 2)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    lines = lines_of(log)
    for name in ("one", "two"):
        mine = [each for each in lines if each["diagnosis"].startswith(f"shop/{name}#")]
        assert [each["event"] for each in mine] == ["Here", "Could not look again"]
        assert len({each["diagnosis"] for each in mine}) == 1


async def test_turns_of_the_model_have_each_an_id_of_their_own() -> None:
    async def probe() -> None:
        """The model is there."""

    gate = Gate(probe=probe)
    queue: ConsultationQueue[tuple[str, str]] = ConsultationQueue(size=10, concurrent=2, gate=gate)
    consulting = Consulting(queue=queue, gate=gate)

    async def ask(key: tuple[str, str]) -> None:
        logger.info("Asking", of=key[1])
        await asyncio.sleep(0)
        logger.info("Asked", of=key[1])

    async def tell(*_: Any) -> None:
        """Nobody waits."""

    for name in ("one", "two"):
        consulting.offer(("shop", name), bonus_seconds=0.0)
    with captured_log() as log:
        task = asyncio.ensure_future(consulting.run(ask=ask, tell=tell))
        await until(lambda: log.getvalue().count("Asked") == 2)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    for name in ("one", "two"):
        looks = {each["diagnosis"] for each in lines_of(log) if each.get("of") == name}
        assert len(looks) == 1
        assert looks.pop().startswith(f"shop/{name}#")
