"""A clean log of any length, and how much of it is hidden wrongly."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bench.redaction.clean_lines import LINES, stamp

from kausa.evidence.redaction import Redactor

__all__ = ["CleanResult", "clean_log", "hidden_wrongly"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanResult:
    """Words that were there, and those that were there no more."""

    tokens: int
    hidden: tuple[str, ...]

    @property
    def per_thousand(self) -> float:
        """How many of a thousand words were hidden."""
        return len(self.hidden) * 1000 / max(1, self.tokens)


def clean_log(*, seed: int, size: int) -> str:
    """About `size` characters of lines of all kinds."""
    rng = Random(seed)
    lines: list[str] = []
    length = 0
    while length < size:
        line = rng.choice(LINES)(rng)
        if rng.random() < 0.3 and "\n" not in line:
            line = f"{stamp(rng)} {line}"
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines) + "\n"


def hidden_wrongly(redactor: Redactor, text: str) -> CleanResult:
    """Compare line by line: a word that is not in its line any more was hidden."""
    clean = redactor.text(text).value
    before, after = text.split("\n"), clean.split("\n")
    if len(before) != len(after):
        # Lines were swallowed: each is looked at alone, so that what follows still compares.
        after = [redactor.text(line).value for line in before]
    hidden: list[str] = []
    for old, new in zip(before, after, strict=True):
        if old != new:
            kept = set(new.split())
            hidden.extend(word for word in old.split() if word not in kept)
    return CleanResult(tokens=len(text.split()), hidden=tuple(hidden))
