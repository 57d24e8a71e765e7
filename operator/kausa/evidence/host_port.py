"""Whether words of a text are a host, or a host and its port: the one place that decides it.

`a:1` may be anything: a time, a place in a source file, half of an IPv6 address, a key and its
value. So a host must be spelled as one and stand there whole. Where no word around it says that
something is reached, a name of its own must also have a port that is used for nothing but ports,
for `user:1001` and `timeout:5000` are written in the same way. In doubt it is no host: a cause
that names none is less than it could be, one that names a time is wrong.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["FILE_ENDINGS", "HostPort", "host_in", "is_host", "is_port", "pairs_in"]

_LONGEST: Final = 253
_LOOK_BACK: Final = 64
_LOOK_AHEAD: Final = 48
_LABEL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBERS: Final = re.compile(r"[\d._-]+")
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATED: Final = re.compile(
    rf"\d{{4}}[-_.]\d{{1,2}}[-_.]\d{{1,2}}(?!\d)|\d{{8}}T|\d{{1,2}}[-_.]?{_MONTH}[-_.]?\d{{2,4}}|"
    rf"{_MONTH}[-_.]\d{{1,2}}[-_.]\d{{2,4}}(?!\d)|"
    r"\d{1,3}(?:\.\d{1,9})?(?:ns|us|ms|s|m|h|d|am|pm|utc|z)$|[tv]\d+(?:\.\d+){0,3}$",
    re.I,
)
FILE_ENDINGS: Final = (
    r"(?:go|py|pyc|pyx|js|mjs|cjs|jsx|ts|tsx|vue|svelte|java|kt|kts|groovy|clj|rb|erb|rs|cs|fs|"
    r"vb|php|c|cc|cpp|cxx|h|hpp|hh|m|mm|swift|dart|lua|pl|pm|scala|hs|ml|nim|zig|sh|bash|ps1|conf|"
    r"cfg|cnf|ini|env|ya?ml|json|toml|exs?|erl|beam|properties|sql|xml|html?|css|map|txt|md|log|"
    r"proto|tmpl|tpl|tf|hcl|lock|csv|pem|crt|key|so|dll|jar|exe)"
)
"""What files are called by behind the last dot, and hosts are not."""
_SOURCE_FILE: Final = re.compile(rf"\.{FILE_ENDINGS}$", re.I)
_LISTENS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - what a program listens on, read in a log
_NO_HOST: Final = frozenset(
    {"error", "host", "hostname", "address", "server", "port", "line", "the", "to", "name", "tcp",
     "udp", "exception", "java", "at", "on", "code", "status", "errno", "id", "pid", "http",
     "https"}
)  # fmt: skip
_BEYOND_DOUBT: Final = re.compile(r"(?:\w://|\blookup )$")
_CUT_BEFORE: Final = re.compile(r"(?:[\w%$.]|(?<=[0-9a-fA-F:]):|(?<!\W)-)$")
_CUT_BEHIND: Final = re.compile(r"[\w%]|[.-]\w|:{1,2}[\da-fA-F]|::")
"""What follows where only a part of something longer was caught."""

_BARE: Final = re.compile(
    r"(?:(?<![\w.:/%$\\-])|(?<![^\s(\"'=\[])/|(?<=\w=)|(?<=addr:)|(?<=host:)|(?<=dress:)|(?<=erver:))"
    r"(?:(?P<host>[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?)"
    r"(?:/(?:[\d.]{7,15}|<unresolved>))?|\[(?P<v6>[0-9A-Fa-f:.]{2,45})(?:%\w{1,15})?\])"
    r":(?P<port>\d{1,5})(?![\w%]|[.-]\w|:\d|::|\s?->)"
)
_REACHED_BEFORE: Final = re.compile(
    r"(?:\b(?:connect(?:ion|ions|ing|ed)?|reach(?:ing|ed)?|contact(?:ing|ed)?|ping(?:ing)?|login|"
    r"dial(?:ing|ed)?|lookup|resolv(?:e|ing))\b(?: \w{1,20}){0,3}?"
    r"(?: (?:to|for|from|with|at|on|tcp|udp))*|"
    r"\b(?:tcp|udp)[46]?|\bnc|"
    r"\b[\w.-]{0,40}(?:addr|address|addresses|hosts?|servers?|endpoints?|brokers?|peer|upstream|"
    r"remote|target|url|uri|dsn|node)s?(?: at| on)?)[\s\"'`(=:\[\\]{1,4}$",
    re.I,
)
_ASKED_BEFORE: Final = re.compile(r"\b(?:to|from|at|with|by|via)[\s\"'`(\[]{1,2}$", re.I)
_FAILS_BEHIND: Final = re.compile(
    r"[\"'`)\]\\]{0,2}[,:;]?(?: -)?\s{0,2}(?:/\S{0,40}\s)?(?:is |was |has |are )?(?:not |un)?"
    r"(?:tim(?:ed?|ing)[ -]?out|fail|refus|reach|respond|answer|ready|avail|closed?|reset|lost|"
    r"down)",
    re.I,
)
_NETWORK_BEHIND: Final = re.compile(
    r"[\"'`)\]\\]{0,2}(?:[,:;]| -)?\s{0,2}(?:\([^)\n]{1,60}\)[:,]?\s)?"
    r"(?:is |was |are |has |has been )?(?:refus|(?:not |un)reach|no (?:route|such host|response|"
    r"answer)|connection refused|"
    r"(?:did|does|has|is)(?:n't| not) (?:respond|answer|accept|listen|ready|reach|avail)|"
    r"not (?:respond|answer|accept|listen|ready|avail)|unavailable|rejecting|down\b|"
    r"to (?:be(?:come)? (?:ready|available|up\b|reach)|accept|listen|respond|answer)|\.{2,})|"
    r"[\"'`)\]\\]{0,2}(?:[,:;]| -)\s{0,2}(?:connect(?:ion)?\b|i/o |dial |socket|handshake|"
    r"broken pipe|read: |write: |EOF\b|getaddrinfo|name (?:or|resolution))",
    re.I,
)
"""What is only said of a host, and what is said after a host's name and a colon."""
_OF_THE_PROGRAM: Final = re.compile(
    r"\b(?:listen\w{0,3}|client|bind|bound|binding|serv(?:e|ing)|local(?: ?addr(?:ess)?)?)\b"
    r"[\s:=\"'(]{1,3}(?:(?:on|at|to|from|address|tcp)[\s\"'(]{1,2}){0,2}$",
    re.I,
)
_MIXED_CASE: Final = re.compile(r"[a-z0-9][A-Z]|[A-Z][a-z]")
_INSIDE: Final = re.compile(r"\.svc(?:\.cluster\.local)?$")
_CUSTOMARY: Final = frozenset(
    {389, 443, 465, 587, 636, 993, 995, 1433, 1521, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3100,
     3306, 3478, 4222, 4317, 4318, 5044, 5432, 5433, 5671, 5672, 5984, 6379, 6380, 6432, 6443,
     6650, 7233, 7474, 7687, 8080, 8081, 8086, 8088, 8125, 8200, 8443, 8444, 8500, 8529, 8848,
     8888, 9042, 9090, 9092, 9093, 9094, 9100, 9160, 9200, 9300, 9411, 9418, 10250, 10255, 11211,
     11434, 14268, 15672, 16379, 16686, 19530, 26257, 26379, 27017, 27018, 27019, 28015, 29092,
     33060, 50051, 50052, 61616}
)  # fmt: skip
"""Ports that custom gives to something and that are no round numbers, as values are."""
_LOW: Final = frozenset({22, 25, 53, 80})
"""Customary too, but as small as many counts."""
_LEAST_OWN: Final = 1024
_WHOLE_NAME: Final = 2
"""Dots of a name that says itself where it belongs."""


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host as it is written, without brackets and a last dot; the port is empty where untold."""

    host: str
    port: str = ""


def is_host(name: str) -> bool:
    """Whether it is spelled as a host: an address, or a name that is no time or other word."""
    if ":" in name or _NUMBERS.fullmatch(name):
        return name not in _LISTENS and _is_address(name)
    if not 1 < len(name) <= _LONGEST or name.lower() in _NO_HOST or _DATED.match(name):
        return False
    labels = name.split(".")
    return not labels[-1].isdigit() and all(map(_LABEL.fullmatch, labels))


def is_port(digits: str) -> bool:
    """Whether it is a port as people write it: `080` is a part of a time or a count."""
    return digits.isdecimal() and not digits.startswith("0") and int(digits) <= 65_535


def host_in(found: re.Match[str]) -> HostPort | None:
    """What the groups `host` and `port` of a match caught, where that is whole and a host.

    The pattern is what says that something is reached there; `port` may be missing or empty.
    """
    groups = found.groupdict()
    name, port = (groups.get("host") or "").rstrip("."), groups.get("port") or ""
    text = found.string
    start = found.start("host")
    before = text[max(0, start - _LOOK_BACK) : start]
    end = found.end("port") if port else start + len(name)
    if not is_host(name) or (port and not is_port(port)):
        return None
    if _CUT_BEFORE.search(before) or _CUT_BEHIND.match(text, end):
        return None
    if _SOURCE_FILE.search(name) and not _BEYOND_DOUBT.search(before):
        return None
    return HostPort(name, port)


def pairs_in(text: str, *, known: Container[str] = frozenset()) -> Iterator[HostPort]:
    """Every host and port that stand together, `db:5432`, and can be nothing else.

    `known`: those that exist, in the same form and in lower case; they need no word around them.
    """
    for found in _BARE.finditer(text):
        name, port = found["host"] or found["v6"] or "", found["port"]
        if not is_host(name) or not is_port(port):
            continue
        before = text[max(0, found.start() - _LOOK_BACK) : found.start()]
        behind = text[found.end() : found.end() + _LOOK_AHEAD]
        exists = f"{name}:{port}".lower() in known
        if exists or _is_meant(name, int(port), before=before, behind=behind):
            yield HostPort(name, port)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_meant(name: str, port: int, *, before: str, behind: str) -> bool:
    """Whether a pair that is spelled as a host and port is meant as one."""
    if _OF_THE_PROGRAM.search(before):
        return False
    if _is_address(name) or _INSIDE.search(name):
        return True
    if _SOURCE_FILE.search(name):
        return False
    own = port >= _LEAST_OWN
    if _REACHED_BEFORE.search(before) or _NETWORK_BEHIND.match(behind):
        return own or port in _CUSTOMARY or port in _LOW
    if _MIXED_CASE.search(name) or name[0].isdigit():
        return False
    if own and _ASKED_BEFORE.search(before) and _FAILS_BEHIND.match(behind):
        return True
    return port in _CUSTOMARY or (own and name.count(".") >= _WHOLE_NAME)
