"""One question after the other: "why is it failing, and how do I fix it" asks twice."""

from __future__ import annotations

from collections.abc import Sequence

from kausa.recall.query.tokens import Token
from kausa.recall.query.words import ASKING, EMPTY

__all__ = ["MOST_PARTS", "parts_of"]

MOST_PARTS = 4
LEAST_WORDS = 2
_ASKS = frozenset(ASKING.split())
_ALWAYS = frozenset({"how", "what", "why", "when", "where", "which", "who", "whose"})
"""Words that begin a question after `and`; verbs do only where somebody follows: `and can I`."""
_AFTER_COMMA = frozenset({"how", "what", "why"})
"""Not `which`: "a disk, which is full" asks nothing."""
_SOMEBODY = frozenset({"i", "we", "it", "the", "this", "that", "there", "my", "our", "they"})
_JOINS = frozenset({"and", "also", "then", "plus"})
_ORDERS = frozenset({"show", "list", "explain"})
_ENDS = frozenset("?;!")
_EMPTY = _ASKS | _JOINS | frozenset(EMPTY.split())


def parts_of(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Where each question begins and ends, as places of words; at most four, nothing left out.

    What says too little to be searched for goes with the one before it, or after it.
    """
    if not tokens:
        return []
    starts = [0, *(place for place in range(1, len(tokens)) if _begins(tokens, place))]
    parts: list[tuple[int, int]] = []
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(tokens)
        small = _content(tokens, start, end) < LEAST_WORDS
        if parts and (
            small or len(parts) >= MOST_PARTS or _content(tokens, *parts[-1]) < LEAST_WORDS
        ):
            parts[-1] = (parts[-1][0], end)
        else:
            parts.append((start, end))
    return parts


def _begins(tokens: Sequence[Token], place: int) -> bool:
    """Whether another question begins with this word."""
    before, word = tokens[place - 1], tokens[place].lower
    if before.following in _ENDS:
        return True
    if word in _JOINS:
        return _asks(tokens, place + 1)
    if before.following == ".":
        return _asks(tokens, place)
    return word in _AFTER_COMMA and before.following == ","


def _asks(tokens: Sequence[Token], place: int) -> bool:
    """Whether this word begins a question: `how`, `can I`, `show`."""
    if place >= len(tokens):
        return False
    word = tokens[place].lower
    following = tokens[place + 1].lower if place + 1 < len(tokens) else ""
    return word in _ALWAYS or word in _ORDERS or (word in _ASKS and following in _SOMEBODY)


def _content(tokens: Sequence[Token], start: int, end: int) -> int:
    return sum(token.lower not in _EMPTY for token in tokens[start:end])
