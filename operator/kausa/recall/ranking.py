"""How found passages are ordered: a formula of relevance and reward that a person can follow.

    relevance = the weighted mean of what is known: cosine, squashed BM25, rerank score, agreement
    reward    = (reward_sum + 2) / (reward_count + 4), a Bayesian mean: one thumbs-up is not proof
    age       = 2 ** (-days / half life); 1 for what does not age, such as a runbook
    total     = 0.6 relevance + 0.4 reward x age

Reward counts only for what is relevant enough: at least `floor`, and not more than `band` below the
most relevant candidate. For the others it is nothing, and a reward is never negative, so whoever is
outside of the band stands behind everybody inside of it: a popular fix never outranks the right
one. The price: inside the band a fresh or praised record may pass one that fits a little better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TypeVar

from kausa.recall.fusion import FusionWeights, Signals, relevance_of

__all__ = [
    "Rankable",
    "Ranked",
    "Ranking",
    "ScoreParts",
    "age_decay",
    "bayesian_mean",
    "best_of_each",
    "rank",
]

DAY_SECONDS = 86_400.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Every number of the formula. All are at least 0; what is out of bounds is a ValueError."""

    relevance_weight: float = 0.6
    """Of how well a passage fits, in the total."""

    reward_weight: float = 0.4
    """Of what people said of it, in the total. 0 ranks by relevance alone."""

    prior_sum: float = 2.0
    prior_count: float = 4.0
    """What is believed before anybody spoke: `prior_sum` of `prior_count` were helped."""

    half_life_days: float = 30.0
    """After so many days a reward counts half."""

    band: float = 0.06
    """Reward reorders only what is at most this much less relevant than the most relevant."""

    floor: float = 0.3
    """Reward counts nothing below this relevance, however little else there is."""

    least_relevance: float = 0.0
    """What is less relevant than this is not answered at all."""

    fusion: FusionWeights = field(default_factory=FusionWeights)
    """How relevance is put together."""

    candidates: int = 50
    """How many each list of the store is asked for; where more is answered, 5 times as many."""

    rerank_best: int = 16
    """How many of the best are read again, word for word. 0 reranks nothing."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name != "fusion" and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"ranking.{each.name} is {value}: it must be 0 or more")
        if self.prior_sum > self.prior_count or self.prior_count == 0:
            raise ValueError("ranking.prior_sum must be at most prior_count, and that above 0")
        if self.half_life_days == 0 or self.candidates < 1:
            raise ValueError("ranking.half_life_days and ranking.candidates must be above 0")
        if self.relevance_weight == 0:
            raise ValueError("ranking.relevance_weight is 0: what does not fit would win")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreParts:
    """A score and all that went into it."""

    dense: float | None
    """The cosine, -1 to 1; None where the store's list did not name the passage."""
    sparse: float | None
    """BM25, above 0; None where no word is shared, or too few."""
    rerank: float | None
    """The second reading's score, 0 to 1; None where it was not read again."""
    agreement: float | None
    """How far what is known of the failure and what the passage is written for agree, 0 to 1;
    None where either says nothing."""
    relevance: float
    """0 to 1."""
    reward: float
    """The Bayesian mean of the feedback, 0 to 1; a half where there is none."""
    age: float
    """What is left of the reward, 0 to 1."""
    rewarded: bool
    """Whether the passage is relevant enough for its reward to count."""
    relevance_weight: float
    reward_weight: float
    total: float
    """`relevance_weight x relevance`, and `reward_weight x reward x age` where it is rewarded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rankable:
    """What the formula needs to know of one candidate."""

    key: str
    """Its id: the last word where two are equal, so that the order is always the same."""
    signals: Signals
    reward_sum: float = 0.0
    reward_count: float = 0.0
    when: datetime | None = None
    """When it was last seen; None does not age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One candidate in its place."""

    key: str
    score: ScoreParts


def bayesian_mean(total: float, count: float, *, prior_sum: float, prior_count: float) -> float:
    """What is believed after `count` verdicts that add up to `total`; 0 to 1.

    Each verdict lies between 0 (wrong) and 1 (helped). Sums that no such verdicts can have are
    taken for the nearest that they can, so that a broken counter cannot win.
    """
    count = max(0.0, _finite(count))
    total = min(max(0.0, _finite(total)), count)
    return (total + prior_sum) / (count + prior_count)


def age_decay(when: datetime | None, *, now: datetime, half_life_days: float) -> float:
    """How much of a reward is left, 0 to 1; 1 without a time, and for one that is yet to come."""
    if when is None:
        return 1.0
    days = max(0.0, (now - when).total_seconds()) / DAY_SECONDS
    return float(2.0 ** (-days / half_life_days))


def rank(candidates: Sequence[Rankable], *, ranking: Ranking, now: datetime) -> tuple[Ranked, ...]:
    """All that is relevant enough to be answered, best first; ties go to relevance, then key."""
    relevances = relevance_of([c.signals for c in candidates], weights=ranking.fusion)
    known = [
        (candidate, relevance)
        for candidate, relevance in zip(candidates, relevances, strict=True)
        if relevance >= ranking.least_relevance
    ]
    if not known:
        return ()
    threshold = max(ranking.floor, max(relevance for _, relevance in known) - ranking.band)
    ranked = [
        Ranked(
            key=candidate.key,
            score=_score(candidate, relevance, threshold=threshold, ranking=ranking, now=now),
        )
        for candidate, relevance in known
    ]
    return tuple(sorted(ranked, key=_order))


def best_of_each(
    ranked: Iterable[T], *, group: Callable[[T], object], limit: int | None = None
) -> list[T]:
    """The first of every group, in order; None as a group is a group of its own."""
    seen: set[object] = set()
    chosen: list[T] = []
    for item in ranked:
        name = group(item)
        if name is not None and name in seen:
            continue
        seen.add(name)
        chosen.append(item)
        if limit is not None and len(chosen) >= limit:
            break
    return chosen


def _score(
    candidate: Rankable, relevance: float, *, threshold: float, ranking: Ranking, now: datetime
) -> ScoreParts:
    reward = bayesian_mean(
        candidate.reward_sum,
        candidate.reward_count,
        prior_sum=ranking.prior_sum,
        prior_count=ranking.prior_count,
    )
    age = age_decay(candidate.when, now=now, half_life_days=ranking.half_life_days)
    rewarded = relevance >= threshold
    total = ranking.relevance_weight * relevance
    if rewarded:
        total += ranking.reward_weight * reward * age
    return ScoreParts(
        dense=candidate.signals.dense,
        sparse=candidate.signals.sparse,
        rerank=candidate.signals.rerank,
        agreement=candidate.signals.agreement,
        relevance=relevance,
        reward=reward,
        age=age,
        rewarded=rewarded,
        relevance_weight=ranking.relevance_weight,
        reward_weight=ranking.reward_weight,
        total=total,
    )


def _order(ranked: Ranked) -> tuple[bool, float, float, str]:
    # Who is rewarded stands before who is not, whatever the rounding of the totals says.
    score = ranked.score
    return (not score.rewarded, -score.total, -score.relevance, ranked.key)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
