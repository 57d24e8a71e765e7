"""Log lines as a model reads them, and by which it says which one decides.

Times, levels and loggers tell a model nothing and take a third of its prompt, and lines that say
the same again and again hide the one that does not. So a line is shown without its header, and of
lines that differ in numbers only the first and the last.

A small model is bad at naming a line by a number and good at repeating one: the lines themselves
are what it may choose from, so that what it quotes always stands in the log.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from kausa.diagnosis.model.prompt.bare_lines import FOLDED, without_header
from kausa.diagnosis.model.prompt.fences import CUT
from kausa.diagnosis.model.prompt.injection import MARK, screened
from kausa.diagnosis.model.protocol import NumberedEvidence
from kausa.evidence.logs import Severity
from kausa.evidence.logs.headers import read_header
from kausa.evidence.logs.severity import by_words

__all__ = [
    "WENT_ON",
    "Line",
    "as_read",
    "comes_or_goes",
    "complains",
    "is_log",
    "lines_to_choose",
    "log_as_read",
    "went_on",
]

MOST_LINES: Final = 20
"""To choose from; the last ones, for a program says why it ends when it ends."""
WENT_ON: Final = 3
"""Lines behind a complaint, of work and not of an end: a program that wrote them got over it."""
LONGEST_LINE: Final = 200
_LONGEST_READ: Final = 2_000
_LEAST_WORDS: Final = 2
_OFTEN: Final = 3
"""Lines that came as often as this are what a program always says,"""
_STILL: Final = 8
"""unless it said them until so many lines before its end: then it may have waited for it."""
_COMES_OR_GOES: Final = re.compile(
    r"(?<![=\w])(?:bye|goodbye|stopp(?:ed|ing)|clos(?:ed|ing)|shut(?:ting)?|shutdown|exit(?:ed|ing)?|"
    r"quit(?:ting)?|leaving|left|disconnect(?:ed|ing)|drain(?:ed|ing)?|flush(?:ed|ing)|halted|over|"
    r"terminat(?:ed|ing)|unsubscribed|done|finished|ended|end|start(?:ed|ing)|listening|opened|"
    r"loaded|registered|connected|ready)(?!\w)",
    re.IGNORECASE,
)
_MOST_WORDS: Final = 6
"""Of a line that only says that something begins or ends; one that says more is longer."""
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_NUMBER: Final = re.compile(r"\d+")
_BACK_OFF: Final = re.compile(
    r" \(back-off \S{1,20} restarting failed container=[^()]{1,600}\([0-9a-f-]{36}\)\)"
)
_OF_OURS: Final = re.compile(r"container \S{1,63} wrote nothing to its log")
"""What stands in place of an empty log: no program said it."""
_MORE: Final = re.compile(r"\((\d{1,9}) more like it\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line that an answer may choose."""

    id: str
    """Of the evidence that it stands in."""
    text: str
    """As it was shown."""
    verbatim: bool = True
    """False where it was data (JSON, logfmt), and the same is told in other marks."""


def is_log(item: NumberedEvidence) -> bool:
    """Whether it was read from a log."""
    return item.kind.casefold() == "log"


def as_read(item: NumberedEvidence) -> str:
    """A piece of evidence as a model reads it: a log without what every line has, anything else
    without what only a machine needs."""
    return log_as_read(item.text) if is_log(item) else _BACK_OFF.sub("", item.text)


def log_as_read(text: str) -> str:
    """A log's text as a model reads it."""
    lines = [_shown(line) for line in text.split("\n")]
    kept: list[str] = []
    place = 0
    while place < len(lines):
        end = place
        while end + 1 < len(lines) and _alike(lines[end + 1]) == _alike(lines[place]):
            end += 1
        if end - place < _OFTEN:
            kept += lines[place : end + 1]
        else:
            kept += [lines[place], f"({end - place - 1} more like it)", lines[end]]
        place = end + 1
    return "\n".join(kept)


def lines_to_choose(shown: Mapping[str, str], evidence: Mapping[str, str]) -> tuple[Line, ...]:
    """The lines of shown logs that may say why a program ended, in order, each once.

    Left out is what every log has: what came often and long before the end, what only says that
    something begins or ends, and complaints that the program got over; unless that is all.

    `shown`: by evidence id what stands in the prompt; `evidence`: the whole texts of the same ids.
    """
    found: dict[str, Line] = {}
    often: Counter[str] = Counter()
    behind: dict[str, int] = {}
    overcome: set[str] = set()
    for id_, text in shown.items():
        if _OF_OURS.fullmatch(evidence[id_].strip()):
            continue
        lines = evidence[id_].split("\n")
        for place, line in enumerate(lines):
            said = _said(_shown(line))
            if said is None or (said not in text and _alike(said) not in found):
                continue
            key = _alike(said)
            often[key] += 1
            behind[key] = len(lines) - place - 1
            if complains(line) and went_on(lines[place + 1 :]):
                overcome.add(key)
            # What stands in a shortened list stands whole elsewhere.
            if said in text and (key not in found or len(said) >= len(found[key].text)):
                found[key] = Line(id=id_, text=said, verbatim=said in evidence[id_])
    rare = {key: line for key, line in found.items() if often[key] < _OFTEN or behind[key] < _STILL}
    telling = [
        line for key, line in rare.items() if key not in overcome and not comes_or_goes(line.text)
    ]
    return tuple((telling or list(rare.values()) or list(found.values()))[-MOST_LINES:])


def complains(line: str) -> bool:
    """Whether a line of a log, by its level or its words, tells of trouble."""
    header = read_header(line)
    level = header.level if header.level is not None else by_words(header.message).severity
    return level >= Severity.WARNING


def went_on(lines: Sequence[str]) -> bool:
    """Whether a program went on with its work in the lines behind a complaint."""
    working = (each for each in lines if each.strip() and not comes_or_goes(_shown(each)))
    return sum(1 for _ in islice(working, WENT_ON)) >= WENT_ON


def comes_or_goes(text: str) -> bool:
    """Whether a line only says that something begins or ends, as every program's log does."""
    return len(_WORD.findall(text)) <= _MOST_WORDS and _COMES_OR_GOES.search(text) is not None


def _shown(line: str) -> str:
    if len(line) > _LONGEST_READ or not line.strip() or MARK in line:
        return line.rstrip()
    read = without_header(line.rstrip())
    # What was escaped in it was not looked at yet.
    return line.rstrip() if read != line and screened(read).found else read


def _said(line: str) -> str | None:
    """What an answer may repeat of a line; None where it says nothing."""
    text = line.strip()
    folded = FOLDED.match(text)
    if folded is not None:
        if folded["head"] is None:
            return None
        text = text[folded.end() :]
    if CUT in text or MARK in text or _MORE.fullmatch(text):
        return None
    text = "".join(each if each.isprintable() else " " for each in text)
    text = text.encode("utf-8", "replace").decode()
    if len(text) > LONGEST_LINE:
        text = text[:LONGEST_LINE].rpartition(" ")[0] or text[:LONGEST_LINE]
    if len(_WORD.findall(text)) < _LEAST_WORDS or _is_header(text):
        return None
    return text.strip()


def _is_header(text: str) -> bool:
    """A level and a logger whose message stands on the next line."""
    header = read_header(text)
    return header.level is not None and header.message.strip() == text.strip()


def _alike(line: str) -> str:
    return _NUMBER.sub("#", line.strip().casefold())
