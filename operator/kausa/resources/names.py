"""What a FailureDiagnosis is called: `<owner>-<reason>-<6 hex of the fingerprint>`.

The name is a function of the failure, so two operators, or one after a crash, that create the same
resource find that it already exists, and that is success.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["resource_name"]

LONGEST_NAME: Final = 63
LONGEST_REASON: Final = 30  # CreateContainerConfigError has 26
HEX_DIGITS: Final = 6

_ILLEGAL: Final = re.compile(r"[^a-z0-9]+")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{6,}")


def resource_name(*, owner: str, reason: str, fingerprint: str) -> str:
    """A label of RFC 1123 that people can read: the owner gives way where there is no room.

    Raises:
        ValueError: the fingerprint has fewer than six hex digits, or is none.
    """
    if _FINGERPRINT.fullmatch(fingerprint) is None:
        raise ValueError(f"{fingerprint!r} is no fingerprint: six or more hex digits")
    tail = [part for part in (_legal(reason, LONGEST_REASON), fingerprint[:HEX_DIGITS]) if part]
    room = LONGEST_NAME - sum(len(part) + 1 for part in tail)
    return "-".join([part for part in (_legal(owner, room),) if part] + tail)


def _legal(text: str, longest: int) -> str:
    return _ILLEGAL.sub("-", text.lower()).strip("-")[:longest].rstrip("-")
