"""Random bytes never raise, and a line made to hurt takes linear time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import HOSTILE_SIZE, assert_linear

from kausa.evidence.logs import LogScanner, LogSummary, account_of, read_entries
from kausa.evidence.logs.entry import ENTRY_BYTES, ENTRY_LINES
from kausa.evidence.logs.summary import MOST_TROUBLES

FILLERS = [
    *(" ", "\t", ".", "[", "]", "{", '{"', '"', '\\"', "'", "a", "A.", "1", "-", "(", "E", "a::"),
    *(
        "at ",
        "error ",
        "/e",
        "Caused by: ",
        "Caused by: x\n",
        "---> ",
        "a=",
        'a="',
        "x=1 ",
        "panic: ",
    ),
    *("\x1b[", "\0", "\r", "\n ", "\n\n", "{\n", "a.b.c.", "10.0.0.1:1 ", "0 x errors ", "timeout"),
    *("on error ", "goroutine 1 [\n", "-----BEGIN X-----\n", "-----BEGIN X-----", "thread '"),
    *("Traceback (most recent call last)\n", '  File "x"\n', "2026-03-04T10:11:12Z "),
    "2026-03-04T10:11:12Z stdout P x\n",
]
PIECES = st.lists(
    st.one_of(
        st.binary(max_size=200),
        st.sampled_from([each.encode() for each in FILLERS]),
        st.sampled_from(
            [b"\n", b"ValueError: x\n", b"Caused by: y\n", b"ERROR z\n", b"\tat x.y(z)\n"]
        ),
    ),
    max_size=60,
)


def scan(data: bytes, *, chunk: int = 65536) -> LogSummary:
    scanner = LogScanner()
    for start in range(0, len(data), chunk):
        scanner.feed(data[start : start + chunk])
    return scanner.finish()


@given(PIECES, st.integers(1, 500))
def test_random_bytes_are_read_and_stay_bounded(pieces: list[bytes], chunk: int) -> None:
    data = b"".join(pieces)
    summary = scan(data, chunk=chunk)
    assert summary.size == len(data)
    assert len(summary.troubles) <= MOST_TROUBLES
    for found in (*summary.troubles, *summary.before):
        assert len(found.entry.lines) <= ENTRY_LINES
        assert sum(map(len, found.entry.lines)) <= ENTRY_BYTES
        account_of(found.entry.text)


@given(PIECES)
def test_random_lines_make_entries(pieces: list[bytes]) -> None:
    for entry in read_entries(b"".join(pieces).split(b"\n")):
        assert entry.text is not None


@pytest.mark.parametrize("filler", FILLERS, ids=repr)
@pytest.mark.timeout(60)
def test_a_hostile_log_takes_linear_time(filler: str) -> None:
    # What is cut into lines costs by the line, and tens of thousands of them are enough.
    size = HOSTILE_SIZE // 4 if filler.endswith(("\n", "\r")) else HOSTILE_SIZE
    assert_linear(lambda text: scan(text.encode()), filler, size=size)


@pytest.mark.parametrize("filler", FILLERS, ids=repr)
def test_a_hostile_entry_is_told_in_linear_time(filler: str) -> None:
    def told(text: str) -> None:
        for start in ("", "ERROR ", '{"msg":"', "Traceback (most recent call last):\n"):
            account_of((start + text)[:32_768])

    assert_linear(told, filler, size=32_768)
