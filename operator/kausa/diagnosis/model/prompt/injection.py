"""Text that reads like an instruction to a model, found and left out.

Whoever can write a log line, an image name or a runbook can write to the model. What is found here
is replaced by a mark before the model sees it, bears no claim afterwards, and the status says so.
Patterns never find everything, so nothing rests on them alone: the answer's check assumes a model
that obeys. They err on the side of plain log lines: a false find costs one line of evidence.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from kausa.diagnosis.model.prompt.injection_patterns import INSTRUCTION

__all__ = ["MARK", "Screened", "is_instruction", "screened"]

MARK: Final = "[text that reads like an instruction was left out]"

_SENTENCE: Final = re.compile(r"(?<=[.!?;\u3002\uff01\uff1f])\s+|(?<=[\u3002\uff01\uff1f])")
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_SEPARATORS: Final = re.compile(r"[-_/.:+=@~%]+")
_SPELLED: Final = re.compile(r"\b(?:\w[ .*_-]){4,}\w\b")
_LEET: Final = str.maketrans("013457@$", "oieastas")
_FEW_SEPARATORS: Final = 3
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
    """Return the text, everything that reads like an instruction replaced by a mark."""
    kept: list[str] = []
    found: list[str] = []
    goes_on = False
    for line in text[:_LONGEST].split("\n"):
        if goes_on and line.strip():
            found.append(line)
            continue
        clean, left_out = _line(line)
        kept.append(clean)
        if left_out:
            found.append(left_out)
        # `New rules:` is followed by them, up to an empty line.
        goes_on = bool(left_out) and left_out.rstrip().endswith((":", "\uff1a"))
    return Screened(text="\n".join(kept), found=tuple(found))


def _line(line: str) -> tuple[str, str]:
    """Return the line without its instructions, and those."""
    words = line.split(" ")
    bad = [word for word in words if _is_name_that_speaks(word) or _is_encoded(word)]
    if bad:
        line = " ".join(MARK if word in bad else word for word in words)
    start = 0
    for part in _SENTENCE.split(line):
        place = line.index(part, start) if part else start
        if is_instruction(part):
            # What follows in the same line belongs to it.
            return f"{line[:place]}{MARK}", " ".join([*bad, line[place:]])
        start = place + len(part)
    if not bad and is_instruction(line):
        return MARK, line
    return line, " ".join(bad)


def is_instruction(text: str) -> bool:
    """Whether a sentence reads like one, also spelled with gaps, digits or look-alikes."""
    plain = _plain(text)
    if INSTRUCTION.search(plain):
        return True
    latin = plain.translate(_LOOK_ALIKES)
    joined = _SPELLED.sub(lambda found: re.sub(r"[ .*_-]", "", found[0]), plain)
    return any(
        variant != plain and INSTRUCTION.search(variant) is not None
        for variant in (joined, latin, latin.translate(_LEET))
    )


def _plain(text: str) -> str:
    normal = unicodedata.normalize("NFKC", text)
    visible = "".join(c for c in normal if unicodedata.category(c) != "Cf")
    return " ".join(visible.split()).casefold()


# Cyrillic letters that look Latin.
_LOOK_ALIKES: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455", "aeopcyxis"
)
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
    if len(_SEPARATORS.findall(word)) < _FEW_SEPARATORS:
        return False
    said = _SEPARATORS.sub(" ", _plain(word)).strip()
    parts = said.split()
    if len(parts) > _FEW_SEPARATORS and _is_sentence(parts):
        return True
    return INSTRUCTION.search(said) is not None


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
    texts = (_plain(text) for text in (_from_base64(encoded), _from_hex(encoded)) if text)
    return any(_is_sentence(text.split()) or INSTRUCTION.search(text) for text in texts)


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
