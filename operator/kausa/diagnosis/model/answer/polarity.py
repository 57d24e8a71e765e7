"""Whether a claim says the contrary of what the evidence says of the same thing.

Only a clear clash counts: right behind something that was looked up the claim says that it is well
(`PAYMENTS_DB_DSN is set`), and the evidence complains of it and nowhere says so; or the other way
round. What repeats the evidence's own words never clashes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from kausa.diagnosis.model.answer.literals import normal

__all__ = ["clashes"]

_BREAK: Final = re.compile(r"[;,|\n]|[.!?](?=\s|$)")
_WELL: Final = (
    r"(?:set|correct|fine|ok|okay|valid|present|defined|available|exists?|existing|healthy|"
    r"reachable|provided|configured|resolved|ready|intact)"
)
_BADLY: Final = (
    r"(?:missing|unset|undefined|absent|refused|unreachable|invalid|wrong|incorrect|denied|"
    r"unavailable|rejected|broken|unhealthy|unresolved|unknown|forbidden|nonexistent)"
)
_NOT: Final = r"(?:not|never|no longer|isn't|wasn't|aren't|doesn't|didn't)"
_LINK: Final = (
    r"(?:(?:is|are|was|were|has|have|been|does|do|did|seems?|looks?|appears?|be|currently|already|"
    r"actually|indeed|now|also|properly|correctly|perfectly) +)*"
)
_SAID: Final = re.compile(
    rf"[\"'`)]*:? *{_LINK}(?:(?P<badly>{_NOT} (?:be |been |yet |properly |correctly )*{_WELL}|"
    rf"{_BADLY})|(?P<well>{_WELL}))(?: (?:correctly|properly|here|there|now|already))*"
    r"(?= *(?:$|[,.;:)!?\"'`]|and\b|so\b|because\b|which\b|but\b))"
)
_OTHERS: Final = r"(?!(?:in|of|from|for|at|on|by|to|with)\b)"
_COMPLAINT: Final = (
    r"\b(?:no such|missing|unset|undefined|unknown|invalid|without|cannot find|not find|refused|"
    r"denied|rejected|\w*error|\w*exception|unreachable|forbidden)"
)
_COMPLAINED: Final = (
    r"(?:(?:is|are|was|were|has|have|been|does|do|did|could|can|connection|lookup) )*"
    r"(?:no such|not (?:found|exist|set|defined|available|reachable|be found)|missing(?! \w)|unset|"
    r"undefined|unknown|invalid|refused|denied|rejected|unreachable|forbidden|nonexistent)\b"
)
_PART_OF: Final = re.compile(
    r"\b(?:in|of|from|for|at|on|by|to|with) (?:the |a |its )?(?:\w+ )?[\"'`(]*$"
)
_SUPPOSED: Final = re.compile(
    r"\b(?:if|whether|unless|until|once|when|after|before|ensur\w+|sure|check(?:s|ed|ing)?|verify\w*|"
    r"confirm\w*|see|expect\w*|should|must|need\w*|require\w*|assum\w*|want\w*|so that|make|"
    r"says?|said|claims?|instead|though|although)\b"
)


def clashes(sentence: str, literals: Sequence[str], texts: Iterable[str]) -> str:
    """Return the literal of which the sentence says the contrary of the texts, or nothing.

    The sentence and the literals as `normal` returns them; the texts as they are, with their lines.
    """
    read: _Read | None = None
    for literal in literals:
        claimed = [
            each
            for each in _said_of(literal, sentence)
            if not _SUPPOSED.search(sentence[: each.start()])
        ]
        if not claimed:
            continue
        read = read or _Read(texts)
        if any(_contrary(each, literal, read) for each in claimed):
            return literal
    return ""


class _Read:
    """The texts, read once for all that is claimed."""

    def __init__(self, texts: Iterable[str]) -> None:
        lines = [text.splitlines() for text in texts]
        self.whole = [normal(" ".join(each)) for each in lines]
        self.clauses = [
            clause for each in lines for line in each for clause in _BREAK.split(normal(line))
        ]


def _contrary(claimed: re.Match[str], literal: str, read: _Read) -> bool:
    repeated = f"{literal}{claimed[0]}"
    about = [each for each in read.clauses if literal in each]
    if not about or any(repeated in each for each in read.whole):
        return False
    said = [found for each in about for found in _said_of(literal, each)]
    if claimed["well"]:
        return not any(each["well"] for each in said) and (
            bool(said) or any(_complains_of(literal, each) for each in about)
        )
    return (
        bool(said)
        and all(each["well"] for each in said)
        and not any(_complains_of(literal, each) for each in about)
    )


def _said_of(literal: str, text: str) -> Iterator[re.Match[str]]:
    for found in _places(literal, text):
        behind = _SAID.match(text, found.end())
        # `the plugin of node-7 is not ready` says nothing of node-7.
        if behind and not _PART_OF.search(text[: found.start()]):
            yield behind


def _places(literal: str, text: str) -> Iterator[re.Match[str]]:
    return re.finditer(rf"(?<!\w){re.escape(literal)}(?!\w|\.\d)", text)


def _complains_of(literal: str, clause: str) -> bool:
    """Whether a complaint stands beside it; one about something in it or of it isn't meant."""
    name = re.escape(literal)
    before = rf"{_COMPLAINT}\W+(?:{_OTHERS}\w+\W+){{0,2}}?{name}(?!\w)"
    behind = rf"(?<!\w){name}\W+{_COMPLAINED}"
    return re.search(f"{before}|{behind}", clause) is not None
