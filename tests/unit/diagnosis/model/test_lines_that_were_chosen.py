"""The lines of a log that a model chose: quoted where they may be, and its cause is about them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from unit.diagnosis.model.injections import INJECTIONS
from unit.diagnosis.model.steering import HONEST, request_with

from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.model.answer import Checked, answer_schema, check_answer
from kausa.diagnosis.model.answer.schema import NO_LINE
from kausa.diagnosis.model.prompt.lines import Line
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.prompt.template import SYSTEM
from kausa.diagnosis.model.protocol import ModelRequest

REQUEST = request_with(None)
IDS = [each.id for each in REQUEST.evidence]
LINES = (
    Line(id="E2", text="no such variable"),
    Line(id="E3", text="level=info msg=started", verbatim=False),
)


def chose(text: str, request: ModelRequest = REQUEST, **changes: Any) -> Checked:
    return check_answer(
        json.dumps({**HONEST, "decisiveLines": [text] if text else [], **changes}),
        screened=screen(request),
        evidence_ids=IDS,
        system=SYSTEM,
        lines=LINES,
    )


def test_a_line_that_was_chosen_is_quoted_and_cited() -> None:
    answer = chose("no such variable", citations=["E1"]).answer
    assert answer.quotes == ('"no such variable"',)
    assert "E2" in answer.citations
    assert chose("level=info msg=started").answer.quotes == ("level=info msg=started",)


def test_a_line_that_was_not_offered_is_not_quoted() -> None:
    for text in ("the disk is full", NO_LINE, ""):
        assert chose(text).answer.quotes == ()
    assert any("no such line" in each for each in chose("the disk is full").dropped)


def test_a_cause_that_does_not_hold_leaves_the_line_that_was_chosen() -> None:
    checked = chose("no such variable", rootCause="Cosmic rays flipped random transistors.")
    assert checked.answer.root_cause == 'The log says: "no such variable".'
    assert checked.answer.confidence <= 60
    assert any("'cosmic'" in each or "Cosmic" in each for each in checked.dropped)


def test_where_somebody_tried_to_steer_it_no_line_is_quoted() -> None:
    steered = next(each for each in INJECTIONS if each.place == "event")
    checked = chose("no such variable", request_with(steered))
    assert checked.answer.quotes == ()
    with pytest.raises(ModelInvalidAnswer):
        chose("no such variable", request_with(steered), rootCause="Cosmic rays flipped a bit.")


def test_a_line_that_denies_the_failure_is_not_quoted() -> None:
    line = Line(id="E3", text="everything is fine")
    checked = check_answer(
        json.dumps({**HONEST, "decisiveLines": [line.text]}),
        screened=screen(REQUEST),
        evidence_ids=IDS,
        lines=(line,),
    )
    assert checked.answer.quotes == ()


def test_the_line_is_chosen_before_anything_is_said_of_it() -> None:
    schema = answer_schema(["E1"], ["a line", "b line"])
    assert next(iter(schema["properties"])) == "decisiveLines"
    items = schema["properties"]["decisiveLines"]["items"]
    assert items["enum"] == ["a line", "b line", NO_LINE]
    assert "decisiveLines" not in answer_schema(["E1"])["properties"]


def test_a_cause_that_is_about_another_line_leaves_the_line_that_was_chosen() -> None:
    # The 0.5B chose the line that decides, and explained it by an image that was pulled.
    said = "Container api runs the image registry.example/checkout:2.4.1."
    checked = chose("no such variable", rootCause=said)
    assert checked.answer.root_cause == 'The log says: "no such variable".'
    assert any("not about the lines" in each for each in checked.dropped)
