"""One thing that changed, as the modules of this package find it; `gather` makes evidence of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Difference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field of an object, or an object, that is not as it was."""

    kind: str
    name: str
    path: str = ""
    """The field; empty for the object as a whole."""
    before: str | None = None
    after: str | None = None
    told: str
    """In a sentence, without its full stop."""
    citation: str
    """The beginning of it that holds no value."""
    at: datetime | None = None
    by: str = ""
    """Who wrote it: a field manager such as `kubectl-edit` or `helm`."""
