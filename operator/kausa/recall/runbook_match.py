"""Whether a runbook is written for a failure, by what its author said in `match`.

All that a Runbook gives must agree, as its API says: an author who names a label means that label
alone. What is not known of a failure (a question has no labels) neither agrees nor disagrees. The
runbooks that come with Kausa, and those that were read from a folder for no namespace, are written
for every cluster, so what they name is what they are mostly about: there a disagreement lowers the
number and does not decide.

Patterns are RE2's, which is what Kubernetes' own expressions (CEL) take: matched in time that grows
with the text and never with the pattern, so nobody's Runbook can hold the operator up. The price
is that back references and looking around are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import re2  # type: ignore[import-untyped]

from kausa.memory.records import RunbookChunk
from kausa.resources import limits
from kausa.resources.runbook import RunbookMatch

__all__ = ["NEUTRAL", "Failing", "Match", "agreement", "pattern_problem"]

NEUTRAL: Final = 0.5
"""Of a runbook that says nothing of what it is about, and of a failure that nothing is known of."""
LONGEST_MESSAGE: Final = 8192
MOST_PATTERNS: Final = 512
MEMORY_OF_A_PATTERN: Final = 1024 * 1024
# How much less is left to doubt by each that agrees.
_WEIGHTS: Final = {"categories": 0.6, "reasons": 0.7, "labels": 0.7, "message_pattern": 0.8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a runbook is about; empty is not said."""

    reasons: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    message_pattern: str | None = None
    labels: tuple[str, ...] = ()
    """Each as key=value."""
    strict: bool = True
    """Whether all that is given must agree."""

    @classmethod
    def of(cls, match: RunbookMatch | None, *, strict: bool = True) -> Match:
        """Of a Runbook's spec."""
        if match is None:
            return cls(strict=strict)
        return cls(
            reasons=match.reasons,
            categories=tuple(str(each) for each in match.categories),
            message_pattern=match.message_pattern,
            labels=tuple(f"{each.key}={each.value}" for each in match.labels),
            strict=strict,
        )

    @classmethod
    def of_chunk(cls, chunk: RunbookChunk) -> Match:
        """Of a passage in the memory: strict where it is of a namespace."""
        return cls(
            reasons=chunk.reasons,
            categories=chunk.categories,
            message_pattern=chunk.message_pattern,
            labels=chunk.labels,
            strict=chunk.namespace is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """What is known of a failure; None and empty are not known."""

    reasons: tuple[str, ...] = ()
    """Kubernetes' own words for it, whether upper or lower case."""
    categories: tuple[str, ...] = ()
    message: str | None = None
    """What was said, all of it together; what is longer than 8,192 characters is not looked at."""
    labels: tuple[str, ...] | None = None
    """Of the workload, each as key=value. Empty means that it has none."""


def agreement(match: Match, failure: Failing) -> float:
    """How well the two agree, from 0 to 1.

    0 where the author excludes this failure, or where nothing of what a runbook of no namespace
    names is found. NEUTRAL where nothing was said or is known. Above that 1 less the doubt that is
    left: with the category alone 0.6, with the reason alone 0.7, with both 0.88, with the message
    too 0.976. Each disagreement of a runbook of no namespace takes half of its own weight away.

    It never raises: a pattern that cannot be used agrees with nothing.
    """
    doubt, against, agreed, compared = 1.0, 1.0, False, False
    for name, agrees in _compared(match, failure):
        compared = True
        if agrees:
            agreed = True
            doubt *= 1 - _WEIGHTS[name]
        elif match.strict:
            return 0.0
        else:
            against *= 1 - _WEIGHTS[name] / 2
    if not compared:
        return NEUTRAL
    return (1 - doubt) * against if agreed else 0.0


def pattern_problem(pattern: str) -> str | None:
    """Why a message pattern cannot be used, in a sentence; None where it can."""
    if len(pattern) > limits.MESSAGE_PATTERN:
        return (
            f"The message pattern has {len(pattern)} characters; at most "
            f"{limits.MESSAGE_PATTERN} are allowed."
        )
    if isinstance(found := _compiled(pattern), str):
        return (
            f"The message pattern cannot be used: {found}. Patterns are in RE2's syntax, which has "
            "no back references and no looking ahead or behind."
        )
    return None


def _compared(match: Match, failure: Failing) -> list[tuple[str, bool]]:
    """What is given on one side and known on the other, and whether it agrees."""
    found: list[tuple[str, bool]] = []
    if match.categories and failure.categories:
        found.append(("categories", _share(match.categories, failure.categories)))
    if match.reasons and failure.reasons:
        found.append(("reasons", _share(match.reasons, failure.reasons)))
    if match.labels and failure.labels is not None:
        found.append(("labels", set(match.labels) <= set(failure.labels)))
    if match.message_pattern and failure.message is not None:
        found.append(("message_pattern", _is_in(match.message_pattern, failure.message)))
    return found


def _share(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return not {each.lower() for each in one}.isdisjoint(each.lower() for each in other)


def _is_in(pattern: str, message: str) -> bool:
    compiled = _compiled(pattern)
    if isinstance(compiled, str):
        return False
    # A lone surrogate is no UTF-8, which is what RE2 reads.
    text = message[:LONGEST_MESSAGE].encode(errors="replace").decode()
    return compiled.search(text) is not None


@lru_cache(maxsize=MOST_PATTERNS)
def _compiled(pattern: str) -> Any:
    """The pattern, or in a text why there is none."""
    options = re2.Options()
    options.max_mem = MEMORY_OF_A_PATTERN
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0] if error.args else error
        return why.decode(errors="replace") if isinstance(why, bytes) else str(why)
    except UnicodeEncodeError:
        return "it is not text"
