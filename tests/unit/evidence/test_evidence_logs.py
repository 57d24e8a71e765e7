"""The line that decides is found among those that only follow from it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.evidence.logs import LONGEST_LINE, decisive_line, is_runtime_excuse, tail


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("starting\nerror: cannot open /etc/x\ncleaning up\n", "error: cannot open /etc/x"),
        (
            'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n'
            "    run()\nKeyError: 'DSN'\n",
            "KeyError: 'DSN'",
        ),
        (
            "Exception in thread main java.lang.IllegalStateException: no pool\n"
            "\tat com.x.Pool.get(Pool.java:1)\n"
            "Caused by: java.net.ConnectException: Connection refused\n\tat java.net.X\n"
            "\t... 3 more\n",
            "Caused by: java.net.ConnectException: Connection refused",
        ),
        (
            "panic: runtime error: index out of range [3]\n\ngoroutine 1 [running]:\n"
            "main.main()\n\t/app/main.go:9\nexit status 2\n",
            "panic: runtime error: index out of range [3]",
        ),
        ("one\ntwo\nthree\n", "three"),
        ("\n \n", ""),
        ("", ""),
    ],
)
def test_the_decisive_line(log: str, line: str) -> None:
    assert decisive_line(log) == line


def test_the_apology_of_the_runtime_is_known_but_a_log_that_quotes_it_is_a_log() -> None:
    assert is_runtime_excuse("unable to retrieve container logs for containerd://abc")
    assert not is_runtime_excuse("saw: unable to retrieve container logs for x")


def test_the_end_of_a_log_begins_with_a_whole_line() -> None:
    assert tail("first line\nsecond line\nthird line\n", characters=25) == "second line\nthird line"


@given(st.text())
def test_any_text_has_a_bounded_decisive_line(text: str) -> None:
    assert len(decisive_line(text)) <= LONGEST_LINE


def test_a_line_of_a_megabyte_is_no_trouble() -> None:
    started = time.monotonic()
    for filler in ("a", " ", "error ", "A.", "at ", '"'):
        decisive_line(filler * (1_000_000 // len(filler)))
    assert time.monotonic() - started < 5
