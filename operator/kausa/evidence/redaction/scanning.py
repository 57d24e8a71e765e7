"""Going through the names of a text, reading a value only behind those that may announce one."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from kausa.evidence.redaction.span import Span
from kausa.evidence.redaction.values import is_not_secret

__all__ = ["NAMES", "scan"]

# Every name of a secret contains one of these.
NAMES: Final = (
    *("pass", "pw", "psw", "secret", "token", "key", "cred", "conn", "docker"),
    *("auth", "sess", "sid", "salt", "seed", "hmac", "csrf", "xsrf", "dsn", "jwt", "sig", "otp"),
    *("licens", "fernet", "cookie"),
)


def scan(
    text: str,
    lines: Iterable[tuple[int, int]],
    names: re.Pattern[str],
    read: Callable[[str, re.Match[str]], Span | None],
) -> Iterator[Span]:
    """Yield what is read behind the names, but for names inside a value that is already hidden."""
    hidden_until = 0
    for start, end in lines:
        for found in names.finditer(text, start, end):
            if found.start() < hidden_until or _tells_nothing(found["key"]):
                continue
            span = read(text, found)
            if span is not None and not is_not_secret(text[span.start : span.end]):
                hidden_until = span.end
                yield span


@functools.lru_cache(maxsize=8192)
def _tells_nothing(name: str | None) -> bool:
    """Whether a name has no syllable of a secret's; most names are told apart by this alone."""
    if name is None:
        return False
    lowered = name.lower()
    return lowered != "string" and not any(each in lowered for each in NAMES)
