"""How far the table is: pure, one look after another.

Full means that each broken workload has a cause. Settled means that after its cause was known, each
failure that comes again within seconds was seen at least once more, in the same resource. The
others repeat too, but Kubernetes itself takes minutes between two attempts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hack.demo.shop import BROKEN, NAMESPACE
from hack.demo.table import Table

REPEATING = ("cart", "checkout", "indexer")


@dataclass(slots=True)
class Progress:
    """What the looks so far have shown."""

    table: Table = field(default_factory=Table)
    full_after: float | None = None
    """Seconds from the start of the workloads to the look that saw five causes."""
    _counts: dict[str, int] = field(default_factory=dict)

    def take(self, table: Table, *, seconds: float) -> bool:
        """Take in the next look; whether it shows anything new."""
        new = table.differs(self.table)
        self.table = table
        for name in table.diagnosed(NAMESPACE, BROKEN):
            self._counts.setdefault(name, table.seen(NAMESPACE, name))
        if self.full_after is None and not self.missing:
            self.full_after = seconds
        return new

    @property
    def missing(self) -> list[str]:
        """The broken workloads without a cause."""
        return sorted(set(BROKEN) - self.table.diagnosed(NAMESPACE, BROKEN))

    @property
    def unrepeated(self) -> list[str]:
        """The failures that come again soon, and were not seen again yet."""
        return [
            name
            for name in REPEATING
            if self.table.seen(NAMESPACE, name) <= self._counts.get(name, 0)
        ]

    @property
    def settled(self) -> bool:
        return not self.missing and not self.unrepeated

    def sentence(self) -> str:
        if self.missing:
            found = len(BROKEN) - len(self.missing)
            return f"{found} of {len(BROKEN)} diagnosed; not yet: {', '.join(self.missing)}"
        if self.unrepeated:
            return (
                f"All {len(BROKEN)} diagnosed; waiting for repeats of {', '.join(self.unrepeated)}"
            )
        return f"All {len(BROKEN)} diagnosed; repeats raise SEEN, and make no new resources"
