"""Secrets of every kind, planted in whole objects, are in nothing that leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bench.redaction.clean import clean_log, hidden_wrongly
from bench.redaction.doors import DOORS, Scene, leave
from bench.redaction.kinds import KINDS
from bench.redaction.leaks import find_leaks
from bench.redaction.measuring import measure_planted
from bench.redaction.planting import Plant, scenes
from support.effort import THOROUGH

from kausa.evidence.redaction import Redactor
from kausa.evidence.redaction import redactor as module

REDACTOR = Redactor(key=b"one key for one cluster")
pytestmark = pytest.mark.timeout(180)


def test_none_of_the_planted_secrets_is_in_what_leaves() -> None:
    secrets = 2000 if THOROUGH else 100
    found = measure_planted(seed=7, secrets=secrets)

    assert not found.leaks
    assert not found.withheld
    assert len(found.kinds) == len(KINDS) >= 40
    assert sum(found.kinds.values()) == secrets


@pytest.fixture
def plants() -> Iterator[Plant]:
    return scenes(seed=11, secrets=80)


def test_the_search_finds_every_secret_where_nothing_was_hidden(plants: Iterator[Plant]) -> None:
    for plant in plants:
        planted = {f"{secret.kind} | {how}" for secret, how in plant.secrets}
        raw = {"raw": _everything(plant.scene)}

        assert {how for how, _, _ in find_leaks(plant.secrets, raw)} == planted


def test_what_is_planted_comes_to_every_door(
    plants: Iterator[Plant], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find", lambda *_, **__: [])

    open_doors: set[str] = set()
    for plant in plants:
        left = dict(leave(plant.scene, redactor=REDACTOR))
        open_doors |= {door for _, door, _ in find_leaks(plant.secrets, left)}

    assert open_doors == set(DOORS)


def test_fewer_than_one_in_a_thousand_clean_words_is_hidden() -> None:
    text = clean_log(seed=3, size=150_000)

    result = hidden_wrongly(REDACTOR, text)

    assert result.tokens > 10_000
    assert result.per_thousand < 1


def test_a_word_that_is_hidden_wrongly_is_counted() -> None:
    result = hidden_wrongly(REDACTOR, "one two\npassword=a1b2c3 three\n")

    assert result.tokens == 4
    assert result.hidden == ("password=a1b2c3",)


def _everything(scene: Scene) -> str:
    variables = [f"{each['name']}={each['value']}" for each in scene.env]
    objects = [repr(each) for each in scene.objects]
    texts = (*scene.events, *scene.annotations.values(), *variables, *scene.args, *objects)
    return "\n".join([scene.log, scene.message, scene.question, *texts, *map(repr, texts)])
