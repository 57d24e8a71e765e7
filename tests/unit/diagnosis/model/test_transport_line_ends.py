"""Answers may hold every character, and a stream that holds garbage is told from one that broke."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_model_server import FakeModelServer
from support.model_clients import ANSWER, ask

from kausa.diagnosis.errors import ModelProtocolError
from kausa.diagnosis.model.protocol import LanguageModel
from kausa.diagnosis.model.streams import whole_lines

LINE_ENDS = ["\u2028", "\u2029", "\x85"]


def unescaped(server: FakeModelServer) -> None:
    """From now on it writes JSON as vLLM and llama.cpp do."""

    def line(document: Any) -> bytes:
        text = json.dumps(document, ensure_ascii=False).encode()
        return text + b"\n" if server.kind == "ollama" else b"data: " + text + b"\n\n"

    server.line = line  # type: ignore[method-assign]


@pytest.mark.parametrize("character", [*LINE_ENDS, "é", "日", "…", "\x7f"])
async def test_an_answer_may_hold_every_end_of_a_line(
    server: FakeModelServer, model: LanguageModel, character: str
) -> None:
    unescaped(server)
    answer = f'{{"cause": "a{character}b"}}'
    server.script = [server.says(answer, thinking=f"x{character}y")]

    completion = await ask(model)

    assert (completion.text, completion.thinking) == (answer, f"x{character}y")
    assert len(server.requests) == 1


async def test_lines_may_end_as_on_windows(server: FakeModelServer, model: LanguageModel) -> None:
    pieces = [server.piece(text=ANSWER), *server.end()]
    server.script = [server.streams([each.replace(b"\n", b"\r\n") for each in pieces])]

    assert (await ask(model)).text == ANSWER


async def test_garbage_within_an_answer_is_not_asked_for_again(
    server: FakeModelServer, model: LanguageModel
) -> None:
    garbage = b"{oops\n" if server.kind == "ollama" else b"data: {oops\n\n"
    server.script = [server.streams([server.piece(text="{"), garbage, *server.end()])]

    with pytest.raises(ModelProtocolError, match="no part of one"):
        await ask(model)

    assert len(server.requests) == 1


async def test_a_stream_that_ends_within_a_character_is_a_connection_that_broke(
    server: FakeModelServer, model: LanguageModel
) -> None:
    unescaped(server)
    cut = server.piece(text="a\u2028b").partition(b"\xa8")[0]
    server.script = [
        server.ends_without_a_length([server.piece(text="{"), cut]),
        server.says(ANSWER),
    ]

    assert (await ask(model)).text == ANSWER
    assert len(server.requests) == 2


async def test_a_last_line_needs_no_end(server: FakeModelServer, model: LanguageModel) -> None:
    pieces = b"".join([server.piece(text=ANSWER), *server.end()]).rstrip(b"\n")
    server.script = [server.ends_without_a_length([pieces])]

    assert (await ask(model)).text == ANSWER


async def test_json_is_utf_8_whatever_the_header_says(
    server: FakeModelServer, model: LanguageModel
) -> None:
    unescaped(server)
    body = b"".join([server.piece(text='{"a": "\u00c5\u0085"}'), *server.end()])
    server.script = [server.raw(body, type_="text/event-stream; charset=iso-8859-1")]

    assert (await ask(model)).text == '{"a": "\u00c5\u0085"}'


class _Chunks(httpx.AsyncByteStream):
    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


@given(
    st.lists(st.text(alphabet=["a", "é", "日", "…", *LINE_ENDS], max_size=6), max_size=4),
    st.lists(st.integers(min_value=0, max_value=80), max_size=6),
)
async def test_no_cut_between_two_chunks_changes_what_a_line_says(
    texts: list[str], cuts: list[int]
) -> None:
    written = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in texts).encode()
    edges = [0, *sorted(min(each, len(written)) for each in cuts), len(written)]
    chunks = [written[start:end] for start, end in pairwise(edges)]
    response = httpx.Response(
        200,
        stream=_Chunks(chunks),
        headers={"content-type": "application/x-ndjson"},
        request=httpx.Request("GET", "http://model.example"),
    )
    await whole_lines(response)

    assert [json.loads(line) async for line in response.aiter_lines()] == texts
