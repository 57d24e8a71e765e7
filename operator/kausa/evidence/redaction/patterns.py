r"""Secrets that give themselves away by their own shape, whatever stands around them.

Every expression is linear in the length of the text. Three habits keep it so: a start is only
possible at a boundary that the repeated class can't cross, runs are possessive (`++`), and what
may cross such a boundary is bounded. A row names the syllables of which one must be on the line,
so that a clean line costs nothing.
"""

from __future__ import annotations

import re
from typing import Final

from kausa.evidence.redaction.addresses import ADDRESSES
from kausa.evidence.redaction.commands import COMMANDS
from kausa.evidence.redaction.pattern import Pattern
from kausa.evidence.redaction.values import is_prose

__all__ = ["PATTERNS"]

# A log line may start with its time; the lines of a key that is cut off must still be recognised.
_BREAK: Final = r"(?:\s|\\{1,4}[rn])"
_STAMP: Final = r"(?:\d{4}-\d\d-\d\d[T ][\d:.,]{8,20}(?:Z|[+-]\d\d:?\d\d)?[ \t])?"
_MARK: Final = r"[A-Z0-9 +]{0,32}PRIVATE[ +]KEY(?:[ +]BLOCK)?-----"
_PEM: Final = re.compile(
    rf"(?P<secret>-----BEGIN[ +]{_MARK}"
    r"(?:"
    # Whole: everything up to the end mark.
    rf"(?:(?!-----(?:BEGIN|END))[\s\S]){{0,16384}}+-----END[ +]{_MARK}"
    # Cut off: as far as it looks like a key, and the short piece that ends the text.
    rf"|(?:{_BREAK}{{0,8}}+{_STAMP}(?:[A-Za-z0-9+/=]{{20,}}+|(?:Proc-Type|DEK-Info):[^\r\n\\]*+))*+"
    rf"(?:{_BREAK}{{0,8}}+{_STAMP}[A-Za-z0-9+/=]{{1,19}}+"
    r"(?=[ \t]*+(?:\Z|\r?\n|\\{1,32}[\"'rn]|[\"';,\[\u2026]|\.\.)))?"
    r"))"
)

_QUOTE: Final = r"\\{0,32}[\"'`]"
# A placeholder of this kind reads like a header, and must not be taken for one.
_AUTHORIZATION: Final = re.compile(
    rf"(?i)(?<![A-Za-z0-9_])(?<!\[redacted:)(?:proxy-)?authorization"
    rf"(?:(?:{_QUOTE})?[ \t]*+(?:=>|[:=])[ \t]*+|{_QUOTE}[ \t]*+,[ \t]*+(?={_QUOTE}))"
    rf"(?:[\[(](?!redacted:))?(?:{_QUOTE})?"
    r"(?:(?:bearer|basic|digest|token|negotiate|apikey|aws4-hmac-sha256)[ \t]++)?+"
    r"(?!\$[({A-Za-z_])(?P<secret>[^\s\"'`,\\\[(][^\s\"'`,\\]*+)"
)
_BEARER: Final = re.compile(
    r"(?i)(?<![A-Za-z0-9_-])(?:bearer|basic)[ \t]{1,4}(?P<secret>[A-Za-z0-9._~+/=-]{8,}+)"
)
_COOKIE: Final = re.compile(
    rf"(?i)(?<![A-Za-z0-9_-])(?:set-)?cookie(?:{_QUOTE})?[:=][ \t]*+\[?(?:{_QUOTE})?"
    r"(?P<secret>[\w.%-]{1,128}+=[^\r\n\"'`\\\]]++)"
)
_DOCKER: Final = re.compile(
    rf"(?:{_QUOTE})auth(?:{_QUOTE})[ \t]*+:[ \t]*+(?:{_QUOTE})(?P<secret>[A-Za-z0-9+/=]{{8,}}+)"
)
# Hashes of passwords, as htpasswd, crypt and LDAP write them.
_HASH: Final = re.compile(
    r"(?P<secret>\$(?:2[abxy]|apr1|1|5|6|y|argon2(?:id?|d)|pbkdf2-sha\d{1,3}|scrypt)"
    r"\$[A-Za-z0-9./$=,+_-]{20,}+)"
)
# The other half of an access key, however the two are written beside each other.
_AWS_PAIR: Final = re.compile(
    r"(?:AKIA|ASIA)[A-Z0-9]{16}[^A-Za-z0-9/+\r\n]{1,20}"
    r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)
_LDAP_HASH: Final = re.compile(r"\{S?SHA(?:256|384|512)?\}(?P<secret>[A-Za-z0-9+/]{20,}+={0,2})")


def _is_credential(word: str) -> bool:
    """Tell `Bearer abc123...` from "Bearer authentication failed" and `Bearer realm=...`."""
    challenge = word.lower().startswith(("realm=", "error=", "scope=", "service=", "charset="))
    return not challenge and not re.fullmatch(r"[A-Za-z]?[a-z]*(?:[-_./][a-z]+)*[.]?", word)


def _is_not_prose(word: str) -> bool:
    return not is_prose(word)


PATTERNS: Final[tuple[Pattern, ...]] = (
    Pattern("private-key", _PEM, ("-----b",), many_lines=True),
    Pattern("authorization", _AUTHORIZATION, ("auth",), _is_not_prose),
    Pattern("authorization", _BEARER, ("bearer", "basic"), _is_credential),
    Pattern("cookie", _COOKIE, ("cookie",)),
    Pattern("credential", _DOCKER, ("auth",)),
    Pattern("aws-key", _AWS_PAIR, ("akia", "asia")),
    Pattern("password-hash", _HASH, ("$",)),
    Pattern("password-hash", _LDAP_HASH, ("{sha", "{ssha")),
    *ADDRESSES,
    *COMMANDS,
)
