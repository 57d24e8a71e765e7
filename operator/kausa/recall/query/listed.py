"""Several names under one kind: `namespaces prod and staging`, `the a, b and c namespaces`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kausa.recall.query.tokens import Token

__all__ = ["names_before", "names_from"]

MOST_NAMES = 8
_JOINS = frozenset({"and", "or", "nor", "&"})


def names_from(
    tokens: Sequence[Token], first: int, *, is_name: Callable[[Token], bool]
) -> list[tuple[int, int]]:
    """The names of a list that begins with the name at `first`, that one included.

    Each as where its joining word stands (or itself) and where it stands; at most eight.
    """
    found = [(first, first)]
    while len(found) < MOST_NAMES:
        last = found[-1][1]
        if tokens[last].ends_clause and tokens[last].following != ",":
            break
        joined = last + 1 < len(tokens) and tokens[last + 1].lower in _JOINS
        place = last + (2 if joined else 1)
        if place >= len(tokens) or not (joined or tokens[last].following == ","):
            break
        if (joined and tokens[last + 1].ends_clause) or not is_name(tokens[place]):
            break
        found.append((last + 1, place))
    if len(found) > 1 and not any(tokens[join].lower in _JOINS for join, _ in found):
        # "in namespace prod, web fails": a list says `and` or `or` before its last name.
        return found[:1]
    return found


def names_before(
    tokens: Sequence[Token], last: int, *, is_name: Callable[[Token], bool]
) -> list[int]:
    """The places of the names of a list that ends with the name at `last`, that one included."""
    found = [last]
    while len(found) < MOST_NAMES:
        first = found[0]
        joined = first > 0 and tokens[first - 1].lower in _JOINS
        place = first - (2 if joined else 1)
        if place < 0 or not (joined or (len(found) > 1 and tokens[place].following == ",")):
            break
        if not is_name(tokens[place]) or tokens[place].following not in {" ", ","}:
            break
        found.insert(0, place)
    return found
