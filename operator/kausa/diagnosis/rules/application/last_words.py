"""Whether the entry that a program ends with says why, or only that something failed.

"Startup failed, exiting" only says that: what was complained of before is the cause then. "Licence
check failed: 12 seats of 10" and "bad state 7" are causes of their own, known here or not, and what
the program survived before is none. In doubt an entry tells its own reason.
"""

from __future__ import annotations

import re

__all__ = ["says_why"]

LONGEST = 600
_PREFIX = re.compile(
    r"^(?:[\W_]*(?:\b(?:fatal|error|err|critical|crit|panic|severe|emerg(?:ency)?|exception|"
    r"uncaught|unhandled|caused by|npm err!|main|app(?:lication)?|server|\w{1,60}"
    r"(?:Error|Exception)|goroutine \d{1,9})\b[\s:\])!>|-]*))+",
    re.I,
)
_FAILS = re.compile(
    r"\b(?:fail(?:s|ed|ure|ing)?|can ?not|can't|could ?n[o']t|unable|unsuccessful\w{0,2}|error|"
    r"errors|exit(?:s|ed|ing)?|quit(?:ting)?|abort(?:s|ed|ing)?|terminat(?:e|es|ed|ing)|stop(?:s|"
    r"ped|ping)?|shut(?:ting)? ?down|giv(?:e|es|ing) up|gave up|crash(?:es|ed|ing)?|died|ended|"
    r"did(?: not|n't)|timed? ?out|never|exhausted|retries|attempts|"
    r"not start(?:ed)?|see (?:above|logs?|the log))\b",
    re.I,
)
_BECAUSE = re.compile(r":\s|\bbecause\b|\bdue to\b|\bsince\b|\(|;|=| - | -- |,", re.I)


def says_why(message: str) -> bool:
    """Whether a fatal entry's message tells a reason."""
    said = _PREFIX.sub("", message[:LONGEST]).strip(" .!:")
    if not said:
        return False
    if _FAILS.search(said) is None:
        return True
    # Each part that names no failing itself is a reason for that of the others.
    parts = [each.strip(" .!:)") for each in _BECAUSE.split(said)[1:]]
    return any(_is_reason(each) for each in parts)


def _is_reason(part: str) -> bool:
    return bool(re.search(r"[a-z]{2,}", part, re.I)) and _FAILS.search(part) is None
