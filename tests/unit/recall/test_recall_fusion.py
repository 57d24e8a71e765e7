from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.recall.fusion import FusionWeights, Signals, best_signals, relevance_of, squash

WEIGHTS = FusionWeights(dense=1.0, sparse=1.0, rerank=2.0, agreement=1.0, sparse_half=8.0)
scores = st.none() | st.floats(-2, 100)
signals = st.builds(Signals, dense=scores, sparse=scores, rerank=scores, agreement=scores)


def test_a_score_is_squashed_to_a_half_at_its_half() -> None:
    assert squash(8.0, half=8.0) == 0.5
    assert squash(-1.0, half=8.0) == 0.0
    assert squash(float("inf"), half=8.0) == 0.0


def test_relevance_is_the_weighted_mean_of_what_is_known() -> None:
    [two] = relevance_of([Signals(dense=0.8, sparse=8.0)], weights=WEIGHTS)
    assert two == pytest.approx((0.8 + 0.5) / 2)
    [all_four] = relevance_of(
        [Signals(dense=0.8, sparse=8.0, rerank=0.9, agreement=1.0)], weights=WEIGHTS
    )
    assert all_four == pytest.approx((0.8 + 0.5 + 1.0 + 2 * 0.9) / 5)


def test_who_is_not_in_the_dense_list_is_as_near_as_its_last() -> None:
    last, missing = relevance_of(
        [Signals(dense=0.4, sparse=8.0), Signals(sparse=8.0)], weights=WEIGHTS
    )
    assert missing == last


def test_who_is_found_by_words_alone_is_nothing_where_words_have_no_say() -> None:
    likeness = FusionWeights(dense=1.0, sparse=0.0, rerank=0.0, agreement=0.0)
    assert relevance_of([Signals(dense=0.9), Signals(sparse=50.0)], weights=likeness) == [0.9, 0.0]


def test_who_was_not_read_again_does_not_pass_who_was_and_did_badly() -> None:
    bad, unread = relevance_of(
        [Signals(dense=0.6, sparse=8.0, rerank=0.1), Signals(dense=0.6, sparse=8.0)],
        weights=WEIGHTS,
    )
    assert unread <= bad


def test_a_record_has_the_best_of_its_passages() -> None:
    found = best_signals([Signals(dense=0.2, sparse=9.0), Signals(dense=0.7, rerank=0.5)])
    assert found == Signals(dense=0.7, sparse=9.0, rerank=0.5)


@pytest.mark.parametrize("wrong", [{"dense": -1.0}, {"rerank": float("nan")}, {"sparse_half": 0.0}])
def test_weights_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="fusion"):
        FusionWeights(**wrong)


def test_a_search_without_any_list_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing could be found"):
        FusionWeights(dense=0.0, sparse=0.0)


@given(st.lists(signals, max_size=8))
def test_relevance_stays_between_nothing_and_one(candidates: list[Signals]) -> None:
    found = relevance_of(candidates, weights=FusionWeights())
    assert len(found) == len(candidates)
    assert all(0 <= each <= 1 for each in found)


@given(st.lists(signals, min_size=1, max_size=8), st.floats(0, 1))
def test_a_nearer_cosine_never_makes_less_relevant(others: list[Signals], more: float) -> None:
    first = Signals(dense=0.3, sparse=4.0)
    nearer = Signals(dense=0.3 + more, sparse=4.0)
    before = relevance_of([first, *others], weights=WEIGHTS)[0]
    assert relevance_of([nearer, *others], weights=WEIGHTS)[0] >= before - 1e-12
