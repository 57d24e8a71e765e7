"""A stream that was cut off is told from one that is over, wherever the cut is."""

from __future__ import annotations

import pytest
from support.fake_model_server import FakeModelServer
from support.model_clients import ANSWER, ask, client, serving

from kausa.diagnosis.errors import ModelError, ModelProtocolError
from kausa.diagnosis.model.protocol import LanguageModel


async def test_a_line_that_is_cut_behind_an_inner_object_is_a_connection_that_broke(
    server: FakeModelServer, model: LanguageModel
) -> None:
    piece = server.piece(text="x").rstrip(b"\n")
    places = [at for at in range(1, len(piece)) if piece[at - 1 : at] in (b"}", b"]")]
    assert places
    for at in places:
        server.requests.clear()
        server.script = [server.streams([server.piece(text="{"), piece[:at]]), server.says(ANSWER)]

        assert (await ask(model)).text == ANSWER
        assert len(server.requests) == 2


@pytest.mark.parametrize("rest", [b"", b"\n", b"\r\n", b"\n\n\n", b"  "])
async def test_a_stream_that_is_over_may_end_with_any_white_space(
    server: FakeModelServer, model: LanguageModel, rest: bytes
) -> None:
    whole = b"".join([server.piece(text=ANSWER), *server.end()]).rstrip(b"\n")
    server.script = [server.streams([whole + rest])]

    assert (await ask(model)).text == ANSWER
    assert len(server.requests) == 1


async def test_an_error_in_a_last_line_without_an_end_is_heard() -> None:
    async with serving("openai") as server:
        model = client("openai", server.url)
        said = [server.piece(text="{"), b'error: {"message": "no memory"}']
        server.script = [server.streams(said)]

        with pytest.raises(ModelError, match="gave up"):
            await ask(model)

        assert len(server.requests) == 1
        await model.close()


@pytest.mark.parametrize("end", [b"\n\n", b""])
async def test_a_number_with_too_many_digits_is_garbage_and_not_asked_for_again(
    server: FakeModelServer, model: LanguageModel, end: bytes
) -> None:
    # Python refuses to read it with an error that it has for everything.
    prefix = b"" if server.kind == "ollama" else b"data: "
    garbage = prefix + b'{"created": ' + b"1" * 5_000 + b"}" + end
    server.script = [server.streams([server.piece(text="{"), garbage]), server.says(ANSWER)]

    with pytest.raises(ModelProtocolError, match="no part of one"):
        await ask(model)

    assert len(server.requests) == 1
