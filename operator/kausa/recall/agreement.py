"""Whether a passage is written for the failure that is asked about.

A runbook names reasons and categories, a failure has one of each, and a question often gives them
away. Who agrees in Kubernetes' own word agrees wholly; who agrees only in what failed, mostly. Who
disagrees in Kubernetes' own word speaks of something else; a category that only a question's words
hint at proves nothing against anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kausa.recall.runbook_match import Failing, Match, agreement

__all__ = ["agreement_of", "agreement_with"]

SAME_CATEGORY = 0.7


def agreement_of(
    payload: Mapping[str, Any], *, reasons: Collection[str], categories: Collection[str]
) -> float | None:
    """0 to 1; None where the passage or the asker names nothing that could be compared."""
    its_reasons = _words(payload, "reasons", "reason")
    its_categories = _words(payload, "categories", "category")
    if its_reasons & _lower(reasons):
        return 1.0
    if its_categories & _lower(categories):
        return SAME_CATEGORY
    return 0.0 if its_reasons and reasons else None


def agreement_with(payload: Mapping[str, Any], failing: Failing) -> float | None:
    """The same for a whole failure: a runbook's message pattern and labels are held against it."""
    match = Match(
        reasons=_texts(payload, "reasons"),
        categories=_texts(payload, "categories"),
        message_pattern=payload.get("message_pattern"),
        labels=_texts(payload, "labels"),
        strict=payload.get("namespace") is not None,
    )
    says = match.reasons or match.categories or match.message_pattern or match.labels
    return agreement(match, failing) if says else None


def _texts(payload: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = payload.get(name)
    return tuple(str(each) for each in value) if isinstance(value, list | tuple) else ()


def _words(payload: Mapping[str, Any], several: str, one: str) -> set[str]:
    value = payload.get(several, payload.get(one))
    if isinstance(value, str):
        return {value.lower()}
    return {str(each).lower() for each in value} if isinstance(value, list | tuple) else set()


def _lower(words: Collection[str]) -> set[str]:
    return {word.lower() for word in words}
