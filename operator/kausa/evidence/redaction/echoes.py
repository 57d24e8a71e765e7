"""What was hidden in one part of a tree is hidden in all of it.

A password stands behind its flag in the arguments, where it is told by the flag, and in a sentence
about them, where nothing tells it any more. So whatever was hidden is looked for once more, as it
is, in everything that was left: whole, or its beginning where somebody cut the text. Words that
anybody might use are not looked for: they would blind a diagnosis.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from kausa.evidence.redaction.manifests import SECRET_DATA
from kausa.evidence.redaction.randomness import is_random
from kausa.evidence.redaction.values import looks_like_value

__all__ = ["Losses"]

_LEAST: Final = 8
_LONGEST: Final = 4_096
_MOST: Final = 1_000


class Losses:
    """What one text or tree has lost so far."""

    __slots__ = ("_known", "counts")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._known: dict[str, tuple[str, str]] = {}

    def lost(self, *, kind: str, secret: str, placeholder: str) -> None:
        """Remember a secret that was hidden."""
        if len(self._known) < _MOST and _is_telling(kind, secret):
            self._known.setdefault(secret, (placeholder, kind))

    @property
    def has_echoes(self) -> bool:
        """Whether anything was hidden that may stand somewhere else, too."""
        return bool(self._known)

    def without_echoes(self, text: str) -> str:
        """The text without what was hidden elsewhere."""
        for secret, (placeholder, kind) in self._known.items():
            at = text.find(secret[:_LEAST])
            while at >= 0:
                size = _shared(secret, text, at)
                if size == len(secret) or looks_like_value(secret[:size]):
                    self.counts[kind] += 1
                    text = text[:at] + placeholder + text[at + size :]
                    size = len(placeholder)
                at = text.find(secret[:_LEAST], at + size)
        return text


def _shared(secret: str, text: str, at: int) -> int:
    """How much of the secret stands here, from its beginning."""
    size = _LEAST
    while size < len(secret) and text.startswith(secret[size], at + size):
        size += 1
    return len(secret[:size].rstrip())


def _is_telling(kind: str, secret: str) -> bool:
    if not _LEAST <= len(secret) <= _LONGEST:
        return False
    # A Secret holds names of hosts and users as well.
    return is_random(secret) if kind == SECRET_DATA else looks_like_value(secret)
