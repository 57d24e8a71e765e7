"""A stack trace is one entry, whatever was written around its lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.log_traces import TRACES, Trace

from kausa.evidence.logs import Severity, account_of, read_entries
from kausa.evidence.logs.entry import ENTRY_BYTES, ENTRY_LINES

BEFORE = "2026-03-04T10:11:10.000Z INFO listening"
AFTER = "2026-03-04T10:11:19.000Z INFO listening"
STAMP = "2026-03-04T10:11:12.123456789Z"


def named(trace: Trace) -> str:
    return trace.name


@pytest.mark.parametrize("trace", TRACES, ids=named)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_trace_is_one_entry_among_others(trace: Trace, ends: str) -> None:
    lines = f"{BEFORE}\n{trace.text}\n{AFTER}\n".replace("\n", ends).splitlines(keepends=True)
    before, found, after = read_entries(lines)
    assert (before.text, after.text) == (BEFORE, AFTER)
    assert found.text == trace.text
    assert found.severity is trace.severity
    assert found.line == 2


@pytest.mark.parametrize("trace", TRACES, ids=named)
def test_two_traces_are_two_entries(trace: Trace) -> None:
    lines = [*trace.text.split("\n"), AFTER, *trace.text.split("\n")]
    assert [each.text for each in read_entries(lines)] == [trace.text, AFTER, trace.text]


@pytest.mark.parametrize("trace", TRACES, ids=named)
def test_what_the_runtime_writes_before_each_line_is_taken_off(trace: Trace) -> None:
    lines = [f"{STAMP} stderr F {line}" for line in trace.text.split("\n")]
    (found,) = read_entries(lines)
    assert found.text == trace.text


@pytest.mark.parametrize("trace", TRACES, ids=named)
def test_times_before_each_line_do_not_tear_a_trace(trace: Trace) -> None:
    (found,) = read_entries([f"{STAMP} {line}" for line in trace.text.split("\n")])
    assert found.severity is trace.severity
    account = account_of(found.text)
    assert (account.decisive, account.cause) == (trace.decisive, trace.cause)
    assert account.time is not None


@pytest.mark.parametrize("trace", TRACES, ids=named)
def test_an_entry_says_what_ended_the_program_and_its_first_cause(trace: Trace) -> None:
    account = account_of(trace.text)
    assert account.decisive == trace.decisive
    assert account.cause == trace.cause


def test_parts_of_a_long_line_are_put_together() -> None:
    lines = [f"{STAMP} stdout P error: cannot op", f"{STAMP} stdout F en /etc/ledger", "next"]
    first, second = read_entries(lines)
    assert (first.text, first.severity) == ("error: cannot open /etc/ledger", Severity.ERROR)
    assert second.text == "next"


def test_colours_and_nulls_are_taken_out() -> None:
    (found,) = read_entries([b"\x1b[31mE\0R\0R\0OR\x1b[0m ledger \xff is gone"])
    assert found.text == "ERROR ledger \ufffd is gone"
    assert found.severity is Severity.ERROR


def test_an_entry_of_the_container_runtime_of_docker_is_opened() -> None:
    (found,) = read_entries(['{"log":"error: no ledger\\n","stream":"stderr","time":"2026"}'])
    assert found.text == "error: no ledger"


def test_of_an_endless_trace_the_first_lines_and_the_deepest_cause_are_kept() -> None:
    frames = [f"\tat com.acme.Ledger.step{number}(Ledger.java:{number})" for number in range(5000)]
    lines = ["java.lang.StackOverflowError: deep", *frames, "Caused by: java.io.IOException: here"]
    (found,) = read_entries([*lines, *frames])
    assert len(found.lines) <= ENTRY_LINES
    assert len(found.text) <= ENTRY_BYTES
    assert found.left_out > 9000
    assert found.lines[1] == frames[0].encode()
    assert account_of(found.text).cause == "java.io.IOException: here"


def test_a_key_in_a_log_is_whole_or_left_out() -> None:
    begin, end = ("-----" + word + " PRIVATE KEY-----" for word in ("BEGIN", "END"))
    body = ["QUJD" * 16] * 20
    (whole,) = read_entries(["error: bad key", begin, *body, end])
    assert whole.text.count("QUJD" * 16) == 20
    (half,) = read_entries(["error: bad key", begin, *body])
    assert "QUJD" not in half.text


def test_a_key_without_an_end_does_not_swallow_what_follows() -> None:
    begin = "-----" + "BEGIN CERTIFICATE-----"
    entries = list(read_entries([begin, "QUJD", "starting the ledger", "panic: no ledger"]))
    assert entries[-1].text == "panic: no ledger"


@given(st.lists(st.binary(max_size=60), max_size=40))
def test_every_line_is_in_one_entry_at_most(lines: list[bytes]) -> None:
    entries = list(read_entries(lines))
    assert sum(len(each.lines) for each in entries) <= len(lines)
    numbers = [each.line for each in entries]
    assert numbers == sorted(set(numbers))
