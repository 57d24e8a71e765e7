"""An answer is followed sentence by sentence; what the evidence doesn't bear is never shown."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.diagnosis.model.steering import HONEST, request_with

from kausa.diagnosis.model.answer import live as live_module
from kausa.diagnosis.model.answer.live import BROKE_OFF, LiveAnswer
from kausa.diagnosis.model.answer.schema import NO_LINE
from kausa.diagnosis.model.answer.support import Corpus
from kausa.diagnosis.model.asking import ask_live
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.protocol import Completion, Message, OnText

IDS = ("E1", "E2", "E3", "E4", "E5")
MISSING = "The program needs the variable PAYMENTS_DB_DSN."
CRASHES = "Container api exited with code 1."
MADE_UP = "The server db-7 was deleted."


class Heard:
    """What was shown."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def __call__(self, part: str, sentence: str) -> None:
        self.said.append((part, sentence))


def follow(heard: Heard) -> LiveAnswer:
    corpus = Corpus(screen(request_with(None)), evidence_ids=IDS)
    return LiveAnswer(corpus, request=request_with(None), on_sentence=heard)


def written(*, cause: str, explanation: str = "") -> str:
    return json.dumps({**HONEST, "rootCause": cause, "explanation": explanation})


def test_a_sentence_is_shown_as_soon_as_the_next_one_begins() -> None:
    heard = Heard()
    live = follow(heard)
    live.hear(None)
    live.hear('{"citations": ["E2"], "rootCause": "' + MISSING)
    assert heard.said == []
    live.hear(" Co")
    assert heard.said == [("cause", MISSING)]
    live.hear('ntainer api exited with code 1.", "expl')
    assert heard.said == [("cause", MISSING), ("cause", CRASHES)]


def test_what_the_evidence_does_not_bear_is_never_shown() -> None:
    heard = Heard()
    live = follow(heard)
    live.hear(written(cause=f"{MADE_UP} {MISSING}", explanation=MADE_UP))
    assert heard.said == [("cause", MISSING)]


def test_what_a_string_says_is_no_part_of_the_answer() -> None:
    heard = Heard()
    live = follow(heard)
    live.hear(written(cause=f'It says "explanation": "{CRASHES}"', explanation=CRASHES))
    assert heard.said.count(("explanation", CRASHES)) == 1


def test_a_cause_waits_for_its_end_where_it_has_to_be_about_a_chosen_line() -> None:
    heard = Heard()
    live = follow(heard)
    live.hear(f'{{"decisiveLines": ["KeyError: \'DSN\'", "x"], "rootCause": "{CRASHES} It is')
    assert heard.said == []
    live.hear(f' so. {MISSING}", "explanation": "{CRASHES}"')
    assert heard.said == [("cause", CRASHES), ("cause", MISSING), ("explanation", CRASHES)]


def test_a_cause_that_is_about_another_line_than_the_chosen_one_is_not_shown() -> None:
    for lines, shown in ((["started"], 0), (["exited"], 1), ([NO_LINE], 1), ([], 1)):
        heard = Heard()
        said = json.dumps({"decisiveLines": lines, "rootCause": CRASHES})
        follow(heard).hear(said)
        assert len(heard.said) == shown, lines


def test_an_answer_that_broke_off_says_so_and_one_that_was_whole_does_not() -> None:
    heard = Heard()
    live = follow(heard)
    live.hear(None)
    live.hear(written(cause=MISSING)[:-2])
    live.hear(None)
    assert heard.said[-1] == ("again", BROKE_OFF)
    live.hear(written(cause=CRASHES))
    live.hear(None)
    assert heard.said[-1] == ("again", "")


def test_an_answer_that_begins_again_says_so() -> None:
    heard = Heard()
    live = follow(heard)
    live.hear(None)
    live.hear(written(cause=MISSING))
    live.hear(None)
    live.hear(written(cause=CRASHES))
    assert heard.said == [("cause", MISSING), ("again", ""), ("cause", CRASHES)]


@given(cuts=st.lists(st.integers(0, 400), max_size=12), tail=st.text(max_size=20))
def test_however_it_is_cut_the_same_sentences_are_shown_once(cuts: list[int], tail: str) -> None:
    text = written(cause=f"{MISSING} {CRASHES}", explanation=f'E2 says KeyError. "{tail}') + tail
    whole, pieces = Heard(), Heard()
    follow(whole).hear(text)
    live = follow(pieces)
    places = sorted({0, len(text), *(each for each in cuts if each < len(text))})
    for start, end in itertools.pairwise(places):
        live.hear(text[start:end])
    assert pieces.said == whole.said
    assert whole.said[:2] == [("cause", MISSING), ("cause", CRASHES)]


@given(st.text())
def test_nothing_that_a_model_writes_raises(text: str) -> None:
    live = follow(Heard())
    for piece in (text, '{"rootCause": "', text):
        live.hear(piece)


class Streaming:
    """Writes its answers in pieces of seven characters."""

    name = "streaming"

    def __init__(self, *said: str) -> None:
        self.said = list(said)

    async def check(self, *, deadline_seconds: float) -> None:
        return None

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        deadline_seconds: float,
        think: bool,
        max_output_tokens: int,
        on_text: OnText | None = None,
    ) -> Completion:
        said = self.said.pop(0)
        assert on_text is not None
        on_text(None)
        for at in range(0, len(said), 7):
            on_text(said[at : at + 7])
        return Completion(text=said, prompt_tokens=700, output_tokens=90)

    async def close(self) -> None:
        return None


async def test_who_waits_hears_the_sentences_and_gets_the_checked_answer() -> None:
    heard = Heard()
    reply = await ask_live(
        Streaming(json.dumps(HONEST)), request_with(None), deadline_seconds=5, on_sentence=heard
    )
    assert ("cause", HONEST["rootCause"]) in heard.said
    assert reply.answer.root_cause == HONEST["rootCause"]


async def test_after_an_answer_that_does_not_hold_the_second_is_heard() -> None:
    heard = Heard()
    bad = json.dumps({**HONEST, "citations": ["E9"]})
    reply = await ask_live(
        Streaming(bad, json.dumps(HONEST)),
        request_with(None),
        deadline_seconds=5,
        on_sentence=heard,
    )
    assert reply.repaired
    assert heard.said.count(("again", "")) == 1
    assert heard.said[-1][0] == "explanation"


def test_a_piece_that_ends_nothing_is_not_held_against_all_that_came_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = 0

    class Pattern:
        def finditer(self, text: str) -> Any:
            nonlocal looked
            looked += 1
            return iter(())

    live = follow(Heard())
    monkeypatch.setattr(live_module, "_STRING", Pattern())
    for _ in range(1_000):
        live.hear("word ")
    assert looked == 0


def test_what_asks_for_something_destructive_is_never_shown() -> None:
    heard = Heard()
    live = follow(heard)
    harm = "Delete the deployment checkout. PAYMENTS_DB_DSN is not set."
    live.hear(written(cause="PAYMENTS_DB_DSN is not set.", explanation=harm))
    live.hear(None)
    assert [said for _, said in heard.said if said] == ["PAYMENTS_DB_DSN is not set."] * 2
