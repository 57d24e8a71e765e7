"""A question of any shape: it never raises, takes no denied name, and costs linear time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.recall.query import QueryAnalysis, analyse

NOW = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)  # a Saturday
TODAY = NOW.replace(hour=0)


def read(question: str) -> QueryAnalysis:
    return analyse(question, now=NOW)


@given(st.text(max_size=300))
def test_no_text_makes_it_raise(text: str) -> None:
    found = read(text)
    assert len(found.sub_questions) <= 4
    assert found.question == text


WORDS = """
    pod pods node namespace -n -l --since=1h in the last 2 hours ago yesterday since on between
    and how why exit code 137 137 crash loop back off deploy/web app=web web-1 ? ; , . 2026-11-01
    12:30 monday label called = CrashLoopBackOff FailedX ns/prod a couple of
    not except other than without but all namespaces prod staging , or nor !app=web isn't
"""


@given(st.lists(st.sampled_from(WORDS.split()), max_size=60))
def test_no_sequence_of_its_own_words_makes_it_raise(words: list[str]) -> None:
    found = read(" ".join(words))
    if found.after is not None and found.before is not None:
        assert found.after < found.before
    assert all(part.search.strip() for part in found.sub_questions)


@given(
    st.lists(st.sampled_from(WORDS.split()), max_size=12),
    st.sampled_from(["not", "except", "other than", "outside of", "without", "but not", "isn't"]),
    st.sampled_from(["", "in", "in the pods of", "from"]),
    st.sampled_from(["ns/shop", "-n shop", "namespace called shop", "the shop-1 namespace"]),
)
def test_whatever_was_said_before_a_denied_namespace_is_none(
    words: list[str], denial: str, small: str, name: str
) -> None:
    found = read(f"{' '.join(words)}. The pods are slow, {denial} {small} {name}")
    assert not {"shop", "shop-1"} & set(found.namespaces)


@pytest.mark.parametrize(
    "bit",
    [
        *(
            "a",
            " ",
            "-",
            "a=",
            "namespace ",
            "2 hours ago ",
            "?",
            "CamelCase",
            "in the ",
            "aA",
            "1-",
        ),
        *("not in ", "and ", "not ns/a and ", "namespaces a and b, ", "a, b and ", "a namespaces "),
    ],
)
def test_time_is_linear_in_the_length_whatever_is_repeated(bit: str) -> None:
    text = bit * (100_000 // len(bit))
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 20
