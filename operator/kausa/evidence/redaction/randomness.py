"""Whether a word was drawn at random, as keys are, or means something.

A name such as `maps_key` says little and a word such as `3f9a...` says little: both together are a
secret. The measure is Shannon's, over the characters of the word alone, so short words never count.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

__all__ = ["MAX_RANDOM", "is_random"]

_LEAST: Final = 16
MAX_RANDOM: Final = 512
"""Longer words are judged by nothing but their length: they are none."""
_HEX: Final = re.compile(r"(?i)[0-9a-f]+")
_KEYLIKE: Final = re.compile(r"[A-Za-z0-9+/_~.-]+={0,2}")
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OBJECT_NAME: Final = re.compile(r"[a-z0-9]{1,30}(?:[-.][a-z0-9]{1,30}){1,12}")
_LEAST_BITS_HEX: Final = 2.8
_LEAST_BITS: Final = 3.4
_WORDY: Final = re.compile(r"[A-Z]?[a-z]{4,}|[A-Z]{6,}")


def is_random(word: str) -> bool:
    """Whether the word is long, of a key's alphabet, and as mixed as chance would make it."""
    if not _LEAST <= len(word) <= MAX_RANDOM or _KEYLIKE.fullmatch(word) is None:
        return False
    if _UUID.fullmatch(word) is not None or _OBJECT_NAME.fullmatch(word) is not None:
        return False
    if _HEX.fullmatch(word) is not None:
        return len(word) >= 32 and _bits(word.lower()) >= _LEAST_BITS_HEX
    if word.count("/") > 2 + len(word) // 12 or not any(char.isdigit() for char in word):
        return False
    meant = sum(len(part) for part in _WORDY.findall(word))
    return meant * 3 < len(word) * 2 and _bits(word) >= _LEAST_BITS


def _bits(word: str) -> float:
    """How many bits each character carries, were they drawn one by one."""
    size = len(word)
    return -sum(n / size * math.log2(n / size) for n in Counter(word).values())
