"""A count that begins as a guess and ends as what the model counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from kausa.diagnosis.model.prompt.tokens import FIRST_MARGIN, TokenCounter, load_counter


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(4)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_a_real_tokenizer_counts_the_whole_text(folder: Path) -> None:
    counter = load_counter(folder)
    assert not counter.is_estimate
    assert counter.count("word " * 100) == round(100 * FIRST_MARGIN)


def test_what_another_models_tokenizer_takes_for_one_word_is_not_counted_as_one(
    folder: Path,
) -> None:
    counter = load_counter(folder)
    assert counter.count("0123456789" * 100) == 1_000


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_without_a_tokenizer_characters_are_counted_and_that_is_said(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    counter = load_counter(tmp_path)
    assert counter.is_estimate
    assert counter.count("word " * 100) == round(100 * FIRST_MARGIN)
    assert load_counter(None).is_estimate


def test_what_the_model_reports_corrects_the_count() -> None:
    counter = TokenCounter()
    counter.learn(text="word " * 1_000, reported=1_500)
    assert counter.count("word " * 100) == 150


def test_a_report_of_the_part_that_was_not_cached_teaches_nothing() -> None:
    counter = TokenCounter()
    counter.learn(text="word " * 1_000, reported=20)
    assert counter.ratio == FIRST_MARGIN


@settings(max_examples=50)
@given(st.lists(st.tuples(st.text(), st.integers(-5, 10**6))), st.text())
def test_no_report_makes_the_count_absurd(reports: list[tuple[str, int]], text: str) -> None:
    counter = TokenCounter()
    for told, reported in reports:
        counter.learn(text=told, reported=reported)
    assert 0.5 <= counter.ratio <= 3.0
    assert (counter.count(text) > 0) == bool(text)
