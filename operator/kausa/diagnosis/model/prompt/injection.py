"""Text that reads like an instruction to a model, found and left out.

Whoever can write a log line, an image name or a runbook can write to the model. What is found here
is replaced by a mark before the model sees it, bears no claim afterwards, and the status says so.
Patterns never find everything, so nothing rests on them alone: the answer's check assumes a model
that obeys. They err on the side of plain log lines: a false find costs a line of evidence, and the
diagnosis all that a steered one loses.

Each line is looked at as it stands and without its header, then all of them as one text: lines that
follow each other are read as one sentence by a model as well.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from kausa.diagnosis.model.prompt.bare_lines import FOLDED, without_header
from kausa.diagnosis.model.prompt.disguises import hidden_in, readings, visible
from kausa.diagnosis.model.prompt.injection_patterns import ACROSS_LINES, INSTRUCTION

__all__ = ["MARK", "Screened", "is_instruction", "screened"]

MARK: Final = "[text that reads like an instruction was left out]"

_SENTENCE: Final = re.compile(r"(?<=[.!?;\u3002\uff01\uff1f])\s+|(?<=[\u3002\uff01\uff1f])")
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_SEPARATORS: Final = re.compile(r"[-_/.:+=@~%]+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_IMAGE: Final = re.compile(r"(?:[\w.-]+(?::\d+)?/)+[\w.-]+(?::[\w.-]+)?(?:@sha256:\w+)?[,;.]?")
_FEW_SEPARATORS: Final = 3
_GOES_ON: Final = re.compile(r"\s*(?:and|then|or|but|so|instead|also|which|that)\b", re.IGNORECASE)
_MOST_ACROSS: Final = 44
"""Characters of an instruction that goes over lines: what lies further apart belongs to two."""
_LONGEST: Final = 4_000
"""Characters of one text that are looked at; what comes after is not shown to a model at all.
Evidence is shorter, and the time that the patterns take grows faster than the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """A text without its instructions."""

    text: str
    found: tuple[str, ...] = ()
    """What was left out."""


def screened(text: str) -> Screened:
    """Return the text, everything that reads like an instruction replaced by a mark.

    What nobody sees is taken out as well, and is found where it reads like an instruction.
    """
    text = text[:_LONGEST]
    hidden = hidden_in(text)
    found = [hidden] if hidden and is_instruction(hidden) else []
    lines = visible(text).split("\n")
    across = _across(lines)
    kept: list[str] = []
    goes_on = follows = False
    for place, line in enumerate(lines):
        if goes_on and line.strip():
            found.append(line)
            continue
        if follows and _GOES_ON.match(line) is not None:
            found.append(line)
            continue
        clean, left_out = (MARK, line) if place in across else _line(line)
        # Of an instruction that goes over several lines one mark is enough.
        if place not in across or place - 1 not in across:
            kept.append(clean)
        if left_out:
            found.append(left_out)
        # `New rules:` is followed by them, up to an empty line.
        goes_on = bool(left_out) and left_out.rstrip().endswith((":", "\uff1a"))
        follows = bool(left_out)
    return Screened(text="\n".join(kept), found=tuple(found))


def _across(lines: Sequence[str]) -> frozenset[int]:
    """Return which lines are an instruction together that none of them is alone."""
    if len(lines) < 2:
        return frozenset()
    said = [without_header(FOLDED.sub("", line, count=1)) for line in lines]
    found: set[int] = set()
    for texts in _all_readings(said):
        ends = list(accumulate(len(each) + 1 for each in texts))
        for match in ACROSS_LINES.finditer(" ".join(texts)):
            first = bisect_right(ends, match.start())
            last = bisect_right(ends, max(match.end() - 1, match.start()))
            if last > first and match.end() - match.start() <= _MOST_ACROSS:
                found.update(range(first, last + 1))
    return frozenset(found)


def _all_readings(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the lines as they may be read: each in its first reading, its second, and so on."""
    known = [tuple(readings(line)) or ("",) for line in lines]
    for number in range(max(map(len, known))):
        yield [each[min(number, len(each) - 1)] for each in known]


def _line(line: str) -> tuple[str, str]:
    """Return the line without its instructions, and those."""
    words = line.split(" ")
    bad = [word for word in words if _is_name_that_speaks(word) or _is_encoded(word)]
    if bad:
        line = " ".join(MARK if word in bad else word for word in words)
    start = 0
    parts = _SENTENCE.split(line)
    for part in parts:
        place = line.index(part, start) if part else start
        if is_instruction(part):
            # What follows in the same line belongs to it.
            return f"{line[:place]}{MARK}", " ".join([*bad, line[place:]])
        start = place + len(part)
    # Most lines are one sentence without a header, and what was looked at is not looked at again.
    if not bad and any(map(is_instruction, {line, without_header(line)}.difference(parts))):
        return MARK, line
    return line, " ".join(bad)


def is_instruction(text: str) -> bool:
    """Whether a sentence reads like one, also escaped, spelled with gaps, digits, look-alikes."""
    return any(INSTRUCTION.search(reading) is not None for reading in readings(text))


_SMALL_WORDS: Final = frozenset(
    (
        *("the", "is", "are", "was", "has", "have", "had", "you", "your", "that", "this", "it"),
        *("all", "every", "answer", "answers", "instructions"),
        *("rootcause", "category", "confidence", "citations", "remediation", "explanation"),
    )
)
"""Two of them in one name make it a sentence."""


def _is_name_that_speaks(word: str) -> bool:
    """Whether it is an image, a label or a path whose parts make a sentence."""
    parts = _SEPARATORS.split(_HUMP.sub("-", word))
    if len(parts) <= _FEW_SEPARATORS:
        return False
    # An address may end in a headline, and a test's name tells what it tests.
    if _IMAGE.fullmatch(word) and _is_sentence([part.casefold() for part in parts]):
        return True
    return any(
        is_instruction(" ".join(_SEPARATORS.split(_HUMP.sub("-", piece))).strip())
        for piece in {word, *word.split("/")}
    )


def _is_sentence(parts: list[str]) -> bool:
    """Whether the parts of a name, or what was decoded, are words of a sentence."""
    return len(_SMALL_WORDS.intersection(parts)) > 1


def _is_encoded(word: str) -> bool:
    return any(
        _speaks(part)
        for found in _ENCODED.finditer(word)
        for part in {found[0], found[0].rpartition("/")[2]}
    )


def _speaks(encoded: str) -> bool:
    """Whether it is base64 or hex of a sentence that reads like an instruction."""
    texts = (text for text in (_from_base64(encoded), _from_hex(encoded)) if text)
    return any(_is_sentence(text.casefold().split()) or is_instruction(text) for text in texts)


def _from_base64(encoded: str) -> str | None:
    bare = encoded.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8", "ignore")
    except (binascii.Error, ValueError):
        return None


def _from_hex(encoded: str) -> str | None:
    try:
        return bytes.fromhex(encoded).decode("utf-8", "ignore")
    except ValueError:
        return None
