"""An answer that comes in pieces: bounded, and apart from what the model thought."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.diagnosis.model.boundary import shown_address
from kausa.diagnosis.model.gathering import Gathering, split_thinking


@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=80))), st.integers(1, 20))
def test_what_is_gathered_never_exceeds_what_was_allowed(
    pieces: list[tuple[str, str]], tokens: int
) -> None:
    gathering = Gathering(max_output_tokens=tokens)
    for text, thinking in pieces:
        gathering.add(text=text, thinking=thinking)
        if gathering.is_flooded:
            break
    completion = gathering.completion(finish="stop", prompt="why?")

    assert len(completion.text) <= (tokens + 16) * 16
    assert len(completion.thinking) <= (tokens + 16) * 16
    assert bool(completion.output_tokens) == any(text or thought for text, thought in pieces)


@given(st.text())
def test_a_text_without_tags_holds_no_thinking(text: str) -> None:
    if not text.lstrip().startswith("<think>"):
        assert split_thinking(text) == (text, "")


def test_a_thought_without_an_end_is_no_answer() -> None:
    assert split_thinking(" <think>and so on") == ("", "and so on")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://model:11434", "http://model:11434"),
        ("https://me:pass@model/v1?key=abc#top", "https://model/v1"),
        ("https://me:p@ss@model/v1", "https://model/v1"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, expected: str) -> None:
    assert shown_address(url) == expected


@given(st.lists(st.integers(0, 60), max_size=8), st.sampled_from(["", " \n"]))
def test_a_thought_in_tags_is_never_told_as_the_answer(cuts: list[int], before: str) -> None:
    for thought in ("", "<think>it is not < 3 </thin</think>"):
        text = f'{before}{thought}{{"rootCause": "x"}}'
        heard: list[str | None] = []
        gathering = Gathering(max_output_tokens=99, on_text=heard.append)
        places = sorted({0, len(text), *(each for each in cuts if each < len(text))})
        for start, end in itertools.pairwise(places):
            gathering.add(text=text[start:end], thinking="")
        assert heard[0] is None
        assert "".join(each for each in heard if each).strip() == '{"rootCause": "x"}'


@pytest.mark.parametrize("counted", [-1, 0, None, 10**8, 10**30])
def test_tokens_that_no_server_can_have_counted_are_estimated(counted: int | None) -> None:
    gathering = Gathering(max_output_tokens=9)
    gathering.add(text="{}", thinking="")
    completion = gathering.completion(
        finish="stop", prompt="why?", prompt_tokens=counted, output_tokens=counted
    )
    assert (completion.prompt_tokens, completion.output_tokens) == (2, 1)


def test_a_thought_that_is_told_apart_is_heard_as_a_sign_of_life() -> None:
    heard: list[str | None] = []
    Gathering(max_output_tokens=9, on_text=heard.append).add(text="", thinking="hm")
    assert heard == [None, ""]
