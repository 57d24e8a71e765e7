"""Text for a terminal: wrapped to its width, coloured where it shows colours, never its master.

What failing programs print goes to somebody's terminal here, so no control character passes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import click

__all__ = ["Paper", "printable"]

NARROWEST, WIDEST = 40, 120


def printable(text: str) -> str:
    """The text without anything that a terminal would obey; line breaks stay."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


class Paper:
    """Lines for a terminal of some width."""

    def __init__(self, *, width: int) -> None:
        self.lines: list[str] = []
        self._width = max(NARROWEST, min(WIDEST, width))

    def heading(self, text: str, *, colour: str = "cyan") -> None:
        """A word of its own, after an empty line."""
        self.blank()
        self.lines.append(click.style(printable(text), fg=colour, bold=True))

    def blank(self) -> None:
        """An empty line, never two."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def text(self, text: str, *, indent: int = 0, first: str = "", bold: bool = False) -> None:
        """A paragraph; `first` begins it, and the rest stands under what follows it."""
        start = " " * indent + printable(first)
        rest = " " * len(start)
        for number, line in enumerate(printable(text).splitlines() or [""]):
            lines = textwrap.wrap(
                line,
                width=self._width,
                initial_indent=start if number == 0 else rest,
                subsequent_indent=rest,
                break_long_words=False,
                break_on_hyphens=False,
            )
            self.lines.extend(click.style(each, bold=True) if bold else each for each in lines)

    def command(self, text: str, *, indent: int) -> None:
        """Something to be copied: never broken, whatever the width."""
        for line in printable(text).splitlines():
            self.lines.append(" " * indent + click.style(line, fg="green"))

    def table(self, rows: Sequence[Sequence[str]], *, clip: bool) -> None:
        """Columns as wide as they need to be, one line for each row; `clip` cuts what is too long
        for the width.
        """
        if not rows:
            return
        cells = [[" ".join(printable(each).split("\n")) for each in row] for row in rows]
        widths = [max(len(row[at]) for row in cells) for at in range(len(rows[0]) - 1)]
        for row in cells:
            head = "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False))
            line = head + row[-1]
            room = max(self._width, len(head) + NARROWEST)
            self.lines.append(line[: room - 1] + "…" if clip and len(line) > room else line)
