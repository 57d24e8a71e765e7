"""An error that a server writes into its stream is its error, and no connection that broke."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr
from support.fake_model_server import FakeModelServer
from support.logs import captured_log
from support.model_clients import ANSWER, ask

from kausa.diagnosis.errors import ModelRefusedQuestion, ModelUnavailable
from kausa.diagnosis.model.events import shown_words
from kausa.diagnosis.model.openai import OpenAIModel

WORDS = "the context shift is disabled"
ERROR = json.dumps({"code": 500, "message": WORDS, "type": "server_error"}).encode()


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize(
    "said",
    [
        b"error: " + ERROR + b"\n\n",
        b'data: {"error": ' + ERROR + b"}\n\n",
        b"event: error\ndata: " + ERROR + b"\n\n",
    ],
)
async def test_it_is_not_asked_again_and_the_log_says_why(
    endpoint: FakeModelServer, openai: OpenAIModel, said: bytes, begun: bool
) -> None:
    beginning = [endpoint.piece(text="{")] if begun else []
    endpoint.script = [endpoint.streams([*beginning, said]), endpoint.says(ANSWER)]

    with captured_log() as log, pytest.raises(ModelUnavailable, match="gave up") as caught:
        await ask(openai)

    assert len(endpoint.requests) == 1
    assert WORDS in log.getvalue()
    # In the status it would be anybody's text.
    assert WORDS not in str(caught.value)


async def test_a_line_that_only_says_error_is_one(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    endpoint.script = [endpoint.streams([b"error:\n\n"])]

    with pytest.raises(ModelUnavailable, match="gave up"):
        await ask(openai)

    assert len(endpoint.requests) == 1


async def test_a_refusal_after_the_status_went_out_is_a_refusal(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    said = {"error": {"code": 400, "message": "maximum context length is 4096 tokens"}}
    endpoint.script = [endpoint.streams([endpoint.line(said)])]

    with pytest.raises(ModelRefusedQuestion, match="400"):
        await ask(openai)


async def test_an_event_of_another_name_is_a_piece_like_any(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    pieces = [endpoint.piece(text=ANSWER), *endpoint.end()]
    endpoint.script = [endpoint.streams([b"event: message\n" + each for each in pieces])]

    assert (await ask(openai)).text == ANSWER


def test_what_is_shown_of_it_has_no_secret_and_an_end() -> None:
    secret = "tell" + "nobody"
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2
    shown = shown_words(
        {"message": f"bad key {secret}\nand {token} " + "x " * 5_000}, secret=secret
    )

    assert shown.startswith("bad key *** and ")
    assert secret not in shown
    assert token not in shown
    assert len(shown) <= 300
    assert "\n" not in shown


@pytest.mark.parametrize(
    ("error", "shown"),
    [("busy", "busy"), ({"type": "overloaded"}, "overloaded"), ({}, ""), (None, ""), ([1], "[1]")],
)
def test_whatever_shape_it_has(error: object, shown: str) -> None:
    assert shown_words(error) == shown


async def test_the_key_that_a_server_repeats_is_not_logged(endpoint: FakeModelServer) -> None:
    secret = "tell" + "nobody"
    model = OpenAIModel(url=endpoint.url, name="tiny", key=SecretStr(secret))
    endpoint.script = [endpoint.streams([endpoint.line({"error": f"wrong key: {secret}"})])]

    with captured_log() as log, pytest.raises(ModelUnavailable):
        await ask(model)

    assert "wrong key" in log.getvalue()
    assert secret not in log.getvalue()
    await model.close()


async def test_an_answer_that_ended_in_an_error_is_none(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    endpoint.script = [endpoint.says(ANSWER, finish="error")]

    with pytest.raises(ModelUnavailable, match="gave up"):
        await ask(openai)

    assert len(endpoint.requests) == 1
