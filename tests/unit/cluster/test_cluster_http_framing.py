"""A body comes out whole, however it is framed and however the network cuts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.cluster.errors import UndecodableError
from kausa.cluster.http_framing import Chunked, Framing, Head, framing_of, read_head

OK = b"HTTP/1.1 200 OK"


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def taken(framing: Framing, *pieces: bytes) -> bytes:
    """What comes out when the pieces arrive one after another."""
    body, rest = b"", b""
    for piece in pieces:
        buffer = bytearray(rest + piece)
        body += b"".join(framing.take(buffer, 0, len(buffer)))
        rest = bytes(buffer[framing.upto :])
    return body


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.integers(1, 60))
def test_chunks_come_out_whole_however_they_are_cut(bodies: list[bytes], size: int) -> None:
    sent = b"".join(chunk(each) for each in bodies) + b"0\r\n\r\n"
    framing = Chunked()
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
    assert taken(framing, *pieces) == b"".join(bodies)
    assert framing.complete


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8), st.data())
def test_a_body_that_is_cut_off_is_not_complete(bodies: list[bytes], data: st.DataObject) -> None:
    sent = b"".join(chunk(each) for each in bodies)
    framing = Chunked()
    found = taken(framing, sent[: data.draw(st.integers(0, len(sent)))])
    assert b"".join(bodies).startswith(found)
    assert not framing.complete


def test_a_chunk_is_given_out_before_it_has_come_whole() -> None:
    assert taken(Chunked(), b"100\r\nbegun") == b"begun"


def test_the_end_of_a_chunk_is_no_part_of_it_when_it_comes_in_two_pieces() -> None:
    assert taken(Chunked(), b"3\r\nabc\r", b"\n2\r\nde", b"\r\n") == b"abcde"


def test_extensions_of_a_chunk_are_passed_over() -> None:
    assert taken(Chunked(), chunk(b"abc", b";name=value"), chunk(b"de", b" ")) == b"abcde"


@pytest.mark.parametrize("size", [b"-5", b"+5", b"1_0", b"0x10", b"", b"xyz", b"f" * 16])
def test_a_size_that_is_none_is_refused(size: bytes) -> None:
    with pytest.raises(UndecodableError, match="no number"):
        taken(Chunked(), size + b"\r\nabc")


def test_a_size_without_end_is_refused() -> None:
    with pytest.raises(UndecodableError, match="no size"):
        taken(Chunked(), b"1" * 2000)


def test_a_body_of_a_known_length_ends_there() -> None:
    framing = framing_of(read_head(OK + b"\r\nContent-Length: 5"))
    assert taken(framing, b"abc") == b"abc"
    assert not framing.complete
    assert taken(framing, b"defgh") == b"de"
    assert framing.complete


def test_a_body_of_no_known_length_ends_with_the_connection() -> None:
    framing = framing_of(read_head(OK))
    assert taken(framing, b"abc", b"def") == b"abcdef"
    assert framing.may_end_anywhere
    assert not framing.complete


def test_an_empty_body_is_complete_at_once() -> None:
    assert framing_of(read_head(OK + b"\r\ncontent-length: 0")).complete


@pytest.mark.parametrize(
    "header",
    [b"Content-Encoding: gzip", b"Transfer-Encoding: gzip, chunked", b"Content-Length: -1"],
)
def test_what_nobody_asked_for_is_refused(header: bytes) -> None:
    with pytest.raises(UndecodableError):
        framing_of(read_head(OK + b"\r\n" + header))


def test_a_head_is_read_whatever_the_case_of_its_names() -> None:
    head = read_head(b"HTTP/1.0 410 Gone for good\r\nTRANSFER-encoding:chunked\r\nX:  a b ")
    assert head == Head(
        status=410,
        reason="Gone for good",
        headers={"transfer-encoding": "chunked", "x": "a b"},
    )


@pytest.mark.parametrize(
    "first", [b"SSH-2.0-OpenSSH", b"HTTP/2 200", b"HTTP/1.1 20", b"HTTP/1.1 999 ?", b""]
)
def test_what_is_no_http_is_refused(first: bytes) -> None:
    with pytest.raises(UndecodableError, match=r"HTTP/1\.1"):
        read_head(first)


@given(st.binary(max_size=200))
def test_anything_else_is_refused_with_an_error_of_ours(sent: bytes) -> None:
    framing = Chunked()
    try:
        taken(framing, sent)
        framing_of(read_head(sent))
    except UndecodableError:
        pass
