"""Errors of the system, told to a person."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.offline.plain_errors import in_words, told

NUMBERS = sorted(errno.errorcode)


@given(number=st.sampled_from(NUMBERS), path=st.sampled_from(["/a/b.json", "/it's", "/a b"]))
def test_no_number_is_left_and_what_to_do_follows(number: int, path: str) -> None:
    raw = OSError(number, os.strerror(number), path)
    for text in (f"{path}: this log cannot be read: {raw}.", f"the folder cannot be used: {raw}"):
        said = in_words(text)
        assert "Errno" not in said
        assert os.strerror(number).lower() in said
        assert path in said
        assert said.endswith(".")
        assert said.count(". ") == 1
    assert "Errno" not in told(raw, doing="the files cannot be read")


def test_what_says_already_what_to_do_stays() -> None:
    raw = OSError(errno.EIO, os.strerror(errno.EIO))
    text = f"/x.log: this log cannot be read: {raw}. Copy it again, or take it away."
    assert in_words(text) == (
        "/x.log: this log cannot be read: input/output error. Copy it again, or take it away."
    )


@pytest.mark.parametrize("text", ["", "There is no namespace x.", "a: [Errno x] b", "read: 13"])
def test_other_messages_stay_as_they_are(text: str) -> None:
    assert in_words(text) == text


def test_words_alone_get_what_to_do() -> None:
    said = in_words("/x: this folder cannot be read: Permission denied.")
    assert said.startswith("/x: this folder cannot be read: Permission denied. Run it as a user")
