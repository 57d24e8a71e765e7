from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa_embedder.late_interaction import WordWeights, built_in_weights, max_sim


def unit(seed: int, tokens: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    vectors = np.random.default_rng(seed).normal(size=(tokens, 6)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@given(st.integers(0, 99), st.integers(1, 5), st.lists(st.integers(0, 6), max_size=6))
def test_it_is_what_its_definition_says(seed: int, asked: int, sizes: list[int]) -> None:
    query = unit(seed, asked)
    weights = np.abs(unit(seed + 1, asked)[:, 0]) + 0.1
    documents = [unit(seed + 2 + n, size) for n, size in enumerate(sizes)]
    scores = max_sim(query, weights.astype(np.float32), documents)
    for score, document in zip(scores, documents, strict=True):
        wanted = (
            sum(
                weight * max(float(vector @ token) for token in document)
                for weight, vector in zip(weights, query, strict=True)
            )
            / weights.sum()
            if len(document)
            else 0.0
        )
        assert score == pytest.approx(wanted, abs=1e-5)
        assert -1 <= score <= 1


def test_half_precision_changes_next_to_nothing() -> None:
    query, document = unit(1, 4), unit(2, 30)
    weights = np.ones(4, dtype=np.float32)
    [full] = max_sim(query, weights, [document])
    [half] = max_sim(query, weights, [document.astype(np.float16)])
    assert half == pytest.approx(full, abs=1e-3)


def test_a_rare_word_weighs_more_than_a_common_one_and_an_unknown_one_most() -> None:
    weights = built_in_weights()
    the, kubelet, unknown, mark = weights.of_tokens(["the", "kubelet", "zzyzx", ""])
    assert 0 == mark < the < kubelet <= unknown
    assert unknown == weights.unknown >= max(weights.words.values())


def test_a_query_of_no_words_says_nothing() -> None:
    assert max_sim(unit(1, 0), np.zeros(0, dtype=np.float32), [unit(2, 3)]) == [0.0]
    assert WordWeights.of({}).of_tokens(["word"]).tolist() == [1.0]


@pytest.mark.parametrize("sizes", [(1,), (85, 86, 1), (300, 7, 240, 33)])
@pytest.mark.parametrize("asked", [1, 8, 900])
def test_a_product_in_blocks_is_the_product(sizes: tuple[int, ...], asked: int) -> None:
    random = np.random.default_rng(len(sizes) + asked)

    def vectors(tokens: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        found = random.normal(size=(tokens, 384)).astype(np.float32)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)

    query, documents = vectors(asked), [vectors(size) for size in sizes]
    weights = random.uniform(0.1, 3.0, size=asked).astype(np.float32)
    wanted = [
        float((document @ query.T).max(axis=0) @ weights / weights.sum()) for document in documents
    ]
    assert max_sim(query, weights, documents) == pytest.approx(wanted, abs=1e-5)
