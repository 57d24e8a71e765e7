"""Token vectors, late interaction and cross-encoders: the other answers of the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.fake_models import FakeModel, FakeScorer
from support.running_engine import running

from kausa_embedder.engine import LATE_INTERACTION
from kausa_embedder.errors import BrokenError


async def test_token_vectors_are_of_the_text_and_not_of_the_models_marks() -> None:
    async with running(FakeModel()) as engine:
        vectors = await engine.embed_tokens(["one two three", ""])
    assert [len(text) for text in vectors] == [3, 0]
    np.testing.assert_allclose(np.linalg.norm(vectors[0], axis=1), 1, atol=1e-5)


async def test_late_interaction_finds_the_document_with_the_querys_words_and_remembers_it() -> None:
    model = FakeModel()
    async with running(model) as engine:
        documents = ["cake with apples", "out of memory", "memory"]
        scores = await engine.score_late("out of memory", documents)
        assert scores[1] == pytest.approx(1.0, abs=1e-3)
        assert scores[1] > max(scores[0], scores[2])
        before = len(model.texts)
        assert await engine.score_late("out of memory", documents) == scores
        assert len(model.texts) == before + 1, "the query alone"
        weighted = await engine.score_late("out memory", documents, weights={"memory": 1, "out": 0})
        assert weighted[2] == pytest.approx(1.0, abs=1e-3)
        assert engine.info.reranker == LATE_INTERACTION
        assert all(0 <= score <= 1 for score in await engine.rerank("out", documents))


async def test_a_cross_encoder_reranks_where_there_is_one() -> None:
    async with running(FakeModel(), scorer=FakeScorer()) as engine:
        assert engine.info.reranker == "fake"
        both, none, one = await engine.rerank("a b", ["a b", "c", "a"])
        assert 1 > both > one > none > 0
        assert await engine.rerank("a", []) == []


async def test_the_pairs_of_a_reranker_go_through_the_tokenizer_in_rounds() -> None:
    """All at once they held its only thread, and a short question waited for all of them."""
    scorer = FakeScorer()
    sizes: list[int] = []
    encode = scorer.encode_pairs

    def noting(query: str, documents: Any) -> Any:
        sizes.append(len(documents))
        return encode(query, documents)

    scorer.encode_pairs = noting  # type: ignore[method-assign]
    documents = ["word " + "x" * 4000 for _ in range(64)]
    async with running(FakeModel(), scorer=scorer) as engine:
        scores = await engine.rerank("word", documents)
    assert len(scores) == sum(sizes) == 64
    assert max(sizes) <= 17


@pytest.mark.parametrize("document", ["short", "long " * 200])
async def test_a_reranker_whose_tokenizer_dies_is_an_error_of_ours(document: str) -> None:
    scorer = FakeScorer()

    def dies(query: str, documents: Any) -> Any:
        raise KeyError("vocabulary")

    async with running(FakeModel(), scorer=scorer) as engine:
        scorer.encode_pairs = dies  # type: ignore[method-assign]
        with pytest.raises(BrokenError, match="vocabulary"):
            await engine.rerank("word", [document])
        assert engine.failure is not None
