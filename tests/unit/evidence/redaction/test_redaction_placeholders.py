"""Texts that are cut to fit keep placeholders whole, or leave them out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.diagnosis.rules.telling import shortened
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.redaction import PLACEHOLDER
from kausa.evidence.redaction.placeholders import whole_from, whole_until, without_torn

WHOLE = "[redacted:connection-string:0a1b2c]"
TEXTS = st.lists(st.sampled_from(["ab", " ", "[", "]", "x[redacted", WHOLE]), max_size=12).map(
    "".join
)


def broken(text: str) -> bool:
    """Whether a part of a placeholder stands alone."""
    rest = PLACEHOLDER.sub("", text)
    return "connection-string" in rest or "0a1b2c" in rest


@given(text=TEXTS, place=st.integers(0, 120))
def test_no_cut_goes_through_a_placeholder(text: str, place: int) -> None:
    place = min(place, len(text))
    end, start = whole_until(text, place), whole_from(text, place)
    assert end <= place <= start
    assert not broken(text[:end])
    assert not broken(text[start:])
    if not any(found.start() < place < found.end() for found in PLACEHOLDER.finditer(text)):
        assert end == place == start


@given(text=TEXTS, characters=st.integers(40, 120))
def test_what_rules_shorten_keeps_them_whole(text: str, characters: int) -> None:
    for short in (clip(text, characters=characters), shortened(text, characters=characters)):
        assert not broken(short)
        assert len(short) <= characters


@given(
    length=st.integers(len("[redac"), len(WHOLE) - 1), end=st.sampled_from(["", "…", "\n", " …"])
)
def test_what_somebody_cut_elsewhere_is_left_out(length: int, end: str) -> None:
    assert without_torn(f"it says {WHOLE} and {WHOLE[:length]}{end}") == (
        f"it says {WHOLE} and {end}"
    )


@pytest.mark.parametrize(
    "text", [WHOLE, f"{WHOLE}…", "[redaction] is on", "[redacted:x", "a [re", f"{WHOLE}\n{WHOLE}"]
)
def test_what_is_whole_stays(text: str) -> None:
    torn = text == "[redacted:x"
    assert without_torn(text) == ("" if torn else text)
