"""How a finding of these rules is put together: bounded words, and evidence under each of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.evidence.redaction.placeholders import whole_from, whole_until
from kausa.resources.category import Category

__all__ = [
    "LONGEST_CAUSE",
    "LONGEST_SUMMARY",
    "citing",
    "listed",
    "shortened",
    "subject",
    "tell_finding",
]

LONGEST_SUMMARY = 200
LONGEST_CAUSE = 460
MOST_CITATIONS = 8
MOST_LISTED = 3
_HARMLESS = re.compile(r"[\w./:=,@ -]*")


def tell_finding(
    dossier: Dossier,
    *,
    rule: str,
    category: Category,
    summary: str,
    cause: str,
    why: str,
    fix: str,
    confidence: int,
    citations: Iterable[str],
    command: str | None = None,
) -> Finding:
    """One account of a failure with one fix; `cause` becomes a whole sentence.

    The command only reads or names what a person may run; it is left out where a name in it could
    mean something to a shell. Without citations it comes to nothing: it is dropped.
    """
    cited = tuple(dict.fromkeys(citations))[:MOST_CITATIONS]
    cause = clip(cause, characters=LONGEST_CAUSE).rstrip()
    return Finding(
        rule=rule,
        category=category,
        summary=clip(summary, characters=LONGEST_SUMMARY).rstrip(". "),
        root_cause=cause if cause.endswith((".", "…")) else f"{cause}.",
        explanation=why,
        confidence=confidence,
        citations=cited,
        fixes=(
            Fix(
                title=clip(fix, characters=LONGEST_SUMMARY),
                rationale=why,
                command=command if command and _HARMLESS.fullmatch(command) else None,
                citations=cited,
            ),
        ),
    )


def shortened(text: str, *, characters: int) -> str:
    """One line, its middle left out where it is too long: who wraps errors puts the cause last."""
    line = " ".join(text.split())
    if len(line) <= characters:
        return line
    tail = characters * 2 // 5
    head = whole_until(line, characters - tail - 3)
    rest = whole_from(line, len(line) - tail)
    return f"{line[:head].rstrip()} … {line[rest:].lstrip()}"


def citing(dossier: Dossier, *about: tuple[str, str], containing: str = "") -> tuple[str, ...]:
    """The ids of what was read from these objects, or from the object that fails where none is
    named; empty where nothing was read from them, and the finding is dropped then: evidence of
    something else is no evidence.
    """
    by = dossier.shown_by
    objects = about or ((by.kind, by.name),)
    found = [
        id_ for kind, name in objects for id_ in dossier.about(kind, name, containing=containing)
    ]
    return tuple(dict.fromkeys(found))[:MOST_CITATIONS]


def subject(dossier: Dossier) -> str:
    """`Deployment checkout`: the object that shows the failure, as every text names it."""
    by, owner = dossier.shown_by, dossier.owner
    return f"{by.kind} {by.name}" if by.kind else f"{owner.kind} {owner.name}"


def listed(names: Iterable[str], *, most: int = MOST_LISTED) -> str:
    """`a, b, c and 4 more`."""
    known = list(dict.fromkeys(names))
    if len(known) <= most:
        return ", ".join(known)
    return f"{', '.join(known[:most])} and {len(known) - most} more"
