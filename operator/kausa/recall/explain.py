"""Scores in words, so that a person can add them up."""

from __future__ import annotations

from kausa.recall.ranking import ScoreParts

__all__ = ["explain"]


def explain(score: ScoreParts) -> str:
    """One line: the total, the two parts that add up to it, and what they are made of."""
    relevance = score.relevance_weight * score.relevance
    parts = [f"{score.total:.3f} = {relevance:.3f} relevance"]
    made_of = [
        f"{name} {value:.2f}"
        for name, value in (
            ("cosine", score.dense),
            ("BM25", score.sparse),
            ("second reading", score.rerank),
            ("agreement", score.agreement),
        )
        if value is not None
    ]
    parts.append(f"({score.relevance_weight:g} x {score.relevance:.2f}: {', '.join(made_of)})")
    if score.rewarded:
        reward = score.reward_weight * score.reward * score.age
        parts.append(
            f"+ {reward:.3f} reward ({score.reward_weight:g} x {score.reward:.2f} "
            f"x {score.age:.2f} for its age)"
        )
    else:
        parts.append("+ 0 reward (not relevant enough for it to count)")
    return " ".join(parts)
