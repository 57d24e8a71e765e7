"""Words that a shell glues together around a quote."""

from __future__ import annotations

import json
import shlex
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.evidence.redaction import Redactor

REDACTOR = Redactor(key=b"k" * 32)
HALF = st.text(alphabet="ABCDEFGHabcdefgh23456789!#$%&*+.:;?@^_~ ", min_size=6, max_size=20)

PART = st.text(alphabet="ABCDEFGHabcdefgh23456789!#%*+.:?@^_~", min_size=6, max_size=20)


def hidden(text: str) -> str:
    return REDACTOR.text(text).value


@given(first=HALF, second=HALF)
def test_what_stands_behind_a_quote_of_the_secret_is_hidden_too(first: str, second: str) -> None:
    secret = f"{first.strip() or 'abc'}'{second.strip() or 'def'}"
    written = f"args {shlex.quote('--private-key=' + secret)} --port=80; requests none"
    for text in (written, json.dumps({"text": written})):
        out = hidden(text)
        assert max(secret.split("'"), key=len) not in out
        assert "--port=80" in out


@pytest.mark.parametrize("glue", ["'\"'\"'", "'\\''", "'\\\"'\\\"'"])
def test_every_way_to_write_the_quote_is_read(glue: str) -> None:
    out = hidden(f"run '--password=Xy7-pQ{glue}Zr4_mN{glue}Kd9.tW' --verbose")
    assert "Zr4_mN" not in out
    assert "Kd9.tW" not in out
    assert "--verbose" in out


def test_a_quote_that_closes_and_no_more_ends_the_secret() -> None:
    assert "next words" in hidden("run '--password=Xy7-pQ2w' next words")


def test_many_pieces_are_read_once() -> None:
    began = time.process_time()
    hidden("'--password=Xy7-pQ" + "'\"'\"'a" * 20_000 + "'")
    assert time.process_time() - began < 20


@given(sign=st.sampled_from(["=", "==", ">", "= ", "=> "]), first=PART, second=PART)
def test_a_value_that_begins_like_a_longer_sign_is_hidden_to_its_end(
    sign: str, first: str, second: str
) -> None:
    written = (
        f"args {shlex.quote(f'--private-key={sign}{first} {second}')} --port=80; requests none"
    )
    listed = json.dumps(["--port=80", f"--private-key={sign}{first} {second}", "requests none"])
    for text in (written, json.dumps({"text": written}), listed):
        out = hidden(text)
        assert second not in out
        assert "--port=80" in out
        assert "requests none" in out


@pytest.mark.parametrize("sign", ["", "=", ">"])
def test_a_blank_that_a_shell_takes_into_the_word_ends_no_secret(sign: str) -> None:
    out = hidden(rf"run --private-key={sign}Axq7\ Zyw9Kp --verbose next words")
    assert "Axq7" not in out
    assert "Zyw9Kp" not in out
    assert "--verbose next words" in out


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('if "TOKEN == expected and ready" holds', 'and ready" holds'),
        ("'PASSWORD => see the manual'", "the manual'"),
        (r"its token is C:\run\ and its key D:\keys\ as before", "as before"),
    ],
)
def test_what_follows_a_comparison_or_a_path_stays(text: str, clean: str) -> None:
    assert hidden(text).endswith(clean)
