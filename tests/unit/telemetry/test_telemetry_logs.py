"""Every line has one shape, whoever writes it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from support.logs import captured_log

from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    with captured_log() as stream:
        yield stream


def read(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_and_those_of_others_are_json_with_the_same_keys(lines: io.StringIO) -> None:
    get_logger("kausa.test").info("Found a failure", name="x")
    logging.getLogger("somebody.else").warning("careful")
    ours, theirs = read(lines)
    assert (ours["event"], ours["name"], ours["level"]) == ("Found a failure", "x", "info")
    assert (theirs["event"], theirs["level"]) == ("careful", "warning")
    assert {"time", "logger"} <= ours.keys() & theirs.keys()


def test_what_a_retry_of_a_library_says_is_not_written(lines: io.StringIO) -> None:
    logging.getLogger("kopf._cogs.clients.api").error("Request attempt #1 failed")
    assert read(lines) == []


def test_a_row_of_failures_is_one_line_and_one_when_it_is_over(lines: io.StringIO) -> None:
    trouble = Trouble(get_logger("t"), failed="It fails", recovered="It works")
    for _ in range(5):
        trouble.happened(ValueError("no"), kind="pods")
    trouble.over(kind="pods")
    trouble.over(kind="pods")
    failed, recovered = read(lines)
    assert (failed["event"], failed["why"], failed["kind"]) == ("It fails", "no", "pods")
    assert (recovered["event"], recovered["failed_attempts"]) == ("It works", 5)


def test_what_a_program_printed_cannot_break_a_line_or_command_a_terminal() -> None:
    with captured_log("text") as stream:
        get_logger("t").info("Diagnosed", cause="one\nforged line \x1b[2J gone")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_one_that_works_between_two_that_do_not_says_nothing(lines: io.StringIO) -> None:
    trouble = Trouble(get_logger("t"), failed="It fails", recovered="It works")
    for _ in range(3):
        trouble.happened(ValueError("no"), key="a")
        trouble.over(key="b")
    assert len(read(lines)) == 1
    trouble.over(key="a")
    assert len(read(lines)) == 2


def test_a_thing_that_is_gone_does_not_keep_later_troubles_silent(lines: io.StringIO) -> None:
    trouble = Trouble(get_logger("t"), failed="It fails", recovered="It works")
    trouble.happened(ValueError("no"), key="gone")
    trouble.forget("gone")
    trouble.happened(ValueError("no"), key="other")
    trouble.over(key="other")
    assert [each["event"] for each in read(lines)] == ["It fails", "It fails", "It works"]
