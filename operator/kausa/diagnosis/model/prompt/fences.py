"""Fences around what others wrote, and lines that stay lines.

A fence carries a word that the text itself doesn't hold: derived from the text, so the same
question gives the same prompt, and checked against it, so no log line can close its fence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

__all__ = ["CUT", "cut", "fence_for", "fenced", "one_line"]

CUT: Final = "[cut]"
"""Stands where a text was cut in its middle."""
_CUT: Final = f" {CUT} "
_HEAD_SHARE: Final = 0.4
"""Of a long text the beginning and the end are kept: a log's last words tell most."""


def fence_for(texts: Iterable[str]) -> str:
    """Return a fence that none of the texts holds."""
    everything = "\n".join(texts)
    seed = everything.encode("utf-8", "replace")
    while True:
        word = hashlib.blake2b(seed, digest_size=4).hexdigest()
        if word not in everything:
            return f"<<{word}>>"
        seed = word.encode() + seed


def fenced(title: str, lines: Iterable[str], *, fence: str) -> list[str]:
    """Return a titled part whose lines stand between fences; nothing where there are none."""
    kept = [f"- {line}" for line in lines if line]
    return [title, fence, *kept, fence] if kept else []


def one_line(text: str, *, limit: int) -> str:
    """Return the text as one line, so that it can't look like a part of the prompt."""
    return cut(" ".join(text.split()), limit)


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters of the text: its beginning and its end."""
    # Half a character (a lone surrogate) can't be sent.
    text = text.encode("utf-8", "replace").decode()
    if len(text) <= limit:
        return text
    room = max(limit - len(_CUT), 0)
    head = int(room * _HEAD_SHARE)
    tail = room - head
    return (text[:head] + _CUT + (text[-tail:] if tail else ""))[: max(limit, 0)]
