"""A made-up secret, and what must not be found of it anywhere."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random

__all__ = ["ALNUM", "HEX", "LOWER", "URLSAFE", "Maker", "Secret", "Shown", "draw"]

ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = string.digits + "abcdef"
URLSAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"


class Shown(Enum):
    """What gives a secret away."""

    ALONE = "its own shape, wherever it stands"
    NAMED = "the name beside it"
    WHOLE = "the text that it is a part of: a connection string, a header, a command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """`text` is what is written down; every piece of `parts` must be gone afterwards."""

    kind: str
    text: str
    parts: tuple[str, ...]
    shown: Shown
    names: tuple[str, ...] = ()
    """What it is called where a name stands beside it."""


Maker = Callable[[Random], Secret]


def draw(rng: Random, alphabet: str, size: int) -> str:
    """Random characters, of which some are letters and some are digits where there are both."""
    while True:
        text = "".join(rng.choices(alphabet, k=size))
        letters = any(each.isalpha() for each in text)
        digits = any(each.isdigit() for each in text)
        if size < 6 or (letters and digits) or not set(alphabet) & set(string.digits):
            return text
