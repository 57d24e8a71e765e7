"""What a log comes to, from all that was learned of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kausa.evidence.logs.entry import Entry, Found, LogSummary, Severity
from kausa.evidence.logs.ranking import is_end, ranked
from kausa.evidence.logs.skeletons import Skeletons
from kausa.evidence.logs.templates import Template

__all__ = ["MOST_TROUBLES", "summary_of"]

MOST_TROUBLES: Final = 12


def summary_of(
    templates: Sequence[Template],
    skeletons: Skeletons,
    *,
    counts: Mapping[Severity, int],
    fatal: Entry | None,
    tail: str,
    lines: int,
    size: int,
) -> LogSummary:
    """The summary; `fatal` is the last fatal entry, whether or not it was the end."""
    best = list(ranked(templates, lines=lines))
    ends = [each for each in best if is_end(each, lines=lines)]
    end = max(ends, key=lambda each: each.last_line, default=None)
    if end is not None:
        best = [end, *(each for each in best if each is not end)]
    top = best[:MOST_TROUBLES]
    troubles = tuple(each.found() for each in top)
    ended = end.found(fatal) if end is not None else None
    before = skeletons.rare_before([each.first_line for each in top], lines=lines)
    boring = skeletons.boring_entries()
    return LogSummary(
        tail=tail,
        decisive=ended or (troubles[0] if troubles else None),
        fatal=ended,
        troubles=troubles,
        before=tuple(
            Found(entry=each, first_line=each.line, last_line=each.line) for each in before
        ),
        lines=lines,
        size=size,
        counts={**counts, Severity.INFO: counts.get(Severity.INFO, 0) + boring},
    )
