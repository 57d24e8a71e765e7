"""Whether a line says itself that the program got over what it complains of.

`cannot reach redis:6379: refused, falling back to memory` is a complaint and no cause: the program
goes on, and says so. It must say that of the complaint, so behind it and with nothing against it
("cannot continue", "falling back failed"); in a line that is data the two stand in fields of their
own, in any order.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["gets_over_it"]

_LOOKED_AT: Final = 2048
_GETS_OVER: Final = re.compile(
    r"\bignor(?:ed|ing)\b|\bgoing (?:direct(?:ly)?|on)\b|\bfall(?:s|ing)? ?back\b|\bfell back\b|"
    r"\bus(?:e|es|ing) (?:the |its |a |an |built-in )?(?:default|fallback|cached|in-memory|"
    r"built-in|embedded|stale|last known)|\bcontinu(?:ing|es)\b|\bcarrying on\b|"
    r"\bproceed(?:ing|s) (?:anyway|without|with)\b|\bskipp(?:ed|ing)\b|\bnon-?fatal\b|"
    r"\bnot (?:fatal|critical)\b|\banyway\b|\bbest effort\b|\bdegraded mode\b",
    re.I,
)
_AGAINST_IT: Final = re.compile(
    r"(?:\b(?:not|never|no|cannot|can't|without|before|instead of|unable to|refus\w{2,3} to|"
    r"fail\w{0,3} (?:to|while|when)|until|unless|nor|stop\w{0,4})\b|n't)\W{1,3}(?:be |\w{1,12} )?$",
    re.I,
)
_ENDS: Final = re.compile(
    r"\b(?:fatal|panic(?:ked)?|exit(?:s|ing|ed)?|quit(?:ting)?|abort(?:ed|ing|s)?|giv(?:ing|e) up|"
    r"terminat(?:ed|ing)|shutting down|stopping|uncaught|unhandled)\b",
    re.I,
)
_HARMLESS_END: Final = re.compile(r"\b(?:non-?|not )fatal\b", re.I)
_COMPLAINT: Final = re.compile(
    r"err|fail|refus|denied|cannot|can't|could ?n[o']t|unable|not found|missing|invalid|"
    r"timed? ?out|unreachable|unavailable|no such|reset|broken|unknown|expired|forbidden|unauthori|"
    r"reject|lost|"
    r"\b[45]\d\d\b|does ?n[o']t|not (?:set|ready|reach|exist|avail|support)|closed|bad\b",
    re.I,
)
_DATA: Final = re.compile(r"\s{0,4}\{|.{0,400}?\b(?:msg|message|event)=")


def gets_over_it(line: str) -> bool:
    """Whether the first line of this text says that what it complains of was got over."""
    line = line[:_LOOKED_AT].lstrip().split("\n", 1)[0]
    # The last one is what it comes to.
    found = next(reversed(list(_GETS_OVER.finditer(line))), None)
    if found is None or _AGAINST_IT.search(line, max(0, found.start() - 40), found.start()):
        return False
    if _ENDS.search(_HARMLESS_END.sub("", line)):
        return False
    if _DATA.match(line):
        return _COMPLAINT.search(line) is not None
    before, behind = line[: found.start()], line[found.end() :]
    return _COMPLAINT.search(before) is not None and _COMPLAINT.search(behind) is None
