"""Finding the line of a log that decides, among the lines that only follow from it."""

from __future__ import annotations

import re

__all__ = ["decisive_line", "is_runtime_excuse", "tail"]

LONGEST_LINE = 400
LOOKED_AT_LINES = 200

# From the strongest to the weakest; within one strength the last line wins, because programs say
# last what they die of.
_STRENGTHS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^\s*(?:panic:|fatal(?: error)?\b|caused by:)|"
        r"\blevel=(?:fatal|panic)\b|\"level\":\s*\"fatal\"",
        r"^(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception)\b",
        r"\b(?:error|exception|fatal|critical|cannot|could not|can't|unable to|failed|denied|"
        r"refused|"
        r"no such|not found|missing|undefined|unknown|invalid|unhandled|timed? ?out)\b",
    )
)
_STACK_FRAME = re.compile(r"^\s+(?:at |File \"|\.\.\. \d+ more)|^\s*goroutine \d+ \[")
# The kubelet answers 200 with this as the log, right around a restart.
_EXCUSES = ("unable to retrieve container logs for", "failed to try resolving symlinks in path")


def is_runtime_excuse(text: str) -> bool:
    """True where the container runtime's apology came back in place of a log."""
    return text.lstrip().startswith(_EXCUSES) and text.count("\n") <= 1


def decisive_line(text: str) -> str:
    """The line that most likely says why the program ended; empty for an empty log."""
    lines = [line.strip() for line in text.splitlines()[-LOOKED_AT_LINES:] if _says_something(line)]
    for pattern in _STRENGTHS:
        for line in reversed(lines):
            if pattern.search(line[:LONGEST_LINE]):
                return line[:LONGEST_LINE]
    return lines[-1][:LONGEST_LINE] if lines else ""


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not _STACK_FRAME.search(line[:LONGEST_LINE])


def tail(text: str, *, characters: int) -> str:
    """The last whole lines of a text that fit."""
    if len(text) <= characters:
        return text.strip("\n")
    cut = text[-characters:]
    _, newline, rest = cut.partition("\n")
    return (rest if newline else cut).strip("\n")
