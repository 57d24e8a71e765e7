"""A server that says when it wants to be asked again is asked then, and not before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.fake_model_server import FakeModelServer
from support.model_clients import ANSWER, ask

from kausa.diagnosis.errors import ModelUnavailable
from kausa.diagnosis.model.asked_to_wait import LONGEST_WAIT_SECONDS, retry_after_seconds
from kausa.diagnosis.model.breaker import ModelCircuitOpen
from kausa.diagnosis.model.protocol import LanguageModel


def busy(server: FakeModelServer, seconds: str, *, status: int = 429) -> None:
    server.script = [
        server.raw("{}", status=status, headers={"Retry-After": seconds}),
        server.says(ANSWER),
    ]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_wait_beyond_the_deadline_is_given_up_at_once_and_kept_by_all(
    server: FakeModelServer, model: LanguageModel, status: int
) -> None:
    busy(server, "90", status=status)

    with pytest.raises(ModelUnavailable, match=str(status)):
        await ask(model, seconds=20)
    for attempt in (ask(model), model.check(deadline_seconds=2)):
        with pytest.raises(ModelCircuitOpen, match=r"left alone; it is asked again in (90|89)"):
            await attempt

    assert len(server.requests) == 1


async def test_a_short_wait_is_waited_for(server: FakeModelServer, model: LanguageModel) -> None:
    busy(server, "0.01")

    assert (await ask(model)).text == ANSWER
    assert len(server.requests) == 2


async def test_a_busy_server_that_says_nothing_is_not_asked_again(
    server: FakeModelServer, model: LanguageModel
) -> None:
    busy(server, "soon")

    with pytest.raises(ModelUnavailable, match="429"):
        await ask(model)

    assert len(server.requests) == 1
    assert (await ask(model)).text == ANSWER


async def test_a_list_that_is_refused_for_a_while_is_not_asked_for_again(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.listing = server.raw("{}", status=429, headers={"Retry-After": "60"})
    with pytest.raises(ModelUnavailable):
        await model.check(deadline_seconds=2)

    server.listing = server._models
    with pytest.raises(ModelCircuitOpen):
        await model.check(deadline_seconds=2)


NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("90", 90),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("999999999", LONGEST_WAIT_SECONDS),
        ("Sun, 22 Nov 2026 09:01:30 GMT", 90),
        ("Sun, 22 Nov 2026 08:00:00 GMT", 0),
        ("Sun, 22 Nov 2099 08:00:00 GMT", LONGEST_WAIT_SECONDS),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("1e9", None),
        ("Sun, 99 Nov 2026 09:01:30 GMT", None),
    ],
)
def test_a_wait_is_seconds_or_a_date_and_bounded(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value, now=lambda: NOW) == seconds
