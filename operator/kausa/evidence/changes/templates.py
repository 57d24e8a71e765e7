"""What differs between two Pod templates, by meaning and not by text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kausa.evidence.changes.facts import template_facts

__all__ = ["FieldChange", "diff_templates"]

_STANDS_FOR_ALL = re.compile(
    r"spec\.(?:init|ephemeral)?[cC]ontainers\[[^\]]*\](?:\.(?:liveness|readiness|startup)Probe)?"
)
"""A container or a probe that came or went: its fields need no telling one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A field of the template, before and after; None where it was not or is not there."""

    path: str
    before: str | None
    after: str | None


def diff_templates(before: object, after: object) -> tuple[FieldChange, ...]:
    """The fields that differ, in the order of their paths; never raises."""
    old, new = template_facts(before), template_facts(after)
    differing = [
        path
        for path in sorted(old.keys() | new.keys())
        if path not in old or path not in new or old[path].compared != new[path].compared
    ]
    whole = {
        path
        for path in differing
        if (path in old) != (path in new) and _STANDS_FOR_ALL.fullmatch(path)
    }
    return tuple(
        FieldChange(
            path=path,
            before=old[path].shown if path in old else None,
            after=new[path].shown if path in new else None,
        )
        for path in differing
        if not any(_is_below(path, each) for each in whole)
    )


def _is_below(path: str, other: str) -> bool:
    return path != other and path.startswith((f"{other}.", f"{other}["))
