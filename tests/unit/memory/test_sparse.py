"""Words become the token ids that Qdrant's own BM25 gives them."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import assert_linear

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.sparse import Bm25Encoder, with_parts
from kausa.memory.store import SparseVector

ENCODER = Bm25Encoder()
PLAIN = Bm25Encoder(parts=False)


def test_the_ids_are_those_of_a_servers_qdrant_bm25() -> None:
    # Which are the sign-less MurmurHash3 of the stems: of "contain" and of "restart".
    assert PLAIN.encode_query("restarted containers").indices == (375772094, 1210806435)


def test_a_query_weighs_every_word_once_and_a_passage_by_its_count() -> None:
    assert PLAIN.encode_query("disk disk pressure").values == (1.0, 1.0)
    once = dict(_pairs(PLAIN.encode_passage("disk pressure")))
    twice = dict(_pairs(PLAIN.encode_passage("disk disk pressure")))
    (disk,) = PLAIN.encode_query("disk").indices
    assert twice[disk] > once[disk]


def test_inflections_and_case_are_one_word() -> None:
    assert PLAIN.encode_query("Restarting CONTAINER") == PLAIN.encode_query("restarted containers")


def test_parts_of_camel_case_words_are_found() -> None:
    passage = ENCODER.encode_passage("status ImagePullBackOff of the pod")
    for words in ("image pull", "ImagePullBackOff", "imagepullbackoff", "back"):
        assert set(PLAIN.encode_query(words).indices) <= set(passage.indices), words


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("OOMKilled", "OOMKilled OOM Killed"),
        ("FailedMount: x", "FailedMount Failed Mount: x"),
        ("java.lang.OutOfMemoryError", "java.lang.OutOfMemoryError Out Of Memory Error"),
        ("CrashLoopBackOff", "CrashLoopBackOff Crash Loop Back Off"),
        ("plain WORDS Here", "plain WORDS Here"),
    ],
)
def test_words_are_taken_apart_where_capitals_begin(text: str, read: str) -> None:
    assert with_parts(text) == read


@pytest.mark.parametrize("text", ["", " \n", "the of and", "!?", "\ud800"])
def test_a_text_without_words_is_an_empty_vector(text: str) -> None:
    assert ENCODER.encode_query(text) == SparseVector((), ())
    assert ENCODER.encode_passage(text) == SparseVector((), ())


@given(st.text())
def test_any_text_becomes_ids_that_a_store_takes(text: str) -> None:
    for vector in (ENCODER.encode_passage(text), ENCODER.encode_query(text)):
        assert len(set(vector.indices)) == len(vector.indices) == len(vector.values)
        assert all(0 <= index < 2**32 for index in vector.indices)
        assert all(value > 0 for value in vector.values)


@pytest.mark.parametrize("unit", ["aB", "A", "aA ", "ImagePull", "\ud800"])
def test_hostile_texts_are_read_in_linear_time(unit: str) -> None:
    assert_linear(ENCODER.encode_passage, unit)


def test_without_edge_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "qdrant_edge":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MemoryUnavailableError, match="kausa\\[embedded\\]") as refused:
        Bm25Encoder()
    assert refused.value.reason == "StoreUnavailable"


def _pairs(vector: SparseVector) -> list[tuple[int, float]]:
    return list(zip(vector.indices, vector.values, strict=True))
