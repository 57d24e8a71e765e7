from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kausa.memory.chunking.logs import entries_of, log_passages
from kausa.memory.chunking.tokens import ChunkSize, count_tokens

TRACE = """Traceback (most recent call last):
  File "/app/main.py", line 12, in <module>
    connect()
  File "/app/db.py", line 7, in connect
    raise ConnectionError("orders-db:5432 refused")
ConnectionError: orders-db:5432 refused
"""
LINES = st.sampled_from(
    [
        "2026-03-01T12:00:00Z INFO started\n",
        "2026-03-01T12:00:01Z ERROR cannot connect\n",
        TRACE,
        "\n",
        "plain words without a shape\n",
        "    at com.acme.Main.run(Main.java:12)\n",
        "\x00odd\x85bytes\u2028here\n",
    ]
)
logs = st.lists(LINES, max_size=30).map("".join)


@settings(deadline=None, max_examples=60)
@given(logs)
def test_entries_together_are_the_log(log: str) -> None:
    assert "".join(entries_of(log)) == log


def test_an_entry_of_several_lines_is_one_piece() -> None:
    log = f"2026-03-01T12:00:00Z INFO started\n{TRACE}2026-03-01T12:00:09Z INFO bye\n"
    assert TRACE in entries_of(log)


@settings(deadline=None, max_examples=60)
@given(logs, st.integers(40, 200))
def test_passages_fit_and_begin_with_what_they_are_about(log: str, tokens: int) -> None:
    size = ChunkSize(tokens=tokens, overlap=10)
    found = log_passages(log, headline="CrashLoop Error: it ended", size=size)
    assert found
    assert all(each.startswith("CrashLoop Error: it ended") for each in found)
    assert all(count_tokens(each) <= tokens for each in found)


@settings(deadline=None, max_examples=40)
@given(logs)
def test_every_line_is_in_a_passage(log: str) -> None:
    found = "\n".join(log_passages(log, headline="h", size=ChunkSize(tokens=64, overlap=8)))
    for line in log.split("\n"):
        assert line.strip() in found


def test_a_trace_that_fits_is_in_one_passage() -> None:
    log = "".join(f"2026-03-01T12:00:{n:02}Z INFO step {n}\n" for n in range(30)) + TRACE
    found = log_passages(log, headline="h", size=ChunkSize(tokens=160, overlap=20))
    assert len(found) > 1
    assert any(TRACE.strip() in each for each in found)


def test_a_headline_longer_than_a_passage_leaves_room() -> None:
    found = log_passages(
        "cannot connect", headline="word " * 500, size=ChunkSize(tokens=40, overlap=0)
    )
    assert found[0].endswith("cannot connect")
    assert count_tokens(found[0]) <= 40


def test_without_a_text_the_headline_is_the_passage() -> None:
    assert log_passages("  \n", headline="a cause", size=ChunkSize()) == ("a cause",)
