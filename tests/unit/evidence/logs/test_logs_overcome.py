"""A line that says itself that the program got over what it complains of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.evidence.logs import Severity
from kausa.evidence.logs.overcome import gets_over_it
from kausa.evidence.logs.severity import by_words


@pytest.mark.parametrize(
    "line",
    [
        "http proxy squid.infra answered 407, error ignored, going direct",
        "cannot connect to redis:6379: connection refused, falling back to memory",
        "could not read config.yaml: no such file or directory, using defaults",
        "cache unavailable, continuing without it",
        "failed to load plugin x, skipping",
        "licence server timed out; proceeding anyway",
        "non-fatal: could not send metrics: refused, ignoring",
        '{"level":"warn","msg":"falling back to memory","err":"dial tcp: connection refused"}',
        'level=warn msg="using default settings" err="open a.yaml: no such file or directory"',
    ],
)
def test_a_complaint_that_the_program_got_over_is_known_by_its_words(line: str) -> None:
    assert gets_over_it(line)


@pytest.mark.parametrize(
    "line",
    [
        "cannot continue: dial tcp 10.1.2.3:6379: connection refused",
        "connection to db:5432 refused, not continuing",
        "connection refused, falling back to memory failed: out of memory",
        "db refused: this error cannot be ignored",
        "FATAL: db refused, skipping the rest and exiting",
        "panic: error ignored too often",
        "falling back to memory",
        "dial tcp 10.1.2.3:6379: connection refused",
        "using default config: cannot parse line 3",
        "",
    ],
)
def test_a_complaint_that_it_did_not_get_over_stays_one(line: str) -> None:
    assert not gets_over_it(line)


def test_such_a_line_without_a_level_is_a_warning() -> None:
    said = "http proxy squid.infra answered 407, error"
    assert by_words(said).severity is Severity.ERROR
    assert by_words(f"{said} ignored, going direct").severity is Severity.WARNING


@given(st.text(max_size=200))
def test_any_text_can_be_asked(text: str) -> None:
    assert gets_over_it(text) in (True, False)
