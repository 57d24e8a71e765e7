"""What was told and does not stand is corrected, and paragraphs and the document say the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.diagnosed import diagnosed

from kausa.commands.asking_output import AsJson, AsText
from kausa.diagnosis.answering import Concluded, Known, Sentence, Step
from kausa.diagnosis.matters import matter_of_resource, one_request
from kausa.diagnosis.model.protocol import ModelAnswer, ModelReply
from kausa.resources.category import Category

MATTER = matter_of_resource(diagnosed())
assert MATTER is not None
REQUEST = one_request((MATTER,), (), question="why?")
IMAGE = "Container api runs the image r.example/api:7."
LINE = '"no such variable"'
CAUSE = Sentence(part="cause", text=f"The log says: {LINE}.", citations=("E1",))
WHY = Sentence(part="explanation", text="The variable is absent.", citations=("E2",))
REPLY = ModelReply(
    answer=ModelAnswer(
        category=Category.CONFIG,
        summary="no such variable",
        root_cause=CAUSE.text,
        explanation=WHY.text,
        confidence=60,
        citations=("E1",),
        quotes=(LINE,),
    ),
    model="tiny",
    prompt_tokens=1,
    output_tokens=1,
    milliseconds=1,
)
END = Concluded(request=REQUEST, reply=REPLY, sentences=(CAUSE, WHY))


class Links:
    def __init__(self) -> None:
        self.follows: dict[str, str] = {}


def text(capsys: pytest.CaptureFixture[str], *steps: Step) -> str:
    printer = AsText(Links())
    for each in steps:
        printer.take(each)
    printer.end()
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *steps: Step) -> dict[str, Any]:
    printer = AsJson("why?", Links())
    for each in steps:
        printer.take(each)
    printer.end()
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def told(*sentences: str) -> Sequence[Sentence]:
    return [Sentence(part="cause", text=each) for each in sentences]


def test_a_cause_that_the_final_check_dropped_is_corrected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    end = replace(END, withdrawn=(IMAGE,))
    said = text(capsys, *told(IMAGE), WHY, end)
    before, _, corrected = said.partition("CORRECTED")
    assert IMAGE in before
    assert f"Withdrawn: {IMAGE}" in corrected
    assert f"{CAUSE.text} [E1]" in corrected
    assert f"{WHY.text} [E2]" in corrected
    assert document(capsys, *told(IMAGE), WHY, end)["withdrawn"] == [IMAGE]


def test_a_cause_that_was_not_told_comes_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    said = text(capsys, WHY, END)
    assert f"The cause: {CAUSE.text} [E1]" in said
    assert said.count(WHY.text) == 1
    assert "CORRECTED" not in said


def test_what_was_told_whole_is_not_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    said = text(capsys, CAUSE, WHY, END)
    assert (said.count(CAUSE.text), said.count(WHY.text)) == (1, 1)
    assert said.count("ANSWER") == 1


def test_lines_that_decide_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    answer = replace(REPLY.answer, quotes=(LINE, '"exit"'))
    end = replace(END, reply=replace(REPLY, answer=answer))
    assert 'The log says: "exit"' in text(capsys, CAUSE, end)
    assert document(capsys, end)["answer"]["quotes"] == [LINE, '"exit"']


def test_paragraphs_and_the_document_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    said = text(capsys, END)
    answer = document(capsys, END)["answer"]
    assert [each["text"] for each in answer["sentences"]] == [CAUSE.text, WHY.text]
    for each in answer["sentences"]:
        assert f"{each['text']} [{', '.join(each['citations'])}]" in said
    rests_on = said.partition("RESTS ON")[2]
    assert answer["citations"] == ["E1", "E2"]
    for each in REQUEST.evidence:
        assert (each.text in rests_on) == (each.id in answer["citations"])


@pytest.mark.parametrize("streamed", [True, False])
def test_where_rules_are_sure_of_something_else_their_cause_stands(
    capsys: pytest.CaptureFixture[str], *, streamed: bool
) -> None:
    assert MATTER is not None
    end = replace(END, contradicts=(MATTER,))
    said = text(capsys, *((CAUSE, WHY) if streamed else ()), end)
    stands = said.partition("RULES STAND")[2]
    assert f"{MATTER.label} (97 %): {MATTER.summary}" in stands
    if not streamed:
        assert said.index("RULES STAND") < said.index("ANSWER")
    assert document(capsys, end)["answer"]["contradicts"] == [MATTER.label]


def test_an_answer_that_fails_in_the_end_is_void(capsys: pytest.CaptureFixture[str]) -> None:
    assert MATTER is not None
    end = Concluded(request=REQUEST, why_not=("InvalidAnswer", "no citation"), withdrawn=(IMAGE,))
    known = Known(matters=(MATTER,))
    said = " ".join(text(capsys, known, *told(IMAGE), end).split())
    assert "What stands under ANSWER is void." in said
    found = document(capsys, known, *told(IMAGE), end)
    assert (found["answer"], found["withdrawn"]) == (None, [IMAGE])


def test_against_sure_rules_no_figure_of_its_own_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert MATTER is not None
    assert "Sure: 60 %; by tiny in 0.0 s" in text(capsys, END)
    said = text(capsys, replace(END, contradicts=(MATTER,)))
    assert "Said by tiny in 0.0 s" in said
    assert "Sure:" not in said


@pytest.mark.parametrize(("words", "whole"), [(37, True), (46, True), (60, False), (600, False)])
def test_a_long_text_is_cut_between_words(
    capsys: pytest.CaptureFixture[str], words: int, *, whole: bool
) -> None:
    told = " ".join(f"word{number:03}" for number in range(words))
    assert REQUEST.evidence
    piece = replace(REQUEST.evidence[0], id="E1", text=told)
    end = replace(END, request=replace(REQUEST, evidence=(piece,)))
    shown = " ".join(text(capsys, end).partition("RESTS ON")[2].split())
    assert told.endswith(shown[-7:]) is whole
    if not whole:
        assert shown.endswith(" [...]")
        assert len(shown.removesuffix(" [...]").split()[-1]) == len("word000")
