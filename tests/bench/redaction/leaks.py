"""Looking for secrets in what has left: whole or in part, plain or encoded.

A stretch of ten characters of a secret is found, wherever in it, as it is and in the encodings that
a text passes through on its way. So a placeholder that covers half of a password is a leak as well.
"""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from collections.abc import Iterable, Iterator

from bench.redaction.secret import Secret

__all__ = ["find_leaks"]

STRETCH = 8
STEP = 3
"""Each ten characters in a row hold one of these stretches whole."""


def find_leaks(
    secrets: Iterable[tuple[Secret, str]], left: dict[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield the kind and way of planting of each secret that is in what left, and by which door."""
    for secret, how in secrets:
        stretches = _stretches(secret)
        for door, text in left.items():
            found = next((each for each in stretches if each in text), None)
            if found is not None:
                at = text.index(found)
                yield f"{secret.kind} | {how}", door, text[max(0, at - 100) : at + 60]


def _stretches(secret: Secret) -> set[str]:
    found: set[str] = set()
    for part in secret.parts:
        for stretch in _pieces(part):
            found |= _written(stretch)
        for encoded in _encoded(part.encode()):
            found.update(_pieces(encoded))
    return found


def _pieces(text: str) -> Iterator[str]:
    size = min(STRETCH, len(text))
    return (text[start : start + size] for start in range(0, len(text) - size + 1, STEP))


def _written(stretch: str) -> set[str]:
    """The stretch in the ways in which syntaxes write it."""
    escaped = json.dumps(stretch)[1:-1]
    return {
        stretch,
        escaped,
        json.dumps(escaped)[1:-1],
        urllib.parse.quote(stretch, safe=""),
        urllib.parse.quote_plus(stretch),
        html.escape(stretch),
    }


def _encoded(raw: bytes) -> set[str]:
    """The whole in base64, wherever in a longer text it begins, and in hexadecimal."""
    forms = {raw.hex()}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        forms.add(encoded[4 if shift else 0 : len(encoded) - 4])
    return {each for each in forms if len(each) >= STRETCH}
