"""How one way of stating a cause is written down: the words that give it away, and how it is told.

The tables beside this module hold them. Their texts name what the pattern's groups caught, and
these words: {subject} the object that fails, {namespace}, {node}, {container}, {gates},
{scheduler}, {upstream} what it follows from, {ended} how a container of its Pod ended, {said}
Kubernetes' own message. What stands between << and >> is left out where a word in it is empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk

__all__ = ["NAME", "Statement", "tell", "words"]

NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
"""A name of an object, which may stand in a command."""

_PERHAPS = re.compile(r"<<(.*?)>>")
_NAMED = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One cause that Kubernetes states itself."""

    rule: str
    of: frozenset[Category] = frozenset()
    """The symptoms of which it is asked."""
    cause: Category | None = None
    """What it is a cause of, whatever the symptom is called: its words are unmistakable, so it is
    looked for in every warning, and it gives the finding its category. None: the symptom's."""
    pattern: re.Pattern[str]
    """Looked for in `reason: message`."""
    summary: str
    root_cause: str
    explanation: str
    advice: str
    command: str | None = None
    """Only reads; left out where something in it may be no name."""
    risk: Risk = Risk.LOW
    """Of what is advised."""
    confidence: int
    unmistakable: bool = False
    """Nobody but the component that is meant writes so, so it is believed in full whatever reason
    the Event gives; others are, where Kubernetes itself gives that reason."""
    vague: bool = False
    """It only describes: what an Event about the object says more exactly is preferred."""
    rests_on_end: bool = False
    """It only describes where nothing is known of how a container ended."""

    def risk_of(self, told: Mapping[str, str]) -> Risk:
        """Of what is advised: to read every Secret of a cluster is to become nearly anybody."""
        resource = told.get("resource", "").partition("/")[0]
        return Risk.HIGH if self.risk is Risk.MEDIUM and resource == "secrets" else self.risk


def words(pattern: str) -> re.Pattern[str]:
    """A pattern that reads over lines and takes capitals as they come."""
    return re.compile(pattern, re.I | re.S)


def tell(text: str, told: Mapping[str, str]) -> str:
    """A text of a statement with the words put in."""

    def perhaps(found: re.Match[str]) -> str:
        return found[1] if all(told.get(name) for name in _NAMED.findall(found[1])) else ""

    return _PERHAPS.sub(perhaps, text).format_map(told)
