from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from kausa.memory.chunking.tokens import count_tokens
from kausa.memory.chunking.windows import windows

pieces = st.lists(
    st.one_of(
        st.text(st.sampled_from("abc def 12.\n"), max_size=80).map(lambda text: text + "\n"),
        st.text(st.sampled_from("abcdefg12"), min_size=200, max_size=400).map(lambda t: t + "\n"),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(pieces, st.integers(16, 80), st.integers(0, 8))
def test_nothing_is_lost_and_nothing_is_too_long(
    parts: list[str], limit: int, overlap: int
) -> None:
    found = windows(parts, limit=limit, overlap=overlap)
    assert "".join(each.text[each.repeated :] for each in found) == "".join(parts)
    for before, after in itertools.pairwise(found):
        repeated = after.text[: after.repeated]
        assert before.text.endswith(repeated)
        assert count_tokens(repeated) <= overlap
    assert all(count_tokens(each.text) <= limit for each in found)


@settings(deadline=None, max_examples=60)
@given(pieces, st.integers(16, 80))
def test_a_piece_that_fits_is_never_cut(parts: list[str], limit: int) -> None:
    found = [each.text for each in windows(parts, limit=limit, overlap=4)]
    for piece in parts:
        if count_tokens(piece) <= limit:
            assert any(piece in text for text in found)


def test_windows_overlap_where_there_is_room() -> None:
    found = windows([f"line {n}\n" for n in range(10)], limit=8, overlap=2)
    assert [each.text for each in found[:2]] == [
        "line 0\nline 1\nline 2\nline 3\n",
        "line 3\nline 4\nline 5\nline 6\n",
    ]


def test_no_pieces_are_no_windows() -> None:
    assert windows([], limit=16, overlap=2) == []
