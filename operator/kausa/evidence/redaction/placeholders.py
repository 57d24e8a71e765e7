"""What stands in place of a secret: `[redacted:<kind>:<6 hex digits>]`.

The digits are a keyed hash. The key belongs to one cluster, so equal secrets look equal inside
it, nobody without the key can try guesses against them, and two clusters can't be compared.
Twenty-four bits are enough to tell a handful of secrets apart and too few to give one back.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

__all__ = ["PLACEHOLDER", "Placeholders", "is_placeholder"]

PLACEHOLDER: Final = re.compile(r"\[redacted:[a-z0-9-]{1,32}:[0-9a-f]{6}\]")

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
