"""How much of a call is read: estimates of tokens by the characters, before anything is tokenised.

Tokenising sixteen passages to find out that two of them may be read takes longer than many a model
needs for those two, so a passage's length is guessed. The price: a text of another kind than logs
and prose, such as base64, has more tokens than were guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["estimate_tokens", "first_within", "in_portions"]

CHARACTERS_A_TOKEN = 3
"""Of runbooks 3.4 are one (measured on the 350 passages of the built-in ones); logs have fewer."""
MARKS = 2
"""Tokens that stand for a text's beginning and end."""


def estimate_tokens(text: str, *, most: int, beside: int = 0) -> int:
    """About how many tokens a model that reads `most` reads of it.

    `beside`: characters that are read together with it.
    """
    return min(most, (len(text) + beside) // CHARACTERS_A_TOKEN + MARKS)


def first_within(sizes: Sequence[int], most: int) -> int:
    """How many of the first fit into `most` together; at least one, where there is any."""
    used = 0
    for place, size in enumerate(sizes):
        used += size
        if used > most and place:
            return place
    return len(sizes)


def in_portions(sizes: Sequence[int], *, most: int) -> list[slice]:
    """All of them in turn, each portion as many as fit into `most`; none is one empty portion."""
    portions: list[slice] = []
    start = 0
    while start < len(sizes) or not portions:
        end = start + first_within(sizes[start:], most)
        portions.append(slice(start, end))
        start = end
    return portions
