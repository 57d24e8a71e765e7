"""The last lines of a terminal, drawn again in place with plain ANSI.

Only lines that changed are written, so that text which somebody selects stays selected. What is
printed above scrolls away as usual and is never touched again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence

from hack.demo.console import plain

UP = "\x1b[{}A"
NEXT = "\x1b[1B"
CLEAR_LINE = "\x1b[K"
CLEAR_BELOW = "\x1b[J"
CLEAR_ALL = "\x1b[2J\x1b[H"


def repaint(before: Sequence[str], after: Sequence[str]) -> str:
    """What turns the lines before, with the cursor below them, into the lines after."""
    parts = ["\r", UP.format(len(before)) if before else ""]
    for number, line in enumerate(after):
        same = number < len(before) and before[number] == line
        parts.append(NEXT if same else f"{line}{CLEAR_LINE}\n")
    return "".join([*parts, CLEAR_BELOW])


class Region:
    """The lines at the bottom; `make` gets the width and gives the lines."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = (0, 0)

    def draw(self, make: Callable[[int], Sequence[str]]) -> None:
        size = tuple(shutil.get_terminal_size())
        width, height = max(size[0], 20), max(size[1], 5)
        lines = [line[: width - 1] for line in make(width - 1)][: height - 1]
        if self._size not in ((0, 0), size):
            # The terminal has wrapped our lines anew, and nobody knows where they are.
            self._lines = []
            plain_text = CLEAR_ALL + repaint([], lines)
        else:
            plain_text = repaint(self._lines, lines)
        self._lines, self._size = lines, (size[0], size[1])
        plain(plain_text, end="")

    def print_above(self, text: str) -> None:
        plain(f"{repaint(self._lines, [])}{text}")
        self._lines = []
