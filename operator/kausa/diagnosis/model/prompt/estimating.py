"""How many tokens a text is, told from its characters: for whoever has no tokenizer.

A number by length alone is half of the truth for digits, which some models read one by one, for
names that a machine gave and for base64; so each kind of character has a price of its own. The
prices were held against the tokenizers of Qwen 2.5 and Llama 3.2: as many as the first of them
counts, which splits more. Too many cost a piece of evidence, too few the end of the prompt.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

__all__ = ["estimated"]

_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_HUMPS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_KNOWN: Final = 6
"""Letters of a word that is mostly one token; longer ones are put together."""
_PER_PART: Final = 5.0
_LONGEST_WORD: Final = 20
"""What is longer is no word."""
_OF_RANDOM: Final = 0.56
"""Tokens for a letter of what no vocabulary has."""
_OF_ONE_LETTER: Final = 3.0
"""Characters of a token, where one letter stands again and again."""
_OF_MIXED: Final = 0.8
"""For a character of what has letters and digits, such as a hash or base64."""
_MARKS: Final = re.compile(r"([!-/:-@\[-`{-~])\1*")
_MARK: Final = 0.65
"""Two that often stand together are one token."""
_REPEATED: Final = 8.0
_LINE: Final = 0.7
_GAP: Final = re.compile(r"[ \t]{2,}| (?=\d)")
"""A space belongs to the word behind it, but to no number."""
_GAPS: Final = 0.9
_OTHER: Final = re.compile(r"[^\x00-\x7f]")
_PRICES: Final = (
    # Up to which code point, and tokens for a character.
    (0x024F, 1.2),  # Latin
    (0x08FF, 0.4),  # Greek, Cyrillic, Hebrew, Arabic
    (0x10FF, 1.0),  # Indic alphabets, Thai, Tibetan
    (0x1FFF, 0.8),
    (0x2DFF, 1.5),  # symbols
    (0xFFFF, 0.75),  # Chinese, Japanese, Korean
    (0x10FFFF, 3.0),
)


def estimated(text: str) -> float:
    """Return about how many tokens the text is; 0 for none. Takes time as the text is long."""
    tokens = sum(
        _of_known(word) if len(word) <= _LONGEST_WORD else _of_word(word)
        for word in _WORD.findall(text)
    )
    tokens += sum(
        max(_MARK, (found.end() - found.start()) / _REPEATED) for found in _MARKS.finditer(text)
    )
    tokens += text.count("\n") * _LINE + len(_GAP.findall(text)) * _GAPS
    if not text.isascii():
        tokens += sum(map(_of_other, _OTHER.findall(text)))
    return tokens


def _of_word(word: str) -> float:
    digits = sum(map(str.isdigit, word))
    if digits == len(word):
        return digits
    if digits and len(word) > _KNOWN - 2:
        return len(word) * _OF_MIXED
    if len(word) > _LONGEST_WORD and len(set(word)) == 1:
        return len(word) / _OF_ONE_LETTER
    if len(word) > _LONGEST_WORD and _is_random(word):
        return len(word) * _OF_RANDOM
    parts = _HUMPS.findall(word)
    return digits + sum(1 + max(len(part) - _KNOWN, 0) / _PER_PART for part in parts)


_of_known = lru_cache(maxsize=4_096)(_of_word)
"""Logs say the same words again and again; long ones are not kept."""


def _is_random(word: str) -> bool:
    """Whether upper and lower case change as they do in no name, or never."""
    changes = sum(one.isupper() != other.isupper() for one, other in pairwise(word))
    return not changes or changes > len(word) / 3


def _of_other(character: str) -> float:
    return next(price for end, price in _PRICES if ord(character) <= end)
