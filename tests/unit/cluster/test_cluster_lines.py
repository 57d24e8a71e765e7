"""Lines come out whole, however the network cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.cluster import lines
from kausa.cluster.errors import UndecodableError
from kausa.cluster.lines import LineSplitter


def read(*parts: bytes) -> list[bytes]:
    splitter = LineSplitter()
    found = [line for part in parts for line in splitter.feed([part])]
    assert splitter.bytes_read == sum(map(len, parts))
    again = LineSplitter()
    assert list(again.feed(parts)) == found
    assert all(line.endswith(b"\n") for line in found)
    return [line[:-1] for line in found]


def test_a_line_may_span_chunks_and_a_chunk_may_hold_lines() -> None:
    assert read(b'{"a', b'":1}\n{"b":2}\n{"c"', b":3}\n") == [
        b'{"a":1}',
        b'{"b":2}',
        b'{"c":3}',
    ]


def test_a_last_line_without_an_end_is_dropped() -> None:
    assert read(b"one\ntw") == [b"one"]


def test_a_line_without_end_is_refused_and_not_kept_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "MAXIMUM_LINE_BYTES", 10)
    with pytest.raises(UndecodableError):
        read(b"x" * 6, b"x" * 6)


@given(st.lists(st.binary(max_size=8).map(lambda each: each.replace(b"\n", b"")), max_size=8))
def test_any_cut_gives_the_same_lines(wanted: list[bytes]) -> None:
    whole = b"".join(each + b"\n" for each in wanted)
    expected = [each for each in wanted if each.strip()]
    for size in (1, 3, len(whole) or 1):
        parts = [whole[start : start + size] for start in range(0, len(whole), size)]
        assert read(*parts) == expected
