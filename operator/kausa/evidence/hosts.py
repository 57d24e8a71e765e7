"""Hosts that logs, Events and messages name: which Service is meant, and whether it answers.

`connection refused` and `no such host` are effects. Whether the Service behind the name exists, has
the port and has an endpoint is the cause, and the cluster knows it. A name is only said to be
missing where the text speaks of a host beyond doubt; a word before a colon may be anything. And
only where it complains of it: a program names many hosts that it never misses.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from kausa.cluster.objects import ObjectReference
from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, Lookup
from kausa.evidence.dossier import Evidence, Reference, Source
from kausa.evidence.endpoints import has_port, ports_in_words, view_service
from kausa.evidence.events import fold_events
from kausa.evidence.fields import name_of, rows, strings, text, uid_of
from kausa.evidence.host_port import host_in, pairs_in
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.logs.overcome import gets_over_it
from kausa.evidence.reading import Reading
from kausa.evidence.references import NO_ENDPOINT, NO_PORT, reading_of
from kausa.resources.evidence import EvidenceKind

__all__ = ["Host", "gather_hosts", "hosts_in"]

MOST_HOSTS = 8
MOST_WARNINGS = 2
LOOKED_AT = 8192
MOST_ABOVE = 3
MOST_BELOW = 12
_NAME = r"[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9][a-z0-9-]{0,62}){0,6}"
# Those of the network alone: `s3`, `classpath`, `oci` and their like name no host.
_SCHEME = (
    r"(?:https?|wss?|grpcs?|tcp|tls|ssl|udp|dns|passthrough|amqps?|mqtts?|stomp|nats|kafka|pulsar|"
    r"rediss?|sentinel|memcached?|mongodb|postgres(?:ql)?|mysql|mariadb|sqlserver|oracle|"
    r"clickhouse|cassandra|cockroachdb|neo4j|bolt|elasticsearch|influx|ldaps?|smtps?|s?ftp|ssh|"
    r"zookeeper|zk|etcd|consul|vault|thrift|nfs|syslog|rabbitmq)(?:\+\w{1,12})?"
)
_URL = re.compile(
    rf"\b{_SCHEME}:///?(?:[^\s/@\"']{{0,200}}@)?(?P<host>{_NAME})(?![\w(-])"
    r"(?::(?P<port>\d{1,5}))?(?![^\s/@]{0,200}@)",
    re.I,
)
_DSN = re.compile(rf"@?\b(?:tcp|udp)[46]?\((?P<host>{_NAME})(?::(?P<port>\d{{1,5}}))?\)", re.I)
_LOOKUP = re.compile(
    r"(?:ENOTFOUND |EAI_AGAIN |[Uu]nknown host:? |UnknownHostException: |"
    r"resolve (?:host|hostname|address)(?: name)?:? |translate host name |"
    r"host not found in upstream |bad address |Failed to resolve |\blookup (?=\S+(?::| on )))"
    rf"[\"'`]?(?P<host>{_NAME})(?:[\"'`]?:(?P<port>\d{{1,5}}))?",
)
_CONNECT = re.compile(
    r"connect(?:ion)? to (?:server (?:at )?)?"
    rf"[\"'`]?(?P<host>{_NAME})[\"'`]?(?:[^\n:]{{0,40}}(?:,| on) port |:)(?P<port>\d{{1,5}})",
    re.I,
)
_FULL = re.compile(
    rf"(?<![\w.-])(?P<host>{_NAME}\.svc(?:\.cluster\.local)?)\.?(?::(?P<port>\d{{1,5}}))?"
)
_ADDRESS = re.compile(r"(?<![\d.])(?P<host>\d{1,3}(?:\.\d{1,3}){3}):(?P<port>\d{1,5})(?!\d)")
_SVC = re.compile(r"(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?$")
_PATTERNS = (
    (_FULL, True),
    (_URL, True),
    (_DSN, True),
    (_LOOKUP, True),
    (_CONNECT, True),
)
_COMPLAINT = (
    r"refus(?:ed|ing)|no such host|unknown ?host|host not found|name or service not known|"
    r"temporary failure in name|name resolution|nodename nor servname|nxdomain|servfail|"
    r"bad address|not resolve|(?:fail|unable|could not|cannot|can't|couldn't|error)[^\n]{0,40}"
    r"(?:resolv|translat|connect|reach|lookup|look up|dial|call|fetch|get |post |contact|request)|"
    r"connect(?:ing|ion|ed)?\b[^\n]{0,100}(?:fail|error|lost|denied|reset|abort|closed)|"
    r"\bfailed$|not ready|"
    r"failed calling|no endpoints|not found|timed out|time-?out(?! ?(?:=|:|of|is|set) ?\d)\b(?!=)|"
    r"timeoutexception|deadline exceeded|unreachable|no route to host|reset by peer|broken pipe|"
    r"hang up|\bclosed\b|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|max retries|"
    r"not (?:be )?(?:available|reachable|reached)|unavailable|bad gateway|\b50[234]\b|"
    r"\b(?:is )?(?:away|down)\b|handshake|\bEOF\b|i/o error"
)
_COMPLAINS = re.compile(_COMPLAINT, re.I)
_INTENDS = re.compile(r"connect|dial|wait|reach|resolv|login|ping", re.I)
_WENT_WELL = re.compile(r"\b(?:ok|connected|established|success\w*|succeeded|200)\b", re.I)
_NOBODY = frozenset(
    {"tcp", "udp", "localhost", "host", "server", "address", "port", "kubernetes", "the", "a"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host as a text names it; `sure` where it can only be a host."""

    service: str
    namespace: str
    """Empty for the failure's own."""
    port: str
    sure: bool
    by: Source
    complains: bool = True
    """Whether the text says that something is wrong with it."""


async def gather_hosts(inquiry: Inquiry, *, said: Iterable[Evidence]) -> Reading:
    """The Services that the evidence names, those first of which it complains."""
    around = Around(inquiry=inquiry)
    services = await around.many("Service") or ()
    texts = [
        each
        for each in said
        if each.kind in (EvidenceKind.LOG, EvidenceKind.EVENT, EvidenceKind.STATUS)
    ]
    hosts = _known_hosts(texts, services)
    looked = await asyncio.gather(
        *(around.look("Service", each.service, namespace=each.namespace or None) for each in hosts)
    )
    parts = [await _about(around, host, found) for host, found in zip(hosts, looked, strict=True)]
    return Reading(
        evidence=tuple(each for part in parts for each in part.evidence),
        references=tuple(each for part in parts for each in part.references),
        manifests=tuple(each for part in parts for each in part.manifests),
    )


def hosts_in(words: str, *, by: Source, known: Container[str] = frozenset()) -> tuple[Host, ...]:
    """Every host that might be a Service, each once; those first of which the text complains.

    `known`: Services with their ports (`db:5432`), which are hosts wherever they are named.
    """
    lines = words[:LOOKED_AT].splitlines()
    named = [tuple(_in_line(line, by=by, known=known)) for line in lines]
    blamed = _blamed(lines, named)
    found: dict[tuple[str, str, str], Host] = {}
    for complains in (True, False):
        for index, hosts in enumerate(named):
            for host in hosts if (index in blamed) == complains else ():
                key = (host.service, host.namespace, host.port)
                # Without a complaint a host is none to be sure of: it may well be there.
                found.setdefault(
                    key, replace(host, complains=complains, sure=host.sure and complains)
                )
    return tuple(found.values())


def _in_line(line: str, *, by: Source, known: Container[str]) -> Iterator[Host]:
    for pattern, sure in _PATTERNS:
        for named in filter(None, map(host_in, pattern.finditer(line))):
            host = _host(named.host.lower(), port=named.port, sure=sure, by=by)
            if host is not None:
                yield host
    for named in pairs_in(line, known=known):
        host = _host(named.host.lower(), port=named.port, sure=False, by=by)
        if host is not None:
            yield host


def _blamed(lines: Sequence[str], named: Sequence[Sequence[Host]]) -> frozenset[int]:
    """The lines of which the hosts are complained of: in the same line; else right before, where
    the program said what it was about to do, or below, in what belongs to the same entry.
    """
    blamed: set[int] = set()
    for index, line in enumerate(lines):
        if not _complains(line):
            continue
        if named[index]:
            blamed.add(index)
            continue
        above = range(index - 1, max(index - 1 - MOST_ABOVE, -1), -1)
        below = takewhile(
            lambda each: lines[each].startswith((" ", "\t")),
            range(index + 1, min(index + 1 + MOST_BELOW, len(lines))),
        )
        before = next((each for each in above if named[each]), None)
        if before is not None and _was_to_do(lines[before]):
            blamed.add(before)
            continue
        after = next((each for each in below if named[each]), None)
        if after is not None:
            blamed.add(after)
    return frozenset(blamed)


def _complains(line: str) -> bool:
    return _COMPLAINS.search(line) is not None and not gets_over_it(line)


def _was_to_do(line: str) -> bool:
    return bool(_INTENDS.search(line)) and not _WENT_WELL.search(line)


def _host(name: str, *, port: str, sure: bool, by: Source) -> Host | None:
    """A name of one label, of two where that is certain, or of the cluster's own domain."""
    inside = _SVC.search(name)
    if inside is not None:
        # A Pod of a StatefulSet has its own name in front of its Service's.
        return Host(
            service=inside["name"],
            namespace=inside["namespace"],
            port=port,
            sure=True,
            by=by,
        )
    labels = name.split(".")
    if name in _NOBODY or not any(each.isalpha() for each in labels[-1]) or len(labels) > 2:
        return None
    if len(labels) == 2:
        # `main.go:12` and `example.com` look like it too.
        return Host(service=labels[0], namespace=labels[1], port=port, sure=False, by=by)
    return Host(service=name, namespace="", port=port, sure=sure, by=by)


def _known_hosts(texts: Iterable[Evidence], services: Iterable[Manifest]) -> tuple[Host, ...]:
    names = {name_of(each) for each in services}
    known = frozenset(
        f"{name_of(each)}:{port.get('port')}"
        for each in services
        for port in rows(each, "spec", "ports")
    )
    found: dict[tuple[str, str, str], Host] = {}
    for each in texts:
        by = each.source
        for host in (
            *hosts_in(each.text, by=by, known=known),
            *_addresses(each.text, services, by=by),
        ):
            if host.sure or (not host.namespace and host.service in names):
                key = (host.service, host.namespace, host.port)
                if key not in found or (host.complains and not found[key].complains):
                    found[key] = host
    return tuple(sorted(found.values(), key=lambda each: not each.complains))[:MOST_HOSTS]


def _addresses(words: str, services: Iterable[Manifest], *, by: Source) -> Iterator[Host]:
    """Cluster IPs: a refused connection to one of them is a Service's."""
    by_address = {
        address: name_of(each)
        for each in services
        for address in (text(each, "spec", "clusterIP"), *strings(each, "spec", "clusterIPs"))
    }
    for line in words[:LOOKED_AT].splitlines():
        complains = _complains(line)
        for named in filter(None, map(host_in, _ADDRESS.finditer(line))):
            name = by_address.get(named.host)
            if name:
                yield Host(
                    service=name,
                    namespace="",
                    port=named.port,
                    sure=True,
                    by=by,
                    complains=complains,
                )


async def _about(around: Around, host: Host, found: Lookup) -> Reading:
    namespace = host.namespace or around.namespace
    if found.manifest is None:
        # It may be an alias of the Pod's own, but then it resolves, and nobody complains.
        missing = _reference(host, namespace=namespace, problem="does not exist")
        return reading_of([(missing, "")]) if found.missing else Reading()
    view = await view_service(around, found.manifest)
    broken: list[tuple[Reference, str]] = []
    if host.port and not view.is_external and not has_port(found.manifest, host.port):
        hint = f"it has {ports_in_words(found.manifest) or 'none'}"
        wrong = _reference(host, namespace=namespace, problem=NO_PORT)
        broken.append((replace(wrong, key=f"port {host.port}"), hint))
    if view.lacks_endpoints:
        hint = f"{view.not_ready} are not ready" if view.not_ready else ""
        hint = f"{view.asleep} is scaled to zero" if view.asleep else hint
        broken.append((_reference(host, namespace=namespace, problem=NO_ENDPOINT), hint))
    if view.unsliced:
        sliceless = _reference(host, namespace=namespace, problem="does not exist")
        hint = f"nobody is sent anywhere, though {view.ready or 0} endpoints are ready"
        broken.append((replace(sliceless, kind="EndpointSlice"), hint))
    said = f"{view.ready} endpoints ready" if view.ready is not None else "endpoints not known"
    told = Evidence(
        kind=EvidenceKind.OTHER,
        source=Source(kind="Service", name=host.service, field_path="spec"),
        text=f"Service {host.service} of namespace {namespace}, named in {host.by.field_path} of "
        f"{host.by.kind} {host.by.name}: ports {ports_in_words(found.manifest) or 'none'}; {said}",
    )
    reading = reading_of(broken) if host.complains else Reading()
    warned = (
        await _warnings(around, found.manifest, namespace=namespace) if reading.references else ()
    )
    return Reading(
        evidence=(*reading.evidence, told, *warned),
        references=reading.references,
        manifests=(found.manifest, *view.read),
    )


async def _warnings(around: Around, service: Manifest, *, namespace: str) -> tuple[Evidence, ...]:
    """What is warned of a Service that leads to nobody, such as slices that cannot be written."""
    uid = uid_of(service)
    events = await around.events(namespace=namespace, uid=uid)
    about = ObjectReference(
        api_version="v1", kind="Service", namespace=namespace, name=name_of(service), uid=uid
    )
    warned = fold_events((each for each in events if each.type == "Warning"), about=about)
    return warned[-MOST_WARNINGS:]


def _reference(host: Host, *, namespace: str, problem: str) -> Reference:
    return Reference(
        by=host.by, kind="Service", name=host.service, namespace=namespace, problem=problem
    )
