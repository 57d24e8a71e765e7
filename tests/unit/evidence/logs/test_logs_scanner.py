"""The entry that decides is found in a log of any length, in bounded memory."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.log_traces import GO_PANIC, TRACES, Trace

from kausa.evidence.logs import LogScanner, LogSummary, Severity, account_of
from kausa.evidence.logs.tail import TAIL_BYTES, TAIL_MARGIN_BYTES

MOST_MEMORY = 30 * 1024 * 1024


def scan(chunks: Iterable[bytes]) -> LogSummary:
    scanner = LogScanner()
    for chunk in chunks:
        scanner.feed(chunk)
    return scanner.finish()


def scan_lines(*lines: str) -> LogSummary:
    return scan(["\n".join(lines).encode()])


def decisive(summary: LogSummary) -> str:
    assert summary.decisive is not None
    return account_of(summary.decisive.entry.text).decisive


def ticks(count: int, *, start: int = 0) -> list[str]:
    """What a healthy program prints all day."""
    numbers = range(start, start + count)
    return [
        f"2026-03-04T10:{n // 60 % 60:02}:{n % 60:02}Z INFO served {n} in {n % 97}ms"
        for n in numbers
    ]


def test_one_error_among_a_hundred_thousand_lines_is_found() -> None:
    lines = ticks(100_000)
    lines[31_000] = "2026-03-04T10:11:12Z ERROR no connection to ledger-db:5432 in 30s"
    summary = scan_lines(*lines)
    assert decisive(summary) == "no connection to ledger-db:5432 in 30s"
    assert summary.decisive is not None
    assert summary.decisive.first_line == 31_001
    assert summary.counts == {Severity.INFO: 99_999, Severity.ERROR: 1}
    assert summary.lines == 100_000


def test_a_rare_error_is_found_among_thousands_of_harmless_warnings() -> None:
    lines = [f"WARN cache is cold for key {n}" for n in range(5000)]
    lines[700] = "ERROR schema 4 is newer than 3"
    assert decisive(scan_lines(*lines)) == "schema 4 is newer than 3"


def test_a_rare_error_is_found_among_errors_that_are_printed_all_the_time() -> None:
    lines = [f"ERROR cannot send metrics to statsd:8125, {n} lost" for n in range(5000)]
    lines[700] = "ERROR schema 4 is newer than 3"
    assert decisive(scan_lines(*lines)) == "schema 4 is newer than 3"


def test_an_error_that_has_begun_lately_decides_over_one_that_was_always_there() -> None:
    always = [f"ERROR cannot send metrics to statsd:8125, {n} lost" for n in range(2000)]
    lately = [f"ERROR timeout of ledger-db:5432 after {n}ms" for n in range(400)]
    mixed = [line for pair in zip(always[:400], lately, strict=True) for line in pair]
    assert decisive(scan_lines(*always, *mixed)) == "timeout of ledger-db:5432 after 0ms"


def test_what_ended_the_program_decides_over_the_noise_after_it() -> None:
    noise = ["ERROR cannot flush metrics", "ERROR cannot close socket /run/x.sock"]
    summary = scan_lines(*ticks(3000), *GO_PANIC.split("\n"), *noise)
    assert decisive(summary).startswith("runtime error: invalid memory address")
    assert summary.fatal is not None
    assert summary.fatal.entry.text == GO_PANIC


def test_a_panic_that_was_survived_for_long_is_not_the_end() -> None:
    summary = scan_lines(*GO_PANIC.split("\n"), *ticks(5000), "ERROR cannot open /etc/ledger")
    assert summary.fatal is None
    assert decisive(summary) == "cannot open /etc/ledger"


def test_without_a_fatal_entry_the_last_error_of_a_short_log_decides() -> None:
    summary = scan_lines("error: first try failed", "retrying", "error: second try failed")
    assert decisive(summary) == "second try failed"


@pytest.mark.parametrize(
    "line",
    [
        "/bin/sh: 1: ledgerd: not found",
        "sh: ledgerd: command not found",
        "exec /srv/ledger: exec format error",
        "cat: /etc/ledger: No such file or directory",
        "ledger: error: unrecognized arguments: --prot=80",
        "flag provided but not defined: -prot",
    ],
)
def test_a_command_that_cannot_run_says_why(line: str) -> None:
    summary = scan_lines("usage: ledger [-h] [--port PORT]", line, "bye")
    assert summary.decisive is not None
    assert summary.decisive.entry.text == line


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.name)
def test_a_trace_is_found_whole_in_a_log(trace: Trace) -> None:
    summary = scan_lines(*ticks(1500), trace.text, *ticks(50))
    assert summary.decisive is not None
    assert summary.decisive.entry.text == trace.text


def test_entries_that_differ_in_numbers_only_are_counted_as_one() -> None:
    lines = [f"2026-03-04T10:11:{n:02}Z ERROR dial 10.0.0.{n}:5432 failed" for n in range(40)]
    summary = scan_lines(*lines)
    (found,) = summary.troubles
    assert (found.count, found.first_line, found.last_line) == (40, 1, 40)
    assert found.first_time is not None
    assert found.last_time is not None
    assert (found.last_time - found.first_time).total_seconds() == 39


def test_numbers_that_decide_are_looked_at() -> None:
    quiet = [f"worker {n} exited with code 0" for n in range(300)]
    summary = scan_lines(*quiet, "worker 7 exited with code 3", *quiet)
    assert decisive(summary) == "worker 7 exited with code 3"
    pino = ['{"level":30,"msg":"done"}'] * 300
    assert decisive(scan_lines(*pino, '{"level":50,"msg":"gone"}', *pino)) == "gone"


def test_words_of_hexadecimal_letters_are_looked_at() -> None:
    summary = scan_lines(*["peer added", "peer faded"] * 300, "peer dead", "peer added")
    assert decisive(summary) == "peer dead"


def test_what_came_right_before_the_trouble_is_kept() -> None:
    lines = [
        *ticks(3000),
        "2026-03-04T11:00:00Z INFO settings were read again",
        *(f"2026-03-04T11:00:01Z WARN key {n} is not in the cache" for n in range(3000)),
    ]
    (before,) = scan_lines(*lines).before
    assert before.entry.text == "2026-03-04T11:00:00Z INFO settings were read again"
    assert before.first_line == 3001


def test_where_rare_lines_are_common_none_is_said_to_come_before() -> None:
    rng = random.Random(1)
    words = ["".join(rng.choices("ghijklmnopqrstuvwxyz", k=8)) for _ in range(1000)]
    summary = scan_lines(*(f"INFO sold {word}" for word in words), "ERROR till is empty")
    assert summary.before == ()


def test_the_tail_begins_with_a_whole_line() -> None:
    summary = scan_lines(*ticks(20_000))
    assert len(summary.tail) <= TAIL_BYTES + TAIL_MARGIN_BYTES
    assert summary.tail.split("\n") == ticks(20_000)[-len(summary.tail.split("\n")) :]


def test_a_tail_that_begins_inside_of_a_key_does_not_show_it() -> None:
    begin, end = ("-----" + word + " RSA PRIVATE KEY-----" for word in ("BEGIN", "END"))
    body = ["Q" * 64] * 2000
    summary = scan_lines(begin, *body, end, "done")
    assert "QQQQ" not in summary.tail
    assert summary.tail.endswith("done")


@given(cuts=st.lists(st.integers(1, 400), min_size=1, max_size=60), ends=st.sampled_from("\n\r"))
def test_it_does_not_matter_how_a_log_is_cut_into_chunks(cuts: list[int], ends: str) -> None:
    lines = [*ticks(30), *TRACES[4].text.split("\n"), *ticks(5), "error: caf\u00e9 is closed"]
    data = (ends if ends == "\n" else "\r\n").join(lines).encode()
    pieces, start = [], 0
    for cut in cuts:
        pieces.append(data[start : start + cut])
        start += cut
    assert scan([*pieces, data[start:]]) == scan([data])


@pytest.mark.slow
def test_memory_is_bounded_whatever_the_length() -> None:
    rng = random.Random(7)

    def log() -> Iterator[bytes]:
        for block in range(120):
            lines = ticks(300, start=block * 300)
            lines += [f"INFO sold {rng.getrandbits(64):x} to {rng.random()}" for _ in range(100)]
            lines += ["ERROR lost " + "".join(rng.choices("ghijklmnop", k=12)) for _ in range(2)]
            lines += TRACES[block % len(TRACES)].text.split("\n")
            yield ("\n".join(lines) + "\n").encode()
        yield b"x" * 2_500_000

    tracemalloc.start()
    summary = scan(log())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert summary.size > 4_500_000
    assert peak < MOST_MEMORY


def test_nothing_is_something_too() -> None:
    for data in (b"", b"\n\n", b"\r", b"\0"):
        summary = scan([data])
        assert summary.decisive is None
        assert summary.tail == ""
