"""What a number counts: the evidence's `7 restarts` bears no `exit code 7`.

Only what is unmistakable is told apart: exit codes, restarts, replicas and ports. What the evidence
has to say beside the number is wider than what a claim says, for logs say it in many ways.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

__all__ = ["NUMBER_WORDS", "Counted", "Counts", "counted", "follows_from"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NUMBER_WORDS: Final = {
    "zero": "0", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "fifteen": "15",
    "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "hundred": "100",
    "thousand": "1000", "million": "1000000", "twice": "2",
}  # fmt: skip
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
# A number stands alone: the `7` of `cart-7d9f` and of `cart-7` counts nothing.
_NUMBER: Final = r"(?::|(?<![^\W_])(?<![^\W_]-))\d+(?:\.\d+)*(?![^\W_])"
_TOKEN: Final = re.compile(rf"({_NUMBER})|([^\W_]+)|[;,\n|]|\.(?=\s)")
_WHOLE: Final = re.compile(r"(?<![\w.:-])\d{1,9}(?![\w:-]|\.\d)")
_A_PAIR: Final = 2
_LONGEST_AGO: Final = 10_000
"""Days."""
_EACH_OTHER: Final = re.compile(r"\b(?:compet|conflict|clash)\w*|\beach other\b", re.IGNORECASE)
_BOUNDARY: Final = ""
"""What ends a clause, and a name that has digits."""
_BEFORE, _AFTER = 5, 3
_EXIT_LINK: Final = _words(
    "with code codes status of is was were a an the value number as error non zero"
)
_EVIDENCE: Final = {
    "exit code": re.compile(r"exit\w*|codes?|status\w*|rc|ret\w*|signal\w*|terminat\w*|end(?:s|ed)?"
                            r"|died|kill\w*|errno"),
    "count of restarts": re.compile(r"restart\w*|times?|count\w*|attempts?|retr\w+"),
    "count of replicas": re.compile(r"replicas?|want\w*|there|ready|\w*available|updated|desired|"
                                    r"current|scal\w+|pods?|running|min\w*|max\w*"),
    "port": re.compile(r"ports?|listen\w*|bind\w*|bound|addr\w*|sockets?|tcp|udp|https?|grpc|"
                       r"dial\w*|expos\w+"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A number of a claim, and what the claim says that it counts."""

    number: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    number: str
    before: tuple[str, ...]
    """The words before it, the nearest first, up to another number or the end of the clause."""
    after: tuple[str, ...]
    in_address: bool


def follows_from(number: str, sentence: str, days: AbstractSet[date]) -> bool:
    """Whether a number in words needs no evidence of its own.

    It is what two other numbers of the sentence or two days of the evidence (`days`) differ by, or
    that of those who are in each other's way.
    """
    wanted = int(number)
    numbers = {int(each) for each in _WHOLE.findall(sentence)}
    if any(each + wanted in numbers for each in numbers):
        return True
    if "day" in sentence and wanted <= _LONGEST_AGO:
        apart = timedelta(days=wanted)
        if any(each + apart in days for each in days if each < date.max - apart):
            return True
    return wanted == _A_PAIR and _EACH_OTHER.search(sentence) is not None


def counted(sentence: str) -> tuple[Counted, ...]:
    """Return the numbers of a claim whose role is plain."""
    return tuple(
        Counted(number=each.number, role=role) for each in _seen(sentence) if (role := _role(each))
    )


class Counts:
    """The numbers of one piece of evidence, with what stands beside them."""

    def __init__(self, text: str) -> None:
        self._seen: dict[str, list[_Seen]] = {}
        for each in _seen(text):
            self._seen.setdefault(each.number, []).append(each)

    def holds(self, wanted: Counted) -> bool:
        """Whether the number stands here in that role."""
        words = _EVIDENCE[wanted.role]
        return any(
            (wanted.role == "port" and each.in_address)
            or any(words.fullmatch(word) for word in (*each.before, *each.after))
            for each in self._seen.get(wanted.number, ())
        )


def _seen(text: str) -> list[_Seen]:
    tokens = _tokens(text)
    return [
        _Seen(
            number=token.removeprefix(":"),
            before=_near(tokens[max(place - _BEFORE, 0) : place][::-1]),
            after=_near(tokens[place + 1 : place + 1 + _AFTER]),
            in_address=token.startswith(":"),
        )
        for place, token in enumerate(tokens)
        if token[-1:].isdigit()
    ]


def _tokens(text: str) -> list[str]:
    """Return words, numbers (an address's port with its colon), and what ends a clause."""
    found = _TOKEN.findall(_CAMEL.sub(" ", text).casefold())
    return [
        number or NUMBER_WORDS.get(word, _BOUNDARY if any(map(str.isdigit, word)) else word)
        for number, word in found
    ]


def _near(tokens: Sequence[str]) -> tuple[str, ...]:
    words: list[str] = []
    for token in tokens:
        if token == _BOUNDARY or token[-1].isdigit():
            break
        words.append(token)
    return tuple(words)


def _role(seen: _Seen) -> str:
    before, after = (*seen.before, "", "", ""), (*seen.after, "", "")
    if after[0] in ("restart", "restarts") or (
        after[1] == "restarts" and after[0] in ("container", "pod", "more", "total")
    ):
        return "count of restarts"
    if after[0] in ("time", "times") and before[0] in ("restarted", "restarts"):
        return "count of restarts"
    if "count" in before[:2] and "restart" in before[:3]:
        return "count of restarts"
    if after[0] in ("replica", "replicas") or "replicas" in before[:2]:
        return "count of replicas"
    if before[0] in ("port", "ports") or before[:2] in (
        ("number", "port"),
        ("is", "port"),
    ):
        return "port"
    return "exit code" if _is_exit(seen.before, after[0]) else ""


def _is_exit(before: Sequence[str], after: str) -> bool:
    place = next((at for at, word in enumerate(before) if word not in _EXIT_LINK), None)
    if place is None or not before[place].startswith("exit"):
        return False
    between = before[:place]
    # `exited with 5 warnings` tells of no code.
    return not after or not between or "code" in between or "status" in between
