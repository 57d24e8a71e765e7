"""What `kausa ingest` says at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from kausa.commands.ingest_files import FileKind, LeftOut

__all__ = ["FAILURES", "Report"]

FAILURES = "failures found in them"


@dataclass(slots=True)
class Report:
    """What became of everything."""

    new: Counter[str] = field(default_factory=Counter)
    """Written, by kind."""
    known: Counter[str] = field(default_factory=Counter)
    """There already, the same."""
    passages: Counter[str] = field(default_factory=Counter)
    left_out: list[LeftOut] = field(default_factory=list)
    removed: int = 0
    """Documents that were in the memory, and are in the folder no more."""

    @property
    def complete(self) -> bool:
        """Whether everything that should be readable was."""
        return not any(each.broken for each in self.left_out)

    def lines(self) -> Iterator[str]:
        """As a person reads it."""
        for kind in (*FileKind, FAILURES):
            new, known = self.new[kind], self.known[kind]
            if new or known:
                passages = f", {self.passages[kind]} passages" if self.passages[kind] else ""
                yield f"{kind:22} {new + known:6} taken: {new} new, {known} known already{passages}"
        if self.removed:
            yield f"{'removed':22} {self.removed:6} that are there no more"
        if not self.new and not self.known and not self.removed:
            yield "Nothing was taken."
        if self.left_out:
            yield f"left out {len(self.left_out):20}:"
            yield from (f"  {each.name}: {each.why}" for each in self.left_out)
