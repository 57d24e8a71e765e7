"""What went wrong, as far as a question says so: reasons, categories, the exit code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kausa.recall.query.clues import Clue
from kausa.recall.query.tokens import Token
from kausa.recall.query.vocabulary import PHRASES, REASONS

__all__ = ["failure_words"]

_LONGEST_PHRASE = max(len(phrase.split()) for phrase in PHRASES)
_LONGEST_REASON = 4
_REASONS = {reason.lower(): reason for reason in REASONS}
# "error" is a word, `Error` a reason only where somebody says so.
_WORDS = frozenset({"error", "evicted", "unhealthy", "unschedulable", "preempted"})
_CAMEL = re.compile(r"[A-Z][a-z]+(?:[A-Z]+[a-z]*)+")
_LONGEST_CAMEL = 64
_EXIT = frozenset({"exit", "exitcode", "exited", "exits", "code", "status", "exit-code"})
_CODE = re.compile(r"\d{1,3}")
_MOST_BETWEEN = 4


def failure_words(tokens: Sequence[Token]) -> Iterator[Clue]:
    """Every word of a failure, in the order of the question."""
    lowered = [token.lower for token in tokens]
    position = 0
    while position < len(tokens):
        used = 1
        for clue, length in _reason_at(tokens, lowered, position):
            yield clue
            used = max(used, length)
        phrase = _phrase_at(tokens, lowered, position)
        if phrase is not None:
            yield phrase
        code = _exit_code_at(tokens, lowered, position)
        if code is not None:
            yield code
        position += used


def _reason_at(
    tokens: Sequence[Token], lowered: Sequence[str], position: int
) -> Iterator[tuple[Clue, int]]:
    """`CrashLoopBackOff`, `crash loop back off`, `oom-killed`; with how many words it takes."""
    for length in range(min(_LONGEST_REASON, len(tokens) - position), 0, -1):
        joined = "".join(lowered[position : position + length]).replace("-", "").replace("_", "")
        reason = _REASONS.get(joined)
        if reason is None or (joined in _WORDS and tokens[position].text != reason):
            continue
        words = (tokens[position], tokens[position + length - 1])
        yield _clue("reason", reason, words, why="Kubernetes' own word"), length
        category = REASONS[reason]
        if category is not None:
            yield _clue("category", str(category), words, why=f"it goes with {reason}"), length
        return
    word = tokens[position].text
    if _looks_like_reason(word) and word.lower() not in PHRASES:
        yield _clue("reason", word, (tokens[position],) * 2, why="written like a reason"), 1


def _looks_like_reason(word: str) -> bool:
    typical = word.startswith(("Failed", "Err")) or word.endswith(("Failed", "Error", "Exceeded"))
    return typical and len(word) <= _LONGEST_CAMEL and _CAMEL.fullmatch(word) is not None


def _phrase_at(tokens: Sequence[Token], lowered: Sequence[str], position: int) -> Clue | None:
    for length in range(min(_LONGEST_PHRASE, len(tokens) - position), 0, -1):
        phrase = " ".join(lowered[position : position + length]).replace("-", " ")
        category = PHRASES.get(phrase)
        if category is not None:
            words = (tokens[position], tokens[position + length - 1])
            return _clue("category", str(category), words, why=f"people say {phrase!r}")
    return None


def _exit_code_at(tokens: Sequence[Token], lowered: Sequence[str], position: int) -> Clue | None:
    """`exit code 137`, `exited with 1`, `exitCode: 139`, `code=2`."""
    name, equals, value = lowered[position].replace(":", "=").partition("=")
    if equals and name in _EXIT and _CODE.fullmatch(value):
        return _code(value, tokens[position], tokens[position])
    if not lowered[position].startswith("exit"):
        return None
    for place in range(position + 1, min(position + 1 + _MOST_BETWEEN, len(tokens))):
        if _CODE.fullmatch(lowered[place]):
            return _code(lowered[place], tokens[position], tokens[place])
        if lowered[place] not in {"code", "status", "with", "of", "is", "a", "="} or (
            tokens[place - 1].ends_clause and lowered[place - 1] not in _EXIT
        ):
            return None
    return None


def _code(value: str, first: Token, last: Token) -> Clue | None:
    if int(value) > 255:
        return None
    return _clue("exit_code", str(int(value)), (first, last), why="an exit code")


def _clue(kind: str, value: str, words: Sequence[Token], *, why: str) -> Clue:
    kinds = {"reason": "reason", "category": "category", "exit_code": "exit_code"}
    return Clue(
        kind=kinds[kind],  # type: ignore[arg-type]
        value=value,
        start=words[0].start,
        end=words[-1].end,
        why=why,
    )
