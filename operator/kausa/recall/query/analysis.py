"""All that a question gives away, put together and explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kausa.recall.query.clues import Clue, ClueKind
from kausa.recall.query.failures import failure_words
from kausa.recall.query.names import named_objects, owner_of_pod
from kausa.recall.query.negation import without_denied
from kausa.recall.query.splitting import parts_of
from kausa.recall.query.times import time_range
from kausa.recall.query.tokens import LONGEST, tokens_of
from kausa.recall.query.wording import search_text, search_words, without_join

__all__ = ["QueryAnalysis", "SubQuestion", "analyse"]

MOST_CLUES = 64
MOST_LABELS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SubQuestion:
    """One of the questions that were asked at once."""

    text: str
    """As it was asked."""
    search: str
    """What is searched by likeness: without names and times."""
    words: str
    """What is searched by words."""
    reasons: tuple[str, ...]
    categories: tuple[str, ...]
    """What it is about; where it does not say so itself, what the whole question is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAnalysis:
    """What a question is about. Empty and None are not told."""

    question: str
    namespaces: tuple[str, ...]
    pods: tuple[str, ...]
    owners: tuple[str, ...]
    """`Kind/name`: named, or made out of the name of a Pod; surest first."""
    containers: tuple[str, ...]
    nodes: tuple[str, ...]
    labels: tuple[str, ...]
    reasons: tuple[str, ...]
    categories: tuple[str, ...]
    exit_code: int | None
    after: datetime | None
    before: datetime | None
    sub_questions: tuple[SubQuestion, ...]
    clues: tuple[Clue, ...]
    """What was taken from where, in the order of the question."""
    notes: tuple[str, ...] = ()
    """What the question says and no filter does, for a person."""


def analyse(question: str, *, now: datetime) -> QueryAnalysis:
    """Read a question; `now` (with a time zone) is what `yesterday` is counted from.

    Never raises, takes time linear in the length, and reads the first 4,000 characters.
    """
    text = question[:LONGEST]
    tokens = tokens_of(text)
    found = sorted(
        (*named_objects(tokens), *time_range(tokens, now=now), *failure_words(tokens)),
        # A reason goes before its category: where it is denied, both are.
        key=lambda clue: (clue.start, clue.end, clue.kind == "category", clue.kind, clue.value),
    )[:MOST_CLUES]
    clues = without_denied(text, tokens, found)
    pods = _values(clues, "pod")
    made = [owner for pod in pods for owner in owner_of_pod(pod)]
    codes = _values(clues, "exit_code")
    reasons, categories = _values(clues, "reason"), _values(clues, "category")
    return QueryAnalysis(
        question=question,
        namespaces=_values(clues, "namespace"),
        pods=pods,
        owners=tuple(dict.fromkeys((*_values(clues, "owner"), *made))),
        containers=_values(clues, "container"),
        nodes=_values(clues, "node"),
        labels=_values(clues, "label")[:MOST_LABELS],
        reasons=reasons,
        categories=categories,
        exit_code=int(codes[0]) if codes else None,
        after=_moment(clues, "after"),
        before=_moment(clues, "before"),
        sub_questions=tuple(
            _sub_question(text, clues, tokens[start].start, tokens[end - 1].end)
            for start, end in parts_of(tokens)
        ),
        clues=tuple(clues),
        notes=_notes(text, clues),
    )


def _sub_question(text: str, clues: Sequence[Clue], start: int, end: int) -> SubQuestion:
    inside = [clue for clue in clues if start <= clue.start and clue.end <= end]
    own = [clue for clue in inside if not clue.names and not clue.left_out]
    speaks = own or clues
    reasons = _values(speaks, "reason")
    searched = search_text(text, inside, start=start, end=end) or text[start:end]
    return SubQuestion(
        text=without_join(text[start:end]),
        search=searched,
        words=search_words(searched, reasons=reasons),
        reasons=reasons,
        categories=_values(speaks, "category"),
    )


def _values(clues: Iterable[Clue], kind: ClueKind) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(clue.value for clue in clues if clue.kind == kind and not clue.left_out)
    )


def _moment(clues: Iterable[Clue], kind: ClueKind) -> datetime | None:
    values = _values(clues, kind)
    return datetime.fromisoformat(values[0]) if values else None


def _notes(text: str, clues: Iterable[Clue]) -> tuple[str, ...]:
    """What narrows nothing: one sentence for everything of the same cause."""
    causes: dict[str, list[str]] = {}
    for clue in clues:
        if clue.left_out and clue.kind != "category":
            words = repr(text[clue.start : clue.end].strip(" ,"))
            if words not in causes.setdefault(clue.why, []):
                causes[clue.why].append(words)
    return tuple(
        f"No filter is made of {', '.join(words)}: {why}." for why, words in causes.items()
    )
