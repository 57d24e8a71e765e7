"""What of a log line lasts from one run of the same failure to the next.

Everything in it that is numbered, counted or measured anew goes, as for the identity of a failure
(`detection.fingerprint`). What says where the program went and which versions did not fit stays:
with another address, port or version an earlier answer is about something else.

A number is kept only where it surely names such a thing, because one that changes by itself would
cost a question to the model at every look. So these go, though they may matter: an address without
a port (of a client, of the Pod itself), a public one (a name has many, in turn), the side that a
connection comes from, ports from which connections are made, and numbers that nothing explains.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from kausa.detection.fingerprint import normalise

__all__ = ["lasting", "without_counts"]

_LONGEST: Final = 2048
"""Characters that are read, as of `normalise`."""
_FIRST_OF_CLIENTS: Final = 32_768
"""Linux makes connections from this port on (`ip_local_port_range`)."""
_AS_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
"""Nothing volatile is looked for in letters that are no hexadecimal digits."""

_NOT_THE_END: Final = r"(?!\w|[.:]\d)(?!\s*[-=]>)"
_ADDRESS: Final = re.compile(
    rf"(?<![\w.:])(?<!\w[\"'])(?P<address>\d{{1,3}}(?:\.\d{{1,3}}){{3}})?:(?P<port>\d{{2,5}}){_NOT_THE_END}"
)
_HOST: Final = re.compile(
    rf"(?<![\w.:-])(?P<host>[A-Za-z][\w-]*(?:\.[\w-]+)*):(?P<port>\d{{2,5}}){_NOT_THE_END}"
)
_COUNTED_BY: Final = re.compile(
    r"(?:^|[_.-])(?:p|t|u|g)?(?:ids?|line|time|ts|took|count|size|bytes|offset|seq|attempts?|"
    r"retr(?:y|ies)|requests?|req|threads?|tasks?|jobs?)$",
    re.IGNORECASE,
)
"""`took:1234` is no host with a port."""
_VERSION: Final = re.compile(
    r"(?<![\w.,:-])(?P<number>(?:(?:19|20)\d{6}(?:\d{4}(?:\d\d)?)?|\d{1,6})(?:\.\d{1,4})?)"
    r"(?![\w%/]|[.,:-]\d)"
)
_GOING_ON: Final = (
    r"(?:(?:is|was|are|at|of|on|from|to|number|no|level|revision|and|or|[\d.]+)[\s:]{1,2})"
)
_OF_WHAT: Final = re.compile(
    r"(?P<word>[A-Za-z_]+)[\"'`]?\s?[\s:=#([][\"'`]?\s?" + _GOING_ON + r"{0,3}[\"'`]?$"
)
_LAST_PART: Final = re.compile(r"[A-Z]?[a-z]+$|[A-Z]+$")
_VERSIONED: Final = frozenset(
    ("version", "format", "build", "schema", "release", "migration", "protocol", "port")
)
_RESOURCE_VERSION: Final = re.compile(r"resource_?version$", re.IGNORECASE)
_NEEDED: Final = re.compile(
    r"\b(?:expect(?:s|ed)|require[sd]?|needs?|needed|wants?|wanted)[\s:]{1,2}(?:[A-Za-z.+#]+\s){0,2}$",
    re.IGNORECASE,
)
_QUANTITY: Final = re.compile(r"\s?(?:[kKMGT]i?[bB]?\b|[mun]?s\b|[mhd]\b|more\b|[a-z]{2,}s\b)")
_LOOK_BACK: Final = 48

_HEX_ID: Final = re.compile(
    r"(?<![\w-])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d[0-9a-f]*\d)[0-9a-f]{8,31}(?![\w-])", re.IGNORECASE
)
_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DATE: Final = re.compile(rf"\b(?:\d{{1,2}}[ -/])?{_MONTH}[ -/]{{1,2}}\d{{1,4}}\b(?:,? \d{{4}}\b)?")
_TIMES: Final = re.compile(r",?\s?(?:<number> times?|\bonce|\btwice)\b")
"""How often it was seen, which is left out where that is once."""
_SEVERAL: Final = re.compile(r"(<number> [a-z]{2,20})s\b")
"""One second is a second, and two are seconds."""


def lasting(text: str, *, pod: str = "") -> str:
    """The text without what is new in every run, in one line; made to be compared, not to be read.

    `pod`: the name of the Pod that wrote it.
    """
    line = " ".join(text[:_LONGEST].split())
    if pod:
        line = line.replace(pod, "<pod>")
    line = _DATE.sub("<time>", line)
    line = _VERSION.sub(_version, line)
    line = _ADDRESS.sub(_address, line)
    line = _HOST.sub(_host, line)
    return without_counts(normalise(_HEX_ID.sub("<hash>", line)))


def without_counts(normalised: str) -> str:
    """A normalised text that says the same of what was seen once and of what was seen often."""
    return _SEVERAL.sub(r"\1", _TIMES.sub("", normalised))


def _version(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - _LOOK_BACK) : found.start()]
    behind = found.string[found.end() :]
    of_what = _OF_WHAT.search(before)
    named = of_what is not None and _is_versioned(of_what["word"])
    needed = _NEEDED.search(before) is not None and _QUANTITY.match(behind) is None
    return _kept(found[0]) if named or needed else found[0]


def _is_versioned(word: str) -> bool:
    part = _LAST_PART.search(word)
    # Of an object in Kubernetes: it changes with every write.
    counts_writes = _RESOURCE_VERSION.search(word) is not None
    return part is not None and not counts_writes and part[0].casefold() in _VERSIONED


def _address(found: re.Match[str]) -> str:
    address = found["address"]
    if int(found["port"]) >= _FIRST_OF_CLIENTS:
        return found[0]
    if address is None:
        return _kept(found[0])
    return f"{_kept(address) if _is_private(address) else '<address>'}:{_kept(found['port'])}"


def _is_private(address: str) -> bool:
    try:
        return not ipaddress.IPv4Address(address).is_global
    except ValueError:
        return False


def _host(found: re.Match[str]) -> str:
    if int(found["port"]) >= _FIRST_OF_CLIENTS or _COUNTED_BY.search(found["host"]) is not None:
        return found[0]
    return f"{found['host']}:{_kept(found['port'])}"


def _kept(text: str) -> str:
    return text.translate(_AS_LETTERS)
