from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kausa.memory.chunking.tokens import ChunkSize, clip_to, count_tokens, tail_of

texts = st.text(st.sampled_from("abcdefgABC 0123 .,:/_-\n\tä漢"), max_size=400)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        (" \n ", 0),
        ("out of memory", 4),
        ("CrashLoopBackOff", 5),
        ("10.0.0.12:5432", 10),
        ("漢字", 2),
    ],
)
def test_a_text_is_counted(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


@settings(deadline=None)
@given(texts, texts)
def test_counts_add_up_at_a_line_end(one: str, other: str) -> None:
    assert count_tokens(f"{one}\n{other}") == count_tokens(one) + count_tokens(other)


@settings(deadline=None)
@given(texts)
def test_no_text_has_more_tokens_than_characters(text: str) -> None:
    assert count_tokens(text) <= len(text)


@settings(deadline=None)
@given(texts, st.integers(0, 60))
def test_a_tail_is_the_end_and_fits(text: str, tokens: int) -> None:
    tail = tail_of(text, tokens)
    assert text.endswith(tail)
    assert count_tokens(tail) <= tokens
    cut = len(text) - len(tail)
    assert not tail or cut == 0 or text[cut - 1].isspace()


def test_a_tail_begins_with_a_line_where_it_can() -> None:
    assert tail_of("one two three\nfour five\nsix seven", 4) == "four five\nsix seven"
    assert tail_of("one two three\nfour five\nsix seven", 3) == "six seven"


@settings(deadline=None)
@given(texts, st.integers(1, 60))
def test_a_clipped_text_is_the_beginning_and_fits(text: str, tokens: int) -> None:
    clipped = clip_to(text, tokens)
    assert text.startswith(clipped)
    assert count_tokens(clipped) <= tokens
    assert clipped or not text.strip()


@pytest.mark.parametrize(("tokens", "overlap"), [(8, 0), (100, 60), (100, -1)])
def test_sizes_that_make_no_sense_are_refused(tokens: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="passages of"):
        ChunkSize(tokens=tokens, overlap=overlap)
