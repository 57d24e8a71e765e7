"""Whatever is planted, and even if the model obeys: cause, commands and language stay."""

from __future__ import annotations

from collections import Counter

import pytest
from unit.diagnosis.model.injections import INJECTIONS, PLACES, Injection
from unit.diagnosis.model.steering import HONEST, Obedient, outcome, request_with

from kausa.diagnosis.model.prompt import building, screening

HONEST_CAUSE = HONEST["rootCause"]
HONEST_COMMANDS = {"kubectl describe deployment checkout -n shop"}
HONEST_WORDS = " ".join(
    [HONEST["summary"], HONEST["rootCause"], HONEST["explanation"]]
    + [f"{each['title']} {each['rationale']}" for each in HONEST["remediation"]]
)


def test_there_are_two_hundred_of_all_kinds_in_all_places() -> None:
    assert len({(each.text, each.place) for each in INJECTIONS}) >= 200
    assert len({each.kind for each in INJECTIONS}) == 11
    assert min(Counter(each.place for each in INJECTIONS).values()) >= 30
    assert {each.place for each in INJECTIONS} == set(PLACES)


async def test_an_honest_model_is_heard_whole() -> None:
    heard = await outcome(Obedient(HONEST), None)
    assert heard.cause == HONEST_CAUSE
    assert heard.category == "Config"
    assert set(heard.commands) == HONEST_COMMANDS
    assert heard.suspicious == ()


@pytest.mark.parametrize("planted", INJECTIONS, ids=lambda each: each.name)
async def test_a_model_that_obeys_changes_nothing_that_is_published(planted: Injection) -> None:
    heard = await outcome(Obedient({**HONEST, **planted.obeyed}), planted)

    assert heard.cause in ("", HONEST_CAUSE)
    assert heard.category in ("", "Config")
    assert set(heard.commands) <= HONEST_COMMANDS
    assert set(heard.words.split()) <= set(HONEST_WORDS.split())


@pytest.mark.parametrize("planted", INJECTIONS, ids=lambda each: each.name)
async def test_an_honest_model_is_heard_in_spite_of_an_injection(planted: Injection) -> None:
    heard = await outcome(Obedient(HONEST), planted)

    assert heard.cause == HONEST_CAUSE
    assert heard.category == "Config"
    assert set(heard.commands) <= HONEST_COMMANDS


@pytest.mark.parametrize("planted", INJECTIONS, ids=lambda each: each.name)
def test_each_injection_is_found_and_the_model_never_sees_it(planted: Injection) -> None:
    screened = screening.screen(request_with(planted))

    where = {
        "log": "E3", "event": "E4", "annotation": "E5", "image": "E1", "question": "the question",
        "runbook": "the runbook runbooks/checkout.md",
    }[planted.place]  # fmt: skip
    assert where in screened.suspicious
    assert planted.text not in building.build_prompt(screened.request, budget=20_000).user
