"""What one attempt met holds for all others for a while, and is not asked for again meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from support.virtual_time import VirtualTimeLoop

from kausa.diagnosis.errors import ModelError, ModelMissing, ModelUnavailable
from kausa.diagnosis.model.boundary import AttemptFailed
from kausa.diagnosis.model.breaker import ModelCircuitOpen
from kausa.diagnosis.model.transport import Held, Transport

EVENT_LOOP = VirtualTimeLoop


def failed(error: ModelError, *, seconds: float, again: bool) -> Held:
    return Held(AttemptFailed(error, alive=False), seconds=seconds, again=again)


def transport() -> Transport:
    return Transport(
        model="tiny", where="http://model.example", clock=lambda: asyncio.get_running_loop().time()
    )


class Attempts:
    """Fails so often, then works."""

    def __init__(self, *errors: Held) -> None:
        self.errors = list(errors)
        self.at: list[float] = []

    async def __call__(self) -> str:
        self.at.append(asyncio.get_running_loop().time())
        if self.errors:
            raise self.errors.pop(0)
        return "answered"


async def test_half_of_the_time_stays_for_the_answer() -> None:
    asked = transport()
    soon = Attempts(failed(ModelUnavailable("busy"), seconds=59, again=True))
    assert await asked.ask(soon, deadline_seconds=120) == "answered"
    assert 59 <= soon.at[1] - soon.at[0] <= 60

    late = Attempts(failed(ModelUnavailable("busy"), seconds=60, again=True))
    with pytest.raises(ModelUnavailable, match="busy"):
        await asked.ask(late, deadline_seconds=120)
    assert len(late.at) == 1


async def test_after_the_wait_it_is_asked_again() -> None:
    asked = transport()
    attempts = Attempts(failed(ModelUnavailable("busy"), seconds=90, again=True))
    with pytest.raises(ModelUnavailable):
        await asked.ask(attempts, deadline_seconds=20)
    await asyncio.sleep(89)
    with pytest.raises(ModelCircuitOpen):
        await asked.ask(attempts, deadline_seconds=20)
    await asyncio.sleep(1.5)
    assert await asked.ask(attempts, deadline_seconds=20) == "answered"
    assert len(attempts.at) == 2


async def test_what_holds_for_every_question_is_said_again_in_the_same_words() -> None:
    asked = transport()
    attempts = Attempts(failed(ModelMissing("no such model"), seconds=60, again=False))
    for _ in range(3):
        with pytest.raises(ModelMissing, match="no such model"):
            await asked.ask(attempts, deadline_seconds=200)
    assert len(attempts.at) == 1
