"""What an entry says is told without what stands around it: time, level, logger, syntax."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.evidence.logs import account_of

MOMENT = datetime(2026, 3, 4, 10, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ERROR: no ledger", "no ledger"),
        ("2026-03-04 10:11:12,131 - ledger.db - ERROR - no ledger", "no ledger"),
        ("2026-03-04T10:11:12.131Z ERROR ledger::db: no ledger", "no ledger"),
        ("[2026-03-04T10:11:12Z ERROR ledger::db] no ledger", "no ledger"),
        ("2026-03-04 10:11:12.131 ERROR 1 --- [main] c.acme.Ledger : no ledger", "no ledger"),
        ("10:11:12.131 [main] ERROR com.acme.Ledger - no ledger", "no ledger"),
        ("E0304 10:11:12.131000       1 ledger.go:12] no ledger", "no ledger"),
        ("2026/03/04 10:11:12 no ledger", "no ledger"),
        ("2026/03/04 10:11:12 [emerg] 1#1: no ledger", "no ledger"),
        ("ERROR:ledger:no ledger", "no ledger"),
        ("ERRO[0003] no ledger", "no ledger"),
        ("E, [2026-03-04T10:11:12.131 #1] ERROR -- : no ledger", "no ledger"),
        ("<11>Mar  4 10:11:12 host ledger[12]: no ledger", "no ledger"),
        ('time="2026-03-04T10:11:12Z" level=error msg="no ledger"', "no ledger"),
        ('{"level":"error","msg":"no ledger"}', "no ledger"),
        ('{"severity":"ERROR","log":{"message":"no ledger"}}', "no ledger"),
        ("[2026-03-04 10:11:12 +0000] [7] [ERROR] no ledger", "no ledger"),
        ("panic: no ledger", "no ledger"),
        ("panic: no ledger [recovered]", "no ledger"),
        ("no ledger", "no ledger"),
    ],
)
def test_the_message_is_told_alone(line: str, message: str) -> None:
    assert account_of(line).message == message


@pytest.mark.parametrize(
    ("line", "decisive"),
    [
        (
            '{"level":"error","msg":"cannot start","error":{"message":"dial tcp: refused"}}',
            "cannot start: dial tcp: refused",
        ),
        (
            'level=error msg="cannot start" err="dial tcp: refused"',
            "cannot start: dial tcp: refused",
        ),
        ('{"level":"error","msg":"dial failed","err":"dial failed"}', "dial failed"),
        (
            '{"level":"error","message":"boom","stack_trace":"java.lang.Error: a\\n\\tat x.Y.z(Y:1)'
            '\\nCaused by: java.io.IOException: b\\n\\tat x.Y.z(Y:2)"}',
            "java.io.IOException: b",
        ),
        (
            "System.AggregateException: all failed ---> System.IO.IOException: disk is full",
            "System.IO.IOException: disk is full",
        ),
        (
            "  0     0    0     0 --:--:-- --:--:-- --:--:--     0curl: (6) no host",
            "curl: (6) no host",
        ),
    ],
)
def test_an_error_inside_is_told_with_it(line: str, decisive: str) -> None:
    assert account_of(line).decisive == decisive


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-04T10:11:12Z x",
        "2026-03-04T12:11:12+02:00 x",
        "[2026-03-04 10:11:12] x",
        "2026/03/04 10:11:12 x",
        "26/03/04 10:11:12 ERROR x",
        "04/Mar/2026:10:11:12 +0000 x",
        "Mar 04, 2026 10:11:12 AM x",
        '{"ts":1772619072.0,"msg":"x"}',
        '{"time":1772619072000,"msg":"x"}',
        '{"@timestamp":"2026-03-04T10:11:12Z","msg":"x"}',
        "ts=2026-03-04T10:11:12Z level=info msg=x",
        "1:M 04 Mar 2026 10:11:12 # x",
    ],
)
def test_the_time_of_an_entry_is_read(line: str) -> None:
    assert account_of(line).time == MOMENT


@pytest.mark.parametrize(
    "line", ["10:11:12 x", "Mar  4 10:11:12 host app: x", "9999-99-99T99:99:99Z x", "no time", ""]
)
def test_a_time_without_a_date_is_no_time(line: str) -> None:
    assert account_of(line).time is None


@given(st.text(max_size=2000))
def test_any_text_has_an_account(text: str) -> None:
    account_of(text)
