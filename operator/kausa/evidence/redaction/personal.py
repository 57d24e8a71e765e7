"""E-mail and IP addresses: no secrets, and in many places not to be passed on either.

Off unless asked for, because a diagnosis often rests on which address refused the connection.
Addresses that say nothing about anybody stay: loopback, and those that mean every interface.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

from kausa.evidence.redaction.pattern import Pattern

__all__ = ["ADDRESSES", "EMAILS"]

_EMAIL: Final = re.compile(
    r"(?<![\w.+%-])(?P<secret>[A-Za-z0-9_][\w.+%-]{0,63}+@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})"
    r"(?![\w-])"
)
_V4: Final = re.compile(r"(?<![\w.])(?P<secret>\d{1,3}(?:\.\d{1,3}){3})(?![\w]|\.\d)")
_V6: Final = re.compile(
    r"(?<![\w:.])(?P<secret>(?:[0-9A-Fa-f]{1,4}:){2,7}[0-9A-Fa-f]{1,4}"
    r"|(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?::(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?)"
    r"(?!\w|:[\w:])"
)


def _is_somebodys(word: str) -> bool:
    """Whether it is an address at all, and one of a machine."""
    try:
        address = ip_address(word)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


EMAILS: Final[tuple[Pattern, ...]] = (Pattern("email", _EMAIL, ("@",)),)
ADDRESSES: Final[tuple[Pattern, ...]] = (
    Pattern("ip-address", _V4, (), _is_somebodys),
    Pattern("ip-address", _V6, (), _is_somebodys),
)
