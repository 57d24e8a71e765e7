"""What a question names only to leave it out: `not in namespace prod`, `all but web-0`.

A filter of recall says what may be answered, never what may not. So what is denied narrows
nothing, and the answer says so. A denial reaches over small words only (`not in the pods of`), and
on over a list (`except a, b and c`); where it is unclear whether it reaches a name, it does: a
search that is too wide shows the answer among others, a search for the opposite hides it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kausa.recall.query.clues import Clue
from kausa.recall.query.names import DENIED, KINDS, LABEL_WORDS, WHOLE
from kausa.recall.query.tokens import Token

__all__ = ["without_denied"]

_REACH = 8
"""Words that may stand between a denial and what it denies; bounds the time, too."""
_SINGLE = """
not except excepting excepted excluding exclude excludes without outside besides never nor
neither none minus ignoring ignore ignores omit omitting skip skipping unlike
isnt arent wasnt werent dont doesnt didnt
"""
_ALONE = frozenset(_SINGLE.split())
_PAIRS = frozenset(
    {
        *(("other", "than"), ("rather", "than"), ("apart", "from"), ("aside", "from")),
        *(("away", "from"), ("different", "from"), ("instead", "of")),
    }
)
_PLACES = frozenset(
    {"in", "from", "of", "within", "inside", "on", "at", "by", "with", "for", "to", "outside"}
)
_SMALL = """
the a an any all every each my our this that these those which what is are was were be being been it
its anything everything something things ones failures records results called named show list find
search look include including want me with code exit status
"""
_BETWEEN = _PLACES | KINDS.keys() | LABEL_WORDS | frozenset(_SMALL.split())
_LISTS = frozenset({"and", "or", "nor", "&"})
_WHY = frozenset({"why", "how", "when", "since", "but", "and", "so"})
_VERBS = frozenset({"is", "are", "was", "were", "does", "did", "has", "have", "do"})
_STOPS = frozenset(".?!;")


def without_denied(text: str, tokens: Sequence[Token], clues: Iterable[Clue]) -> list[Clue]:
    """The clues, in their order, with those that are denied marked as left out.

    They take the words of the denial with them, so that a text to search has no lonely `not in`.
    """
    places = {token.start: place for place, token in enumerate(tokens)}
    ends = {token.end: place for place, token in enumerate(tokens)}
    denied: set[int] = set()
    reasons: set[tuple[int, int]] = set()
    found: list[Clue] = []
    for clue in clues:
        if clue.kind == "category" and (clue.start, clue.end) not in reasons:
            # `without a readiness probe` is about probes; a category is no filter.
            found.append(clue)
            continue
        first = places.get(clue.start)
        start = None if first is None else _denial(text, tokens, first, denied)
        if start is None or clue.left_out:
            found.append(clue)
            continue
        if clue.kind == "reason":
            reasons.add((clue.start, clue.end))
        last = ends.get(clue.end)
        if last is not None:
            denied.add(last)
        found.append(replace(clue, start=start, why=DENIED, left_out=True))
    return found


def _denial(text: str, tokens: Sequence[Token], position: int, denied: set[int]) -> int | None:
    """Where in the text the denial of this word begins; None where nothing denies it."""
    start = tokens[position].start
    if text[start - 1 : start] == "!" and not text[max(start - 2, 0) : start - 1].isalnum():
        return start - 1
    if tokens[position].lower in _LISTS and position - 1 in denied:
        return start
    listed = False
    for place in range(position - 1, max(-1, position - 1 - _REACH), -1):
        token = tokens[place]
        if place in denied:
            joined = listed or token.following == "," or token.lower in _LISTS
            return tokens[place + 1].start if joined and token.following not in _STOPS else None
        if token.following and token.following in _STOPS:
            return None
        begins = None if listed or token.following == "," else _begins(tokens, place)
        if begins is not None:
            return None if _asks(tokens, begins, place) else tokens[begins].start
        listed = listed or token.lower in _LISTS
        if token.lower not in _BETWEEN and token.lower not in _LISTS:
            return None
    return None


def _begins(tokens: Sequence[Token], place: int) -> int | None:
    """Where the denial begins whose last word stands here."""
    word = _plain(tokens[place])
    if word in _ALONE:
        return place
    if place == 0:
        return None
    before = tokens[place - 1]
    if word == "t" and before.following == "'" and f"{before.lower}t" in _ALONE:
        return place - 1
    if (before.lower, word) in _PAIRS:
        return place - 1
    whole = before.lower in WHOLE or before.lower in KINDS
    return place if word == "but" and whole and not before.ends_clause else None


def _asks(tokens: Sequence[Token], begins: int, ends: int) -> bool:
    """Whether the denial belongs to a verb: `why isn't pod web-0 ready`, `why is not node n-1 up`.

    Not in `what is not in namespace prod`: there a place follows.
    """
    following = tokens[ends + 1].lower if ends + 1 < len(tokens) else ""
    word = _plain(tokens[begins]).removesuffix("nt").removesuffix("n")
    verb = begins
    if word == "not":
        verb, word = begins - 1, tokens[begins - 1].lower if begins else ""
    if word not in _VERBS or following in _PLACES:
        return False
    if verb == 0:
        return word != "do"
    before = tokens[verb - 1]
    return before.lower in _WHY or (before.following != "" and before.following in _STOPS)


def _plain(token: Token) -> str:
    return token.lower.replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
