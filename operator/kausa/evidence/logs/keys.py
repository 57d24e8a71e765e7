"""PEM blocks stay whole or are left out: half a key is a secret too, and harder to tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["LEFT_OUT", "without_broken_keys"]

_BEGIN: Final = b"-----BEGIN "
_END: Final = b"-----END "
LEFT_OUT: Final = b"[a part of a PEM block was left out]"


def without_broken_keys(lines: Iterable[bytes]) -> list[bytes]:
    """The lines without those of a PEM block whose beginning or end is not among them."""
    kept: list[bytes] = []
    begun: int | None = None
    for line in lines:
        begins, ends = line.rfind(_BEGIN), line.rfind(_END)
        if ends > begins and begun is None and _BEGIN not in line:
            kept = [LEFT_OUT, line[ends:].partition(_END)[2].partition(b"-----")[2]]
            continue
        if begun is not None and begins >= 0 and ends < 0:
            del kept[begun:]
            kept.append(LEFT_OUT)
        if begins > ends:
            begun = len(kept)
        elif ends >= 0:
            begun = None
        kept.append(line)
    if begun is not None:
        kept[begun:] = [kept[begun].partition(_BEGIN)[0] + LEFT_OUT]
    return kept
