"""Whether a sentence asks for something to be run, or tells of what runs.

`The container runs node server.js` is an honest description, `run node server.js` is an order, and
only grammar tells them apart. Where it is not clear which of both is meant, it is an order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["asks", "begins_clause", "orders_run", "reports", "tells_of_trouble"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ASKS: Final = re.compile(
    r"\b(?:please|helps?|fix(?:es)?|solves?|solution|cures?|remed(?:y|ies)|mends?|workaround|hint|"
    r"repairs?|recover(?:s|y|ed)?|restores?|resolves (?!to\b)|unblocks?|clears|cleans|frees|"
    r"recommend\w*|suggest\w*|advis\w+|consider|you (?:can|could|may|might|should|must|need)|"
    r"(?:can|could|should|must|may|to) be (?:run|executed|used|called|applied|typed|done)|"
    r"(?:is|are) (?:needed|required|necessary)|(?:can|could|must|should) be \w+ "
    r"(?:by|with|via|using|through)|"
    r"(?:someone|somebody|one|you|(?:admin|operator)s?) runs?|works again|let'?s|in order to|"
    r"brings?\b[^.]*\bback|does the trick|(?:fix|way|cure) is|"
    r"to (?:fix|mend|solve|recover|restore|repair|free|reset|clean))\b"
    r"|(?:^|[,;:]\s+|\b(?:please|then|and|first|so|should|must|can)\s+)"
    r"(?:try|use|using|run|rerun|running|execute|executing|type|call|invoke|apply|do|restart|reset|"
    r"proceed|begin|start|look|check)\s",
    re.IGNORECASE,
)
_IMPERATIVE: Final = re.compile(
    r"(?!(?:the|this|that|it|its|in|on|at|by|of|all|what|for|to|from|with|because|when|if|as|so|and|"
    r"but|since|after|before|while|both|then|here|there|which|only|not)\b)"
    r"[a-z]*[a-rt-z] (?:up|out|down|away|off|it|them|the|this|its|all)\b",
    re.IGNORECASE,
)
"""`Clean up`, `Restart it`: a sentence that begins with a verb, for no noun stands there so."""
_REPORTS: Final = re.compile(
    r"\b(?:sa(?:ys|id)|shows?|showed|prints?|printed|reports?|reported|writes?|wrote|logs?|logged|"
    r"errors?|fatal|panic|messages?|fail\w*|exits?|exited|ends|runs|ran|tells|reads|events?|output|"
    r"lines?|status|containers?|unknown|E\d{1,3})\b",
    re.IGNORECASE,
)
_TROUBLE: Final = re.compile(
    r"\b(?:err(?:or|ors)?|fail\w*|time(?:d )?-?outs?|denied|refused|invalid|unknown|missing|not|no|"
    r"cannot|can't|unable|expired|exhausted|exceed\w*|unreachable|panic\w*|fatal|exceptions?|"
    r"crash\w*|exit(?:s|ed)?|reset by|rejects?|rejected|ends|died|hangs|too (?:many|long|large))\b",
    re.IGNORECASE,
)
_RUN: Final = _words("run rerun execute type invoke issue enter paste launch")
_RUNNING: Final = _words("running rerunning executing typing invoking issuing entering launching")
_BEFORE_RUN: Final = _words(
    "please then also first next now just simply and or you we should must can could may might "
    "need try so either better operator not-only"
)
_BEFORE_RUNNING: Final = _words(
    "by try consider and or then recommend recommended suggest suggested requires require needs "
    "need after helps is was before"
)
_DESCRIBED: Final = _words(
    "fail fails failed failing unable able tries tried trying attempt attempts attempted "
    "attempting configured told supposed meant expected refuses refused not cannot command "
    "permission permitted allowed forbidden set starts started wants wanted program container"
)
"""What stands before `to run` where it says what a program does or can't do."""
_OPENERS: Final = _words("then please just simply so")
_WEAK_OPENERS: Final = _words("and or should must can could to but")


def asks(text: str) -> bool:
    """Whether it proposes something, and does not only tell what was seen."""
    return _ASKS.search(text) is not None or _IMPERATIVE.match(text) is not None


def reports(text: str) -> bool:
    """Whether what stands before a colon announces what was printed."""
    return _REPORTS.search(text) is not None


def tells_of_trouble(text: str) -> bool:
    """Whether it says that something went wrong, as the messages of programs do."""
    return _TROUBLE.search(text) is not None


def orders_run(words: Sequence[str], ends: Sequence[str], place: int) -> bool:
    """Whether the word there is `run` or the like, and tells a person to do it.

    `ends`: for each word, the mark that ends a clause behind it, or nothing.
    """
    word = words[place]
    before = words[place - 1] if place else ""
    opens = not place or bool(ends[place - 1])
    if word in _RUNNING:
        if before == "after" or before in ("is", "was"):
            return before == "after" and not tells_of_trouble(" ".join(words))
        return opens or before in _BEFORE_RUNNING
    if word not in _RUN:
        return False
    if before == "to" and not opens:
        return not (place > 1 and words[place - 2] in _DESCRIBED)
    return opens or before in _BEFORE_RUN


def begins_clause(words: Sequence[str], ends: Sequence[str], place: int) -> str:
    """`whole` where an order may begin there, `part` where more speaks for a list; else empty."""
    if not place:
        return "whole"
    before = words[place - 1]
    if before in _OPENERS:
        return "whole"
    if ends[place - 1]:
        return "whole" if ends[place - 1] != "," else "part"
    return "part" if before in _WEAK_OPENERS else ""
