"""An answer is read and checked before it is believed."""

from __future__ import annotations

import base64
import math
import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.memory.embedding.checking import Identity, check_scores, check_vectors, clip_texts
from kausa.memory.embedding.parts import MOST_CHARACTERS, MOST_TEXTS, own_fault, slices
from kausa.memory.embedding.replies import TextsRefusedError, judge, judge_line, parse_retry_after
from kausa.memory.embedding.wire import decode_vector, parse_embeddings, parse_scores
from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "index", "embedding", "model", "results", "score", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def reason_of(call: Any, *arguments: Any, **keywords: Any) -> str:
    with pytest.raises(MemoryUnavailableError) as raised:
        call(*arguments, **keywords)
    return raised.value.reason


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=20))
def test_base64_brings_back_what_was_sent(values: list[float]) -> None:
    encoded = base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
    assert decode_vector(encoded) == values


@pytest.mark.parametrize("bad", [None, 3, {}, "not base64!", "QUJD", ["a"], [None]])
def test_what_is_no_vector_is_refused(bad: object) -> None:
    assert reason_of(decode_vector, bad) == "EmbedderFailed"


@given(JSON)
def test_an_answer_of_any_shape_is_read_or_refused(answer: Any) -> None:
    for read in (parse_embeddings, lambda given: parse_scores(given, expected=1)):
        with suppress(MemoryUnavailableError):  # and no other error
            read(answer)


def test_vectors_are_put_into_the_order_of_the_texts() -> None:
    entries = [{"index": 1, "embedding": [0.0, 1.0]}, {"index": 0, "embedding": [1, 0]}]
    assert parse_embeddings({"model": "m", "data": entries}) == ("m", [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    "answer",
    [
        {"results": [{"index": 1, "relevance_score": 0.2}, {"index": 0, "relevance_score": 1}]},
        [{"index": 1, "score": 0.2}, {"index": 0, "score": 1}],
    ],
)
def test_scores_are_put_into_the_order_of_the_documents(answer: object) -> None:
    assert parse_scores(answer, expected=2) == [1.0, 0.2]


def test_a_document_without_a_score_is_noticed() -> None:
    answer = {"results": [{"index": 1, "relevance_score": 0.2}]}
    assert reason_of(parse_scores, answer, expected=2) == "EmbedderFailed"


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, 0.5, -2.0])
def test_a_vector_that_is_not_of_unit_length_is_refused(bad: float) -> None:
    assert reason_of(check_vectors, [[bad, 0.0]], expected=1, dimensions=2) == "EmbedderFailed"


def test_too_few_vectors_and_vectors_of_two_sizes_are_refused() -> None:
    assert reason_of(check_vectors, [[1.0]], expected=2, dimensions=1) == "EmbedderFailed"
    both = [[1.0, 0.0], [1.0]]
    assert reason_of(check_vectors, both, expected=2, dimensions=0) == "DimensionMismatch"
    assert reason_of(check_vectors, [[1.0]], expected=1, dimensions=2) == "DimensionMismatch"


@pytest.mark.parametrize("scores", [[1.1], [-0.1], [math.nan], []])
def test_a_score_is_from_0_to_1(scores: list[float]) -> None:
    assert reason_of(check_scores, scores, expected=1) == "EmbedderFailed"


def test_nothing_is_learned_from_a_bad_answer() -> None:
    identity = Identity()
    with pytest.raises(MemoryUnavailableError):
        identity.check([[2.0]], model="m", expected=1)
    assert (identity.model, identity.dimensions) == ("", 0)
    identity.check([[1.0]], model="m", expected=1)
    assert (identity.model, identity.dimensions) == ("m", 1)


@given(st.text(alphabet=st.characters(), max_size=30))
def test_every_text_can_be_sent(text: str) -> None:
    [clipped] = clip_texts([text])
    assert len(clipped) == len(text)
    clipped.encode()


@given(st.lists(st.integers(0, MOST_CHARACTERS * 2).map(lambda n: "x" * (n % 70_000)), max_size=80))
def test_parts_lose_nothing_and_keep_their_bounds(texts: list[str]) -> None:
    parts = list(slices(texts))
    assert [text for part in parts for text in part] == texts
    for part in parts:
        assert 1 <= len(part) <= MOST_TEXTS
        assert len(part) == 1 or sum(map(len, part)) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Retry-After": "3"}, 3),
        ({"Retry-After": "1", "Retry-After-Ms": "250"}, 0.25),
        ({"Retry-After": "99999"}, 30),
        ({"Retry-After": "-1"}, 0),
        ({"Retry-After": "nan"}, 0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0),
    ],
)
def test_how_long_to_wait_is_bounded(headers: dict[str, str], seconds: float) -> None:
    assert parse_retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("status", "reason", "again", "alive"),
    [
        (429, "EmbedderOverloaded", True, True),
        (503, "EmbedderUnavailable", True, False),
        (502, "EmbedderUnavailable", True, False),
        (504, "DeadlineExceeded", False, True),
        (401, "EmbedderUnavailable", False, True),
        (302, "EmbedderFailed", False, True),
        (413, "EmbedderFailed", False, True),
        (422, "EmbedderFailed", False, True),
        (424, "EmbedderFailed", False, True),
        (500, "EmbedderFailed", False, True),
    ],
)
def test_what_a_status_means(status: int, reason: str, again: bool, alive: bool) -> None:
    failed = judge(status, b"", headers={}, where="w")
    assert isinstance(failed.error, MemoryUnavailableError)
    assert (failed.error.reason, failed.again, failed.alive) == (reason, again, alive)


@pytest.mark.parametrize(
    ("status", "word", "refuses"),
    [
        (413, "too_large", True),
        (422, "too_long", True),
        (500, "inference_failed", True),
        (500, "internal", False),
        (503, "unavailable", False),
        (400, "invalid", False),
        (429, "overloaded", False),
    ],
)
def test_a_refusal_of_the_texts_is_told_from_a_failure(
    status: int, word: str, refuses: bool
) -> None:
    body = f'{{"error": {{"type": "{word}", "message": "m"}}}}'.encode()
    failed = judge(status, body, headers={}, where="w")
    assert isinstance(failed.error, TextsRefusedError) is refuses


@pytest.mark.parametrize(
    ("word", "own"),
    [("too_long", True), ("inference_failed", True), ("internal", False), ("unavailable", False)],
)
def test_an_error_of_a_stream_names_the_text_and_says_whose_fault_it_is(
    word: str, own: bool
) -> None:
    failed = judge_line({"type": word, "message": "m"}, text="id 7")
    assert "id 7" in str(failed.error)
    assert isinstance(failed.error, InvalidRecordError) is own
    unnamed = judge_line({"type": word, "message": "m"}, text=None)
    assert isinstance(unnamed.error, MemoryUnavailableError)


def test_a_single_passage_is_at_fault_where_others_went_well() -> None:
    refused = TextsRefusedError("no")
    fault = own_fault(refused, ["x" * 9], kind="passage", works=True)
    assert isinstance(fault, InvalidRecordError)
    assert "9 characters" in str(fault)
    assert own_fault(refused, ["x"], kind="query", works=True) is refused
    assert own_fault(refused, ["x", "y"], kind="passage", works=True) is refused
    assert own_fault(refused, ["x"], kind="passage", works=False) is refused


@given(st.binary(max_size=60))
def test_any_body_of_an_error_can_be_told(body: bytes) -> None:
    assert str(judge(500, body, headers={}, where="w").error)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "no room", "type": "x"}}',
        b'{"error": "no room", "error_type": "x"}',
        b'{"message": "no room"}',
        b"no room",
    ],
)
def test_what_the_server_says_is_passed_on(body: bytes) -> None:
    assert "no room" in str(judge(500, body, headers={}, where="w").error)


@given(JSON)
def test_any_error_of_a_stream_means_something(error: Any) -> None:
    failed = judge_line(error, text=None)
    assert isinstance(failed.error, MemoryUnavailableError)
    assert failed.error.reason in ("EmbedderFailed", "EmbedderUnavailable")
    assert "id 7" in str(judge_line(error, text="id 7").error)
