"""Both clients over a real connection, on a server's good and bad days."""

from __future__ import annotations

import asyncio
import time

import pytest
from pydantic import SecretStr
from support.fake_model_server import FakeModelServer, Kind
from support.model_clients import ANSWER, ask, client

from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelMissing,
    ModelProtocolError,
    ModelUnavailable,
)
from kausa.diagnosis.model.boundary import MOST_RESPONSE_BYTES
from kausa.diagnosis.model.protocol import LanguageModel


async def test_an_answer_in_pieces_becomes_one_text_with_its_cost(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.says(ANSWER)]

    completion = await ask(model)

    assert completion.text == ANSWER
    assert (completion.prompt_tokens, completion.output_tokens) == (120, 60)
    assert completion.finish == "stop"
    assert completion.milliseconds >= 0
    assert server.requests[0]["messages"] == [
        {"role": "system", "content": "You find causes."},
        {"role": "user", "content": "exit code 137"},
    ]


async def test_thinking_is_kept_apart_from_the_answer(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.says(ANSWER, thinking="137 is a kill. ")]

    completion = await ask(model)

    assert completion.text == ANSWER
    assert completion.thinking == "137 is a kill."


async def test_thinking_in_tags_is_kept_apart_too(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.says(f"<think>137 is a kill.</think>\n{ANSWER}")]

    completion = await ask(model)

    assert (completion.text, completion.thinking) == (ANSWER, "137 is a kill.")


async def test_an_answer_that_hit_its_limit_says_so(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.says('{"cause": "mem', finish="length")]

    assert (await ask(model)).finish == "length"


async def test_tokens_that_nobody_counted_are_estimated_and_not_free(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.says(ANSWER, counted=False)]

    completion = await ask(model)

    assert completion.output_tokens == 7  # 19 characters in pieces of three
    assert completion.prompt_tokens == 10  # 30 characters with the break between both


# -- bad days ------------------------------------------------------------------------------------


async def test_a_slow_server_meets_the_deadline_and_is_hung_up_on(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.slow()]
    started = time.monotonic()

    with pytest.raises(ModelDeadlineExceeded, match=r"0\.2 seconds"):
        await ask(model, seconds=0.2)

    assert time.monotonic() - started < 2
    await asyncio.wait_for(server.left_early.wait(), timeout=2)


async def test_cancelling_a_question_stops_the_server(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.slow()]
    task = asyncio.create_task(ask(model, seconds=20))
    while not server.requests:
        await asyncio.sleep(0.005)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(server.left_early.wait(), timeout=2)


async def test_a_question_whose_connection_broke_is_asked_again(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.cuts(), server.streams([server.piece(text="{")]), server.says(ANSWER)]

    assert (await ask(model)).text == ANSWER
    assert len(server.requests) == 3


async def test_a_connection_that_always_breaks_is_given_up(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.cuts()]

    with pytest.raises(ModelProtocolError, match="broke off"):
        await ask(model)

    assert len(server.requests) == 3


async def test_a_stream_that_ends_within_a_line_is_a_connection_that_broke(
    server: FakeModelServer, model: LanguageModel
) -> None:
    pieces = [server.piece(text="{"), server.piece(text="abc")[:20]]
    server.script = [server.ends_without_a_length(pieces), server.says(ANSWER)]

    assert (await ask(model)).text == ANSWER
    assert len(server.requests) == 2


async def test_the_page_of_something_else_is_no_answer_of_a_model(
    server: FakeModelServer, model: LanguageModel
) -> None:
    page = b"<html>\n<p>We are back soon: stay tuned.</p>\n</html>\n"
    server.script = [server.raw(page, type_="text/html")]

    with pytest.raises(ModelProtocolError, match="does not speak") as caught:
        await ask(model)

    assert caught.value.reason == "Unavailable"
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 429, 500, 503])
async def test_what_the_server_refuses_is_not_asked_again_and_its_words_stay_out(
    server: FakeModelServer, model: LanguageModel, status: int
) -> None:
    server.script = [server.raw('{"error": "PWNED by the server"}', status=status)]

    with pytest.raises(ModelError, match=str(status)) as caught:
        await ask(model)

    assert "PWNED" not in str(caught.value)
    # Once more with thoughts, and once more without a schema.
    asked = 3 if server.kind == "openai" and status == 400 else 1
    assert len(server.requests) == asked


async def test_an_error_in_the_middle_of_a_stream_is_unavailable(
    server: FakeModelServer, model: LanguageModel
) -> None:
    error = "out of memory" if server.kind == "ollama" else {"message": "out of memory"}
    server.script = [server.streams([server.piece(text="{"), server.line({"error": error})])]

    with pytest.raises(ModelUnavailable, match="gave up in the middle"):
        await ask(model)

    assert len(server.requests) == 1


async def test_a_model_that_the_server_lacks_is_missing(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.raw('{"error": "model \'tiny\' not found"}', status=404)]

    with pytest.raises(ModelMissing) as caught:
        await ask(model)

    assert caught.value.reason == "ModelMissing"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_says_what_to_check(
    server: FakeModelServer, model: LanguageModel, status: int
) -> None:
    server.script = [server.raw("{}", status=status)]

    with pytest.raises(ModelUnavailable, match="KAUSA_MODEL_KEY"):
        await ask(model)


@pytest.mark.parametrize("thinking", [False, True])
async def test_a_flood_of_tokens_is_cut_and_hung_up_on(
    server: FakeModelServer, model: LanguageModel, thinking: bool
) -> None:
    words = {"thinking": "on and on "} if thinking else {"text": "on and on "}
    server.script = [server.floods(server.piece(**words))]

    completion = await ask(model, tokens=50)

    assert completion.finish == "length"
    assert 50 <= completion.output_tokens < 400
    assert len(completion.text) + len(completion.thinking) < 2_000
    await asyncio.wait_for(server.left_early.wait(), timeout=2)


async def test_pieces_that_are_huge_are_cut_too(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.floods(server.piece(text="x" * 50_000))]

    completion = await ask(model, tokens=50)

    assert completion.finish == "length"
    assert len(completion.text) < 2_000


@pytest.mark.parametrize("piece", [b"x" * 100_000, b"[" * 100_000])
async def test_a_line_without_an_end_is_refused(
    server: FakeModelServer, model: LanguageModel, piece: bytes
) -> None:
    server.script = [server.floods(piece)]

    with pytest.raises(ModelProtocolError, match="more than a model"):
        await ask(model, seconds=30)


async def test_an_answer_that_unpacks_to_something_else_is_refused(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.script = [server.zipped(b" " * (MOST_RESPONSE_BYTES + 1))]

    with pytest.raises(ModelProtocolError, match="more than a model"):
        await ask(model)


@pytest.mark.parametrize(
    "garbage",
    [
        b"<html>hello</html>",
        b"[]",
        b"{}",
        b"null",
        b"3",
        b'{"message": 3, "choices": 3}',
        b'{"message": {"role": "assistant", "content": 3}, "choices": [{"delta": {"content": 3}}]}',
        b'{"message": [], "choices": [3]}',
        b"\xff\xfe",
        b"[" * 50_000,
    ],
)
async def test_what_speaks_another_language_is_no_answer(
    server: FakeModelServer, model: LanguageModel, garbage: bytes
) -> None:
    body = garbage + b"\n" if server.kind == "ollama" else b"data: " + garbage + b"\n\n"
    server.script = [server.streams([body])]

    with pytest.raises(ModelProtocolError, match="does not speak") as caught:
        await ask(model)

    assert len(str(caught.value)) < 300
    assert len(server.requests) == 1


async def test_a_redirect_is_not_followed(server: FakeModelServer, model: LanguageModel) -> None:
    server.script = [server.redirects()]

    with pytest.raises(ModelUnavailable, match="307"):
        await ask(model)

    assert len(server.requests) == 1


async def test_nobody_at_the_address_is_unavailable_and_hides_the_password(
    server: FakeModelServer,
) -> None:
    password = "not" + "4you"
    await server.stop()
    model = client(server.kind, server.url.replace("http://", f"http://user:{password}@"))

    for attempt in (ask(model), model.check(deadline_seconds=2)):
        with pytest.raises(ModelUnavailable) as caught:
            await attempt
        assert server.url in str(caught.value)
        assert password not in str(caught.value)
    await model.close()


@pytest.mark.parametrize("kind", ["ollama", "openai"])
async def test_an_address_of_another_protocol_is_a_model_error(kind: Kind) -> None:
    model = client(kind, "ftp://127.0.0.1")
    with pytest.raises(ModelUnavailable, match="UnsupportedProtocol"):
        await ask(model)
    await model.close()


async def test_the_key_travels_as_a_bearer_token_and_shows_nowhere(
    server: FakeModelServer,
) -> None:
    secret = "tell" + "nobody"
    model = client(server.kind, server.url, key=SecretStr(secret))

    await ask(model)
    server.script = [server.raw("{}", status=401)]
    with pytest.raises(ModelUnavailable) as caught:
        await ask(model)

    assert server.headers[0]["Authorization"] == f"Bearer {secret}"
    assert secret not in str(caught.value) + repr(vars(model))
    await model.close()
