"""Values of a change that must be hidden together.

Redaction looks at one value at a time, and of two keys of one kind it may know only one. A field
that held a secret holds another after a change: where one side would be hidden, the other is left
out. Both are asked about here, before the real redactor sees what is left.
"""

from __future__ import annotations

from dataclasses import replace

from kausa.evidence.changes.difference import Difference
from kausa.evidence.redaction import Redactor

__all__ = ["LEFT_OUT", "with_equal_sides"]

LEFT_OUT = "… (left out)"
"""It begins as a value that was too long to be kept, and is set back as little."""


def with_equal_sides(difference: Difference, *, redactor: Redactor) -> Difference:
    """The difference; without the side that would be shown beside one that is hidden."""
    before, after = difference.before, difference.after
    if not before or not after:
        return difference
    hidden = [_would_hide(redactor, difference, each) for each in (before, after)]
    if hidden[0] == hidden[1]:
        return difference
    return replace(
        difference,
        before=before if hidden[0] else LEFT_OUT,
        after=after if hidden[1] else LEFT_OUT,
        told=f"{difference.citation} (its values are left out: one of them is secret)",
    )


def _would_hide(redactor: Redactor, difference: Difference, value: str) -> bool:
    """Whether anything in it is a secret by itself, or by the field that it stands in."""
    field = difference.path.rpartition("[")[2].rstrip("]")
    known: dict[str, str] = {"path": difference.path, "value": value}
    return any(redactor.tree(each).counts for each in (known, value, f"{field}={value}"))
