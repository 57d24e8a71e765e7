"""The table of `kubectl get failurediagnoses -A`, read back: what changed, and whether it is full.

kubectl aligns each column below its title, so a cell is what stands between two titles. An empty
cell stays empty, which splitting at blanks would lose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Row = Mapping[str, str]
GAP = "   "
AGE = "AGE"
CAUSE = "CAUSE"
LEAST_CAUSE = 30
# What a narrow terminal can do without, the least needed first.
DISPENSABLE = ("NAME", "SIMILAR", "RESOLVED", "NAMESPACE", "CONFIDENCE", "REASON")


@dataclass(frozen=True, slots=True)
class Table:
    """Titles and rows, each cell without its padding."""

    titles: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()

    def differs(self, other: Table) -> bool:
        """Whether there is anything new beside the passing of time."""
        return self._lasting() != other._lasting()

    def _lasting(self) -> list[list[tuple[str, str]]]:
        return [[cell for cell in row.items() if cell[0] != AGE] for row in self.rows]

    def diagnosed(self, namespace: str, workloads: Iterable[str]) -> frozenset[str]:
        """The workloads that have a cause."""
        wanted = {f"Deployment/{name}": name for name in workloads}
        return frozenset(
            wanted[row["TARGET"]]
            for row in self.rows
            if row["NAMESPACE"] == namespace and row["TARGET"] in wanted and row[CAUSE]
        )

    def seen(self, namespace: str, workload: str) -> int:
        """How often the failures of a workload were seen."""
        return sum(
            int(row["SEEN"])
            for row in self.rows
            if row["NAMESPACE"] == namespace
            and row["TARGET"] == f"Deployment/{workload}"
            and row["SEEN"].isdigit()
        )


def parse(text: str) -> Table:
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return Table()
    found = list(re.finditer(r"\S+", lines[0]))
    titles = tuple(match.group() for match in found)
    starts = [match.start() for match in found]
    ends = [*starts[1:], None]
    cut = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    rows = (
        {title: line[part].strip() for title, part in zip(titles, cut, strict=True)}
        for line in lines[1:]
    )
    return Table(titles, tuple(rows))


def fit(table: Table, width: int) -> list[str]:
    """The lines of the table in this width: fewer columns first, then a shorter cause."""
    titles = list(table.titles)
    for title in DISPENSABLE:
        if _room_for_cause(table, titles, width) >= min(LEAST_CAUSE, _widest(table, CAUSE)):
            break
        titles = [each for each in titles if each != title]
    room = max(_room_for_cause(table, titles, width), 8)
    lines = [titles, *([_cell(row, title, room) for title in titles] for row in table.rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(titles))]
    return [_line(cells, widths)[:width] for cells in lines]


def _room_for_cause(table: Table, titles: Sequence[str], width: int) -> int:
    others = [_widest(table, title) + len(GAP) for title in titles if title != CAUSE]
    return min(width - sum(others), _widest(table, CAUSE))


def _widest(table: Table, title: str) -> int:
    return max([len(title), *(len(row.get(title, "")) for row in table.rows)])


def _cell(row: Row, title: str, room: int) -> str:
    text = row[title]
    return text if title != CAUSE or len(text) <= room else f"{text[: room - 1]}…"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return GAP.join(padded).rstrip()
