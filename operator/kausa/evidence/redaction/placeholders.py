"""What stands in place of a secret: `[redacted:<kind>:<6 hex digits>]`.

The digits are a keyed hash. The key belongs to one cluster, so equal secrets look equal inside
it, nobody without the key can try guesses against them, and two clusters can't be compared.
Twenty-four bits are enough to tell a handful of secrets apart and too few to give one back.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

__all__ = [
    "PLACEHOLDER",
    "Placeholders",
    "is_placeholder",
    "whole_from",
    "whole_until",
    "without_torn",
]

PLACEHOLDER: Final = re.compile(r"\[redacted:[a-z0-9-]{1,32}:[0-9a-f]{6}\]")

_LONGEST: Final = len("[redacted:") + 32 + len(":000000]")
_TORN: Final = re.compile(
    r"\[redac(?:t(?:e(?:d(?::[a-z0-9-]{0,32}(?::[0-9a-f]{0,6})?)?)?)?)?(?=[ \t]*(?:\u2026|\n|\Z))"
)
_DIGEST_BYTES: Final = 3


class Placeholders:
    """Makes placeholders under one key."""

    __slots__ = ("_key",)

    def __init__(self, *, key: bytes) -> None:
        if not key:
            raise ValueError("The key for placeholders is empty: anybody could try guesses.")
        # blake2b takes 64 bytes of key at most.
        self._key = key if len(key) <= 64 else hashlib.blake2b(key).digest()

    def make(self, *, kind: str, secret: str) -> str:
        """Return the placeholder of a secret."""
        data = secret.encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(data, key=self._key, digest_size=_DIGEST_BYTES).hexdigest()
        return f"[redacted:{kind}:{digest}]"


def is_placeholder(text: str) -> bool:
    """Whether nothing is left to hide: placeholders, with at most punctuation around them."""
    rest, found = PLACEHOLDER.subn("", text)
    return found > 0 and not any(char.isalnum() for char in rest)


def whole_until(text: str, end: int) -> int:
    """Where to cut off what stands behind `end`, so that no placeholder is cut in two."""
    found = _around(text, end)
    return end if found is None else found[0]


def whole_from(text: str, start: int) -> int:
    """Where to cut off what stands before `start`, so that no placeholder is cut in two."""
    found = _around(text, start)
    return start if found is None else found[1]


def without_torn(text: str) -> str:
    """The text without beginnings of placeholders, which somebody left who cut it elsewhere."""
    return _TORN.sub("", text) if "[redac" in text else text


def _around(text: str, position: int) -> tuple[int, int] | None:
    """The placeholder that a cut at this position would go through."""
    begin = text.rfind("[", max(0, position - _LONGEST), position)
    found = PLACEHOLDER.match(text, begin) if begin >= 0 else None
    return found.span() if found is not None and found.end() > position else None
