"""Behind a sentence stands the evidence that bears it, and none where that is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from unit.diagnosis.model.steering import request_with

from kausa.diagnosis.model.answer.bearing import Bearing

BEARING = Bearing(request_with(None))


@pytest.mark.parametrize(
    ("sentence", "ids"),
    [
        ("The variable PAYMENTS_DB_DSN is not set.", ("E2",)),
        ("Container api exited with code 1.", ("E1",)),
        ("The server db-7 was deleted.", ()),
        ("This is so.", ()),
    ],
)
def test_each_sentence_rests_on_what_holds_its_names_and_words(
    sentence: str, ids: tuple[str, ...]
) -> None:
    assert BEARING.of(sentence) == ids


def test_of_several_that_bear_it_those_that_are_cited_anyway_come_first() -> None:
    request = request_with(None)
    again = replace(request.evidence[1], id="E6")
    bearing = Bearing(replace(request, evidence=(*request.evidence, again)))
    said = "It raises KeyError: 'PAYMENTS_DB_DSN'."
    assert bearing.of(said) == ("E2",)
    assert bearing.of(said, wanted=("E6",)) == ("E6",)
