"""What the system's own errors are to a person: words, and what to do, in place of `[Errno 13]`."""

from __future__ import annotations

import errno
import os
import re

__all__ = ["in_words", "told"]

_KNOWN = "|".join(re.escape(os.strerror(each)) for each in sorted(errno.errorcode, reverse=True))
_RAW = re.compile(
    rf"\[Errno (?P<number>\d{{1,4}})\] (?P<words>(?:{_KNOWN})(?!\w)|[^.:'\"\n]{{1,100}})"
    r"(?:: (?P<path>'[^'\n]*'|\"[^\"\n]*\")(?: -> (?:'[^'\n]*'|\"[^\"\n]*\"))?)?"
)
_ADVICE = {
    errno.EACCES: "Run it as a user who may, or allow it (`chmod -R u+rwX`)",
    errno.EPERM: "Run it as a user who may",
    errno.EROFS: "Name a folder on a disk that may be written to",
    errno.ENOSPC: "Make room on that disk, or name a folder on another",
    errno.ENOENT: "Check the path",
    errno.ENOTDIR: "Check the path: a part of it is a file",
    errno.EISDIR: "Name a file",
    errno.EEXIST: "Name another: there is a file of that name",
    errno.ENAMETOOLONG: "Check the path: no name is so long",
    errno.ELOOP: "Check the path: links in it lead in a circle",
    errno.EMFILE: "Allow more open files (`ulimit -n`)",
}
_ENDS = re.compile(
    ": (?P<words>" + "|".join(re.escape(os.strerror(each)) for each in _ADVICE) + r")\.?$", re.I
)
_OF_RIGHTS = frozenset({errno.EACCES, errno.EPERM})
"""What else is advised helps nobody who may not."""
_NUMBERS = {os.strerror(each).lower(): each for each in _ADVICE}


def told(error: OSError, *, doing: str) -> str:
    """`the files cannot be read: /x: permission denied. Run it ...`; `doing` is what could not be
    done, as a clause.
    """
    words = (error.strerror or os.strerror(error.errno or 0) or str(error)).lower()
    known = error.filename is None or str(error.filename) in doing
    where = "" if known else f"{error.filename}: "
    return f"{doing}: {where}{words}. {_advice(error.errno)}"


def in_words(text: str) -> str:
    """A message that quotes an error of the system, in plain words and with what to do."""
    numbers = [int(found["number"]) for found in _RAW.finditer(text)]
    if not numbers:
        ends = _ENDS.search(text)
        if ends is None:
            return text
        return f"{text.rstrip('.')}. {_advice(_NUMBERS[ends['words'].lower()])}"

    def plain(found: re.Match[str]) -> str:
        path = (found["path"] or "").strip("'\"")
        known = not path or path in text.replace(found[0], "")
        return found["words"].strip().lower() + ("" if known else f" ({path})")

    plainly = _RAW.sub(plain, text)
    advises = ". " in plainly.rstrip(". ") and numbers[0] not in _OF_RIGHTS
    return plainly if advises else f"{plainly.rstrip('. ')}. {_advice(numbers[0])}"


def _advice(number: int | None) -> str:
    return f"{_ADVICE.get(number or 0, 'Look at that path and its disk')}."
