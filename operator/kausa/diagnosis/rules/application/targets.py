"""Whom a program tried to reach: the host and port in the many ways in which they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kausa.diagnosis.rules.application.idea import HOST
from kausa.evidence.host_port import HostPort, host_in, pairs_in

__all__ = ["Target", "find_target", "software_at"]

_PORT = r"(?P<port>\d{1,5})\b"
_NAME = rf"\[?(?P<host>(?<=\[)[0-9A-Fa-f:.]{{2,45}}(?=\])|{HOST})\]?"
_FORMS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\blookup {_NAME}\.?(?: on [^\s,;]{{1,80}})?[:,; ]",
        rf"\bUnknownHostException: (?:https?://)?{_NAME}",
        rf"(?i)\b(?:resolve|translate) (?:the )?(?:host(?: ?name)?|hostname|server|address|"
        rf"domain)?:? ?['\"\u2018\u201c`(]?{_NAME}['\"\u2019\u201d`)]?(?::{_PORT})?",
        rf"(?i)\bgetaddrinfo (?:ENOTFOUND|EAI_AGAIN) {_NAME}(?::{_PORT})?",
        rf"(?i)\bgetaddrinfo (?:for|failed for) (?:host )?['\"]?{_NAME}['\"]?(?: port {_PORT})?",
        rf"(?i)\b(?:bad address|server can't find|unknown (?:mysql )?server host|unknown host|"
        rf"host not found in upstream|unknown hostname) "
        rf"['\"\u2018\u201c`]?{_NAME}['\"\u2019\u201d`]?(?::{_PORT})?",
        rf"\bnc: connect to {_NAME} port {_PORT}",
        rf"\bnc: {_NAME} \([^)]{{1,60}}:{_PORT}\)",
        rf"(?i)\bhost[:=]? ?['\"(]{_NAME}['\")].{{0,80}}?\bport[:= ]{{1,3}}['\"]?{_PORT}",
        rf"(?i)\bat \"{_NAME}\"(?: \([^)]{{1,60}}\))?, port {_PORT}",
        rf"(?i)\bhost=['\"]?{_NAME}['\"]?[,; ]{{1,3}}port=['\"]?{_PORT}",
        rf"(?i)\bHTTPS?ConnectionPool\(host='{_NAME}', port={_PORT}",
        rf"(?i)\bconnect\(2\) (?:for|to) \"{_NAME}\" port {_PORT}",
        rf"(?i)\b(?:server|host) on '?{_NAME}(?::{_PORT})?'? ?\(",
        rf"(?i)\bupstream: \"\w{{2,10}}://{_NAME}(?::{_PORT})?",
        rf"(?i)\bdial (?:tcp|udp)[46]? {_NAME}:{_PORT}",
        rf"(?i)\b(?:read|write) tcp \S{{1,60}}->{_NAME}:{_PORT}",
        rf"(?i)@(?:tcp)?\({_NAME}:{_PORT}\)",
        rf"\b\w{{2,20}}://(?:[^\s/@\"']{{0,200}}@)?{_NAME}(?::{_PORT})?",
        rf"(?i)\b(?:connect(?:ing|ion)?|reach|ping) (?:to|with)? ?(?:node -?\d+ \()?(?:\w{{1,30}} "
        rf"(?:at|on) )?['\"\[]?{_NAME}['\"\]]?(?:/[\d.]{{7,15}})?:{_PORT}",
        rf"(?i)\bECONN\w{{3,10}} {_NAME}:{_PORT}",
        rf"(?i)\b(?:connect|connection) to {_NAME} port {_PORT}",
    )
)
_LESS_SURE: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?i)\bremote host \({_NAME}(?::{_PORT})?\)",
        rf"(?i)\bupstream ['\"]{_NAME}['\"]",
        r"(?i)\b(?:connect(?:ing|ion)?) to (?:the )?(?:host |server "
        r")?['\"]?(?P<host>[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,10}|\d{1,3}(?:\.\d{1,3}){3}|"
        r"localhost)\b",
        rf"(?<![{{,])(?<![{{,] )['`]{_NAME}['`]:['`]{_PORT}",
        rf"(?<![\w@.-])['\"]{_NAME}['\"]: Name or service not known",
        # Said in words, without a port: only what cannot be a word of the sentence.
        r"(?i)\b(?:database|db|server|service|broker|backend|cache|upstream) "
        r"['\"]?(?P<host>[a-z0-9]{1,63}(?:[.-][a-z0-9]{1,63}){1,10})['\"]? (?:refuse|reject|"
        r"timed out|(?:is|was) (?:down|un|not)|(?:did|does|has)(?:n't| not) |cannot be reached)",
    )
)
_ESCAPED = re.compile(r"\\(?:[nrt]|(?=\"))")
_AWAITED = re.compile(
    r"(?i)\bwait(?:ing|s|ed)? (?:for|on|until) (?:the )?(?:service |host |server |pod |deployment "
    r")?['\"]?(?P<host>[a-z0-9][a-z0-9.-]{1,100})['\"]?(?:\s?\.{2,}|\s{0,4}$|\s{0,4}\n| timed out|"
    r" timeout| failed| is\b| service| to (?:be|become|come|start|respond|accept)\b)"
)
_NOT_AWAITED = frozenset(
    {"connections", "requests", "events", "jobs", "messages", "connection", "leader", "cache",
     "lock",
     "service", "services", "pod", "pods", "it", "all", "any", "database", "shutdown", "signal",
     "data", "input", "response", "completion", "process", "client", "clients", "workers", "tasks",
     "retry", "dependencies", "dependency", "ready", "work", "traffic", "changes", "initialization"}
)  # fmt: skip
_SOFTWARE = {
    "1433": "SQL Server database", "1521": "Oracle database", "2181": "ZooKeeper", "2379": "etcd",
    "3306": "MySQL database", "4222": "NATS", "5432": "PostgreSQL database", "5672": "RabbitMQ",
    "6379": "Redis", "8500": "Consul", "9042": "Cassandra database", "9092": "Kafka",
    "9200": "Elasticsearch", "11211": "memcached", "26379": "Redis Sentinel",
    "27017": "MongoDB database", "8200": "Vault", "26257": "CockroachDB database", "389": "LDAP",
    "636": "LDAP",
}  # fmt: skip
_NAMED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(?<![a-z]){word}", re.I), software)
    for word, software in (
        (r"postgres|psycopg|\bpq:|\bpgx|Npgsql", "PostgreSQL database"),
        (r"mysql|mariadb", "MySQL database"),
        (r"mongo", "MongoDB database"),
        (r"redis", "Redis"),
        (r"rabbitmq|amqp", "RabbitMQ"),
        (r"kafka|bootstrap\.servers", "Kafka"),
        (r"elasticsearch|opensearch", "Elasticsearch"),
        (r"cassandra", "Cassandra database"),
        (r"zookeeper", "ZooKeeper"),
        (r"\bldaps?\b", "LDAP"),
        (r"memcache", "memcached"),
        (r"\bdatabase\b|\bdb\b|\bsql\b|jdbc|sqlalchemy|hibernate|hikari", "database"),
    )
)


@dataclass(frozen=True, slots=True)
class Target:
    """A host, and its port where it is told."""

    host: str
    port: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.port and ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def is_address(self) -> bool:
        """Whether it is an address and not a name."""
        return ":" in self.host or self.host.replace(".", "").isdigit()

    @property
    def is_local(self) -> bool:
        """Whether it is the Pod itself."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


def find_target(text: str) -> Target | None:
    """The host and port that a message speaks of; the surest way of writing them first."""
    # What data has escaped is no part of a name: `\\nredis:6379` in JSON.
    text = _ESCAPED.sub(" ", text)
    for forms in (_FORMS, _LESS_SURE):
        for form in forms:
            named = next(filter(None, map(host_in, form.finditer(text))), None)
            if named is not None:
                return _target(named)
        pair = next(pairs_in(text), None) if forms is _FORMS else None
        if pair is not None:
            return _target(pair)
    awaited = _AWAITED.search(text)
    if awaited is None or awaited["host"].lower() in _NOT_AWAITED:
        return None
    waited_for = host_in(awaited)
    return _target(waited_for) if waited_for is not None else None


def _target(named: HostPort) -> Target:
    return Target(named.host, named.port)


def software_at(target: Target | None, text: str) -> str:
    """What listens there, by the port's custom or the message's words; empty where unknown."""
    for pattern, software in _NAMED:
        if pattern.search(text):
            return software
    return _SOFTWARE.get(target.port, "") if target is not None else ""
