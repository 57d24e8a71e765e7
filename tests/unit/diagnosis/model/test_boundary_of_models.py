"""What a server refuses of one question says nothing of the server, and in our words."""

from __future__ import annotations

import time

import pytest

from kausa.diagnosis.errors import ModelError, ModelMissing, ModelRefusedQuestion, ModelUnavailable
from kausa.diagnosis.model.boundary import Boundary


def boundary() -> Boundary:
    return Boundary(where="http://here", speaks="it", missing=lambda: ModelMissing("pull it"))


TOO_LONG = (
    "This model's maximum context length is 4096 tokens. However, you requested 5100 tokens.",
    "the request exceeds the available context size, try increasing it",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",
    "prompt is too long: 210000 tokens > 200000 maximum",
    '{"error": {"code": "context_length_exceeded"}}',
    "the input length exceeds the context length",
)


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("words", TOO_LONG)
def test_a_question_that_is_too_long_says_which_setting_makes_it_shorter(
    status: int, words: str
) -> None:
    failed = boundary().refused(status, words=words)
    assert isinstance(failed.error, ModelRefusedQuestion)
    assert "KAUSA_MODEL_CONTEXT_TOKENS" in str(failed.error)
    assert words not in str(failed.error)
    assert (failed.alive, failed.again, failed.read) == (True, False, False)


@pytest.mark.parametrize("words", [None, {"message": "prompt is too long"}, ["?"]])
def test_words_may_be_any_json(words: object) -> None:
    error = boundary().refused(400, words=words).error
    assert ("too long" in str(error)) is isinstance(words, dict)


def test_what_is_too_large_is_too_long_without_a_word() -> None:
    assert "too long" in str(boundary().refused(413).error)


@pytest.mark.parametrize("words", ["", "PWNED by the server", "unsupported parameter max_tokens"])
def test_another_refusal_says_no_more_than_its_status(words: str) -> None:
    error = boundary().refused(400, words=words).error
    assert isinstance(error, ModelRefusedQuestion)
    assert not isinstance(error, ModelUnavailable)
    assert str(error) == (
        "The model server at http://here refuses this question (HTTP status 400); its own log "
        "says why."
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, ModelUnavailable) for status in (401, 403, 408, 429, 500, 503)),
        (404, ModelMissing),
    ],
)
def test_what_any_question_would_meet_is_the_server_s(status: int, kind: type[ModelError]) -> None:
    failed = boundary().refused(status, words="prompt is too long")
    assert type(failed.error) is kind


def test_a_list_that_is_refused_is_no_question() -> None:
    assert type(boundary().refused(400, of_question=False).error) is ModelUnavailable


def test_the_words_of_a_server_are_looked_through_in_no_time() -> None:
    began = time.monotonic()
    boundary().refused(400, words="more than tokens exceed " * 100_000)
    assert time.monotonic() - began < 0.5
