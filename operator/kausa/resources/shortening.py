"""How a text is made to fit its maximum.

Characters are a poor measure of an object's size: the API server writes `<` as six bytes and an
emoji takes four. So what the operator writes is measured in bytes on the wire, and what people
write in characters, as the API server counts them.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["clean", "shorten", "shorten_by_characters", "wire_length"]

ELLIPSIS: Final = "\u2026"

# Terminals obey control characters, and kubectl prints what we write.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What the API server's JSON encoder spends on a character beyond its own bytes.
_EXTRA_BYTES: Final = {
    **dict.fromkeys('"\\\n\t', 1),
    **dict.fromkeys("<>&", 5),
    **dict.fromkeys("\u2028\u2029", 3),
}
_COSTLY: Final = re.compile('["\\\\\n\t<>&\u2028\u2029]')


def clean(text: str) -> str:
    """The text without control characters (but newline and tab) and without half characters."""
    text = _CONTROL.sub("", text)
    return text if text.isascii() else text.encode(errors="replace").decode()


def wire_length(text: str) -> int:
    """How many bytes a cleaned text takes in the API server's JSON, without its quotes."""
    extra = sum(_EXTRA_BYTES[found] for found in _COSTLY.findall(text))
    return extra + (len(text) if text.isascii() else len(text.encode()))


def shorten(text: str, maximum: int) -> str:
    """The text, cleaned; an ellipsis stands for its end where it takes more bytes than that."""
    text = clean(text)
    # No character takes less than a byte, so what lies beyond the maximum never fits.
    if len(text) <= maximum and wire_length(text) <= maximum:
        return text
    room = maximum - wire_length(ELLIPSIS)
    kept = 0
    for character in text[:maximum]:
        room -= wire_length(character)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + ELLIPSIS


def shorten_by_characters(text: str, maximum: int) -> str:
    """The text, cleaned; an ellipsis stands for its end where it has more characters than that."""
    text = clean(text)
    return text if len(text) <= maximum else text[: maximum - 1].rstrip() + ELLIPSIS
