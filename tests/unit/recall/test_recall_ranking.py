"""The formula: what reward may do, what it may not, and that every part can be shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.recall.explain import explain
from kausa.recall.fusion import FusionWeights, Signals
from kausa.recall.ranking import (
    Rankable,
    Ranking,
    age_decay,
    bayesian_mean,
    best_of_each,
    rank,
)

NOW = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)
BY_COSINE = Ranking(fusion=FusionWeights(dense=1.0, sparse=0.0, rerank=0.0, agreement=0.0))

unit = st.floats(0, 1, allow_nan=False)
counts = st.integers(0, 10_000)


@st.composite
def rankables(draw: st.DrawFn) -> list[Rankable]:
    number = draw(st.integers(1, 12))
    return [
        Rankable(
            key=f"{index:02}",
            signals=Signals(
                dense=draw(st.none() | st.floats(-1, 1)),
                sparse=draw(st.none() | st.floats(0, 60)),
                rerank=draw(st.none() | unit),
                agreement=draw(st.none() | unit),
            ),
            reward_sum=float(draw(counts)),
            reward_count=float(draw(counts)),
            when=draw(st.none() | st.just(NOW - timedelta(days=draw(st.integers(0, 900))))),
        )
        for index in range(number)
    ]


def one(key: str, cosine: float, **more: object) -> Rankable:
    return replace(Rankable(key=key, signals=Signals(dense=cosine)), **more)  # type: ignore[arg-type]


def order(*candidates: Rankable, ranking: Ranking = BY_COSINE) -> list[str]:
    return [each.key for each in rank(candidates, ranking=ranking, now=NOW)]


def test_total_is_relevance_and_decayed_reward_as_the_formula_says() -> None:
    seen = NOW - timedelta(days=30)
    candidate = one("a", 0.8, reward_sum=6.0, reward_count=8.0, when=seen)
    [ranked] = rank([candidate], ranking=BY_COSINE, now=NOW)
    assert ranked.score.reward == pytest.approx((6 + 2) / (8 + 4))
    assert ranked.score.age == pytest.approx(0.5)
    assert ranked.score.total == pytest.approx(0.6 * 0.8 + 0.4 * (8 / 12) * 0.5)


def test_without_feedback_reward_is_a_half() -> None:
    [ranked] = rank([one("a", 0.8)], ranking=BY_COSINE, now=NOW)
    assert ranked.score.reward == 0.5


def test_praise_brings_what_fits_nearly_as_well_to_the_front() -> None:
    plain, praised = one("plain", 0.80), one("praised", 0.77, reward_sum=20.0, reward_count=20.0)
    assert order(plain, praised) == ["praised", "plain"]
    assert order(plain, replace(praised, reward_sum=0.0)) == ["plain", "praised"]


def test_one_thumb_up_moves_less_than_twenty() -> None:
    once = bayesian_mean(1, 1, prior_sum=2, prior_count=4)
    often = bayesian_mean(20, 20, prior_sum=2, prior_count=4)
    assert 0.5 < once < 0.65 < often < 1


def test_an_irrelevant_record_does_not_win_however_popular() -> None:
    popular = one("popular", 0.60, reward_sum=1e9, reward_count=1e9, when=NOW)
    right = one("right", 0.80, reward_count=1e9, when=NOW - timedelta(days=3000))
    assert order(popular, right) == ["right", "popular"]


def test_below_the_floor_reward_counts_nothing() -> None:
    ranking = replace(BY_COSINE, floor=0.5)
    praised = one("praised", 0.40, reward_sum=50.0, reward_count=50.0)
    assert order(praised, one("plain", 0.41), ranking=ranking) == ["plain", "praised"]


def test_what_is_less_relevant_than_the_least_is_not_answered() -> None:
    ranking = replace(BY_COSINE, least_relevance=0.5)
    assert order(one("a", 0.49), one("b", 0.5), ranking=ranking) == ["b"]
    assert order(one("a", 0.1), ranking=ranking) == []


def test_a_time_to_come_is_not_younger_than_now() -> None:
    assert age_decay(NOW + timedelta(days=9), now=NOW, half_life_days=30) == 1.0
    assert age_decay(None, now=NOW, half_life_days=30) == 1.0


def test_the_first_of_every_group_stays_in_order() -> None:
    assert best_of_each("abacb", group=lambda each: each) == ["a", "b", "c"]
    assert best_of_each("abac", group=lambda each: each, limit=2) == ["a", "b"]
    assert best_of_each("aba", group=lambda each: None) == ["a", "b", "a"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"half_life_days": 0.0},
        {"relevance_weight": 0.0},
        {"reward_weight": -0.1},
        {"band": float("nan")},
        {"prior_sum": 5.0},
        {"candidates": 0},
    ],
)
def test_numbers_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="ranking"):
        Ranking(**wrong)  # type: ignore[arg-type]


@given(rankables(), st.floats(0, 0.5), st.floats(0, 1))
def test_what_is_outside_of_the_band_stands_behind_all_inside_of_it(
    candidates: list[Rankable], band: float, floor: float
) -> None:
    ranked = rank(candidates, ranking=Ranking(band=band, floor=floor), now=NOW)
    best = max(each.score.relevance for each in ranked)
    tiers = [each.score.relevance >= max(floor, best - band) for each in ranked]
    assert tiers == sorted(tiers, reverse=True)
    # So whoever comes first fits at most the band worse than the best.
    assert ranked[0].score.relevance >= best - band - 1e-9
    assert [each.score.rewarded for each in ranked] == tiers


@given(rankables())
def test_parts_add_up_to_the_total(candidates: list[Rankable]) -> None:
    for each in rank(candidates, ranking=Ranking(), now=NOW):
        score = each.score
        reward = score.reward_weight * score.reward * score.age if score.rewarded else 0.0
        assert score.total == pytest.approx(score.relevance_weight * score.relevance + reward)
        assert 0 <= score.relevance <= 1
        assert 0 <= score.reward <= 1
        assert f"{score.total:.3f}" in explain(score)


@given(rankables(), st.randoms(use_true_random=False))
def test_order_is_total_and_does_not_depend_on_how_they_came(
    candidates: list[Rankable], random: object
) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank(shuffled, ranking=Ranking(), now=NOW) == rank(
        candidates, ranking=Ranking(), now=NOW
    )


@given(rankables(), st.integers(0, 11))
def test_more_praise_never_moves_a_record_back(candidates: list[Rankable], which: int) -> None:
    chosen = candidates[which % len(candidates)]
    praised = replace(
        chosen, reward_sum=chosen.reward_count + 5, reward_count=chosen.reward_count + 5
    )
    after = [praised if each is chosen else each for each in candidates]

    def place(of: list[Rankable]) -> int:
        ranked = rank(of, ranking=Ranking(), now=NOW)
        return next(number for number, each in enumerate(ranked) if each.key == chosen.key)

    assert place(after) <= place(candidates)


@given(st.floats(), st.floats())
def test_no_counter_however_broken_leaves_the_unit_interval(total: float, count: float) -> None:
    assert 0 <= bayesian_mean(total, count, prior_sum=2, prior_count=4) <= 1
