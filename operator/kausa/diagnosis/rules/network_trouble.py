"""Networks that fail for several things at once: the cluster's DNS, whole nodes, a partition.

One lookup that fails is a name; lookups and calls to the API server that fail together are the
network. The trouble may be over when it is asked about: the Events are what is left of it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.accounts import Account, events, warnings
from kausa.diagnosis.rules.facts import Fields, find, missing, objects
from kausa.diagnosis.rules.telling import listed, subject, tell_finding
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import labels_of, name_of, rows, text
from kausa.resources.category import Category

__all__ = ["dns_is_down", "network_comes_and_goes", "network_is_parted"]

_DNS_TIMEOUT = re.compile(
    r"lookup (?P<host>[\w.-]{1,253})(?: on (?P<server>[\d.a-f:\[\]]{3,60}))?: .{0,120}?"
    r"(?:i/o timeout|connection refused|server misbehaving)|"
    r"(?P<name>[\w.-]{1,253})\. A{1,4}: read udp .{0,120}?i/o timeout|"
    r"Temporary failure in name resolution|EAI_AGAIN",
    re.I | re.S,
)
_API_TIMEOUT = re.compile(
    r"(?:Kubernetes API|api "
    r"?server|https://kubernetes\.default|https://[\d.]{7,15}(?::6?443)?/apis?/)"
    r".{0,300}?(?:i/o timeout|connection refused|no route to host|deadline exceeded)",
    re.I | re.S,
)
_TIMEOUT = re.compile(r"i/o timeout|connection timed out|no route to host|packet loss", re.I)
_DNS_NAMES = ("coredns", "kube-dns")


def dns_is_down(dossier: Dossier) -> Finding | None:
    """Lookups time out, and the cluster's DNS has nobody who answers."""
    told = [each for each in warnings(dossier) if _DNS_TIMEOUT.search(each.text)]
    if not told:
        return None
    down = _dns_pods(dossier)
    refused = [each for each in missing(dossier, "Service") if each.name in _DNS_NAMES]
    endpoints = find(dossier, "Endpoints", "kube-dns")
    empty = endpoints is not None and not any(
        rows(each, "addresses") for each in rows(endpoints, "subsets")
    )
    if not (down or refused or empty):
        return None
    found = _DNS_TIMEOUT.search(told[-1].text)
    host = (found["host"] or found["name"]) if found is not None else ""
    facts = []
    if empty or refused:
        facts.append("Service kube-dns has no ready endpoints")
    if down:
        facts.append(f"its Pods are not ready: {listed(down)}")
    return tell_finding(
        dossier,
        rule="network.dns-down",
        category=Category.NETWORK,
        summary=f"CoreDNS is unavailable, so {subject(dossier)} cannot resolve {host or 'names'}",
        cause=f"The cluster DNS (CoreDNS) is down: {'; '.join(facts)}. So lookups of "
        f"{subject(dossier)} time out: {clip(told[-1].message, characters=160)}",
        why="CoreDNS answers every name in a cluster; without it nothing finds anything by name.",
        fix="Bring the Pods of CoreDNS back; their logs say why they fail",
        command="kubectl -n kube-system get pods -l k8s-app=kube-dns",
        confidence=96,
        citations=_cited(told),
    )


def _dns_pods(dossier: Dossier) -> list[str]:
    return [
        f"{name_of(each)} {state}".strip()
        for each in objects(dossier, "Pod")
        if labels_of(each).get("k8s-app") == "kube-dns" or name_of(each).startswith("coredns-")
        if (state := _trouble(each)) is not None
    ]


def _trouble(pod: Fields) -> str | None:
    """Why a Pod is not ready; None where it is."""
    statuses = rows(pod, "status", "containerStatuses")
    if statuses and all(each.get("ready") is True for each in statuses):
        return None
    waiting = (text(each, "state", "waiting", "reason") for each in statuses)
    return next((f"({each})" for each in waiting if each), "")


def network_is_parted(dossier: Dossier) -> Finding | None:
    """DNS and the API server both out of reach."""
    names = [each for each in warnings(dossier) if _DNS_TIMEOUT.search(each.text)]
    api = [each for each in warnings(dossier) if _API_TIMEOUT.search(each.text)]
    if not names or not api or names == api:
        return None
    return tell_finding(
        dossier,
        rule="network.parted",
        category=Category.NETWORK,
        summary=f"{subject(dossier)} was cut off from the cluster network: DNS and the Kubernetes "
        "API server both timed out",
        cause=f"The network between {subject(dossier)} and the cluster was parted: neither DNS nor "
        f"the API server could be reached. {clip(names[0].message, characters=150)}; "
        f"{clip(api[0].message, characters=130)}",
        why="DNS and the API server are different programs on different addresses; both fail "
        "together where the network of a node or a zone is cut.",
        fix="Look at the network plugin, kube-proxy and the network of the Pod's node",
        command="kubectl -n kube-system get pods -o wide",
        confidence=93,
        citations=_cited([*names, *api]),
    )


def network_comes_and_goes(dossier: Dossier) -> Finding | None:
    """The same thing times out now and then, and works in between."""
    told = [
        each
        for each in warnings(dossier)
        if _TIMEOUT.search(each.message) and each.kind == "Pod" and each.reason != "Unhealthy"
    ]
    spans = [
        (before, after)
        for before, after in itertools.pairwise(told)
        if _well_between(dossier, before, after)
    ]
    if not spans:
        return None
    times = sum(each.count for each in told)
    dns = any(_DNS_TIMEOUT.search(each.text) for each in told)
    what = "DNS lookups" if dns else "connections"
    return tell_finding(
        dossier,
        rule="network.intermittent",
        category=Category.NETWORK,
        summary=f"the network of {subject(dossier)} fails intermittently: {what} time out now and "
        f"then ({times} times)",
        cause=f"{what} of {subject(dossier)} time out from time to time and work in between, as "
        f"with "
        f"packet loss or an overloaded network: {clip(told[-1].message, characters=220)}",
        why="A server that is down fails always; what fails sometimes is most often a link, a node "
        "or a limit on the way.",
        fix="Compare Pods of other nodes, and look at drops and conntrack limits of this node",
        command="kubectl get pods -o wide -A",
        confidence=91,
        citations=_cited(told),
    )


def _well_between(dossier: Dossier, before: Account, after: Account) -> bool:
    """Whether the Pod was said to be well between two complaints."""
    if before.time is None or after.time is None:
        return False
    return any(
        each.time is not None
        and before.time <= each.time <= after.time
        and not each.warning
        and re.search(r"ready|started|succeeded|recover|reconnect", each.text, re.I) is not None
        for each in events(dossier)
    )


def _cited(told: list[Account]) -> Iterator[str]:
    yield from (id_ for each in told for id_ in each.citations)
