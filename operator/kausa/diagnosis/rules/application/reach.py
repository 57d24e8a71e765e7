"""Something that a program needs cannot be reached: unknown, refusing, silent, or cut off.

What went wrong is known by the words of the resolver or of the socket, whom it concerns by the many
ways to write a host and port; the two are looked for apart, because every library joins them anew.
"""

from __future__ import annotations

from kausa.diagnosis.rules.application.idea import Complete, Idea, Look, Told, any_of
from kausa.diagnosis.rules.application.services import is_api_server, standing_of
from kausa.diagnosis.rules.application.targets import Target, find_target, software_at
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category

__all__ = ["REACH_IDEAS"]

_UNKNOWN = (
    r"no such host|\bENOTFOUND\b|\bEAI_AGAIN\b|name or service not known|name resolution|NXDOMAIN|"
    r"nodename nor servname|(?:could ?n[o']t|can'?t|cannot|unable to|failed to) resolve(?! "
    r"(?:\w{1,20} ){0,2}(?:placeholder|reference|import|module|dependenc|entry|bean|symbol|"
    r"property|type|path|alias|variable|class|package|plugin|option|conflict|version))|"
    r"UnknownHostException|\bbad address\b|could not translate host name|server can't find|host "
    r"not found in upstream|unknown (?:mysql )?server host|no such host is known|failed to lookup "
    r"address|getaddrinfo|no address associated with hostname|unknown host\b|server misbehaving|"
    r"no resolvable bootstrap|name does not resolve|no servers could be reached|DNS (?:lookup|"
    r"resolution) (?:failed|error)|lookup \S{1,253}(?: on \S{1,80})?: .{0,100}?(?:i/o timeout|"
    r"connection refused)|host (?:name )?lookup failure|unresolved address"
)
_NAME_SERVER_FAILS = any_of(
    r"server misbehaving|temporary failure in name resolution|EAI_AGAIN|no servers could be "
    r"reached|lookup \S{1,253}(?: on \S{1,80})?: (?:.{0,80}?i/o timeout|.{0,80}?connection "
    r"refused)|host (?:name )?lookup failure|SERVFAIL"
)
_REFUSED = (
    r"connection refused|\bECONNREFUSED\b|actively refused|errno 111\b|os error 111\b|\(111\)|"
    r"connection to \S{1,260} refused|couldn't connect to server|ConnectionRefused|broker may not "
    r"be available|refused the connection|rejecting connections"
)
_NO_ROUTE = (
    r"no route to host|EHOSTUNREACH|network is unreachable|ENETUNREACH|NoRouteToHost|\(113\)|host "
    r"is (?:unreachable|down)|destination (?:host|net) unreachable"
)
_RESET = (
    r"connection reset|\bECONNRESET\b|broken pipe|\bEPIPE\b|server closed the connection "
    r"unexpectedly|socket hang up|empty reply from server|connection (?:was )?closed by (?:peer|"
    r"remote)|connection (?:closed|terminated|aborted|lost) (?:unexpectedly|during|by)|lost "
    r"connection to|upstream connect error or disconnect"
)
_TIMEOUT = (
    r"i/o timeout|\bETIMEDOUT\b|timed[ -]?out|time-?out (?:expired|occurred|after|exceeded|"
    r"waiting|while|error)|(?:connection|connect|read|request|socket|acquire|query) ?timeout|"
    r"deadline ?exceeded|SocketTimeout|ConnectTimeout|TimeoutException|\(110\)|no response|is not "
    r"available after|not reachable after"
)
_CANNOT = (
    r"(?:unable|failed|fail|cannot|could ?n[o']t|can'?t|error|failure)(?: to| in| while| when)? "
    r"(?:establish(?:ing)? (?:a |the )?connection|connect(?:ing)?|reach(?:ing)?|contact(?:ing)?|"
    r"dial(?:ing)?|ping(?:ing)?|talk)\b|(?:service|broker|server|upstream|host) (?:is "
    r")?unavailable|connection (?:error|failed|failure)\b|communications link failure|"
    r"ServerSelectionTimeoutError|MongoServerSelectionError|(?:pool|connections?) (?:is |was |has "
    r"been )?(?:exhausted|timed out)|too many (?:clients|connections)"
)
_WAITS = (
    r"\bwaiting (?:for|on|until)\b|(?:is |are )?not (?:yet )?(?:ready|available|"
    r"up)\b.{0,40}(?:retry|wait|sleep)|(?:still|keep) waiting|sleeping until"
)
WEAK_BELOW = 84
"""An idea that is less sure only says that something went wrong."""
_HEALTHY_READ = "kubectl -n {namespace} get service,endpointslices"


def dns(text: str) -> str:
    """Not empty where the name server itself fails, and not only the name."""
    return "yes" if _NAME_SERVER_FAILS(text) is not None else ""


def _about_a_target(words: str, *, required: bool = False) -> Look:
    spoken = any_of(words)

    def look(text: str) -> Told | None:
        if spoken(text) is None:
            return None
        target = find_target(text)
        software = software_at(target, text)
        if target is None and (required or not software):
            if required:
                return None
            return {"host": "", "port": "", "target": "", "software": "", "dns": dns(text)}
        host, port = (target.host, target.port) if target is not None else ("", "")
        return {
            "host": host,
            "port": port,
            "target": str(target) if target is not None else f"the {software}",
            "software": software,
            "dns": dns(text),
        }

    return look


def _placed(told: Told, dossier: Dossier) -> Told:
    """What it is that cannot be reached, and how it stands in the cluster."""
    if not told["host"]:
        return {
            **told,
            "target": told["target"] or "something it needs",
            "standing": "",
            "what": "",
        }
    target = Target(told["host"], told["port"])
    standing = standing_of(target, dossier)
    sentence = standing.sentence
    if target.is_local:
        sentence = "localhost is the Pod itself: no container of it listens there"
    return {
        **told,
        "what": told["software"],
        "standing": sentence[:1].upper() + sentence[1:],
        "service": standing.name,
        "service_namespace": standing.namespace,
    }


def _any(told: Told, dossier: Dossier) -> Told | None:
    return _placed(told, dossier)


def _only_missing_service(told: Told, dossier: Dossier) -> Told | None:
    """The name cannot be resolved because there is no such Service."""
    if not told["host"]:
        return None
    standing = standing_of(Target(told["host"], told["port"]), dossier)
    return _placed(told, dossier) if standing.missing else None


def _only_name_server(told: Told, dossier: Dossier) -> Told | None:
    return _placed(told, dossier) if told["dns"] else None


def _only_api_server(told: Told, dossier: Dossier) -> Told | None:
    if not told["host"]:
        return None
    target = Target(told["host"], told["port"])
    named = standing_of(target, dossier)
    known = named.name == "kubernetes" and named.namespace == "default"
    return _placed(told, dossier) if is_api_server(target) or known else None


def _idea(
    rule: str,
    words: str,
    *,
    problem: str,
    cause: str,
    explanation: str,
    category: Category = Category.DEPENDENCY,
    complete: Complete = _any,
    required: bool = False,
    confidence: int = 90,
    advice: str = "Check that {target} runs, listens and is named rightly",
) -> Idea:
    return Idea(
        rule=f"application.{rule}",
        category=category,
        look=_about_a_target(words, required=required),
        summary=f"container {{container}} {problem}",
        cause=cause + "<< {standing}.>>",
        explanation=explanation,
        advice=advice,
        command=_HEALTHY_READ,
        confidence=confidence,
        weak=confidence < WEAK_BELOW,
        complete=complete,
    )


REACH_IDEAS: tuple[Idea, ...] = (
    _idea(
        "api-server-unreachable",
        "|".join((_REFUSED, _NO_ROUTE, _TIMEOUT, _UNKNOWN)),
        problem="cannot reach the Kubernetes API server at {target}",
        cause="Container {container} cannot reach the Kubernetes API server ({target}).",
        explanation="The network of the Pod, a NetworkPolicy or the node's service proxy stands "
        "between, or the API server is down.",
        category=Category.NETWORK,
        complete=_only_api_server,
        advice="Check NetworkPolicies and kube-proxy on the Pod's node",
    ),
    _idea(
        "service-missing",
        _UNKNOWN,
        problem="needs {target}, which cannot be resolved: Service {service} does not exist",
        cause="Container {container} cannot resolve the host {host}: no such host in DNS.",
        explanation="A Service's name is resolved in the namespace of the Pod, unless it is "
        "followed by the name of another namespace.",
        complete=_only_missing_service,
        confidence=95,
        advice="Create the Service {service} in namespace {service_namespace}, or correct the name",
    ),
    _idea(
        "name-server-fails",
        _UNKNOWN,
        problem="cannot resolve {target}: name resolution (DNS) fails",
        cause="Container {container} cannot resolve<< the host {host}>>: the name server does not "
        "answer or fails (DNS).",
        explanation="The cluster's DNS (CoreDNS), its upstream, or the network to it fails; the "
        "name itself may be right.",
        category=Category.NETWORK,
        complete=_only_name_server,
        confidence=90,
        advice="Check that the cluster's DNS Pods run and answer",
    ),
    _idea(
        "host-unknown",
        _UNKNOWN,
        problem="cannot resolve the host name<< {target}>> (DNS: no such host)",
        cause="Container {container} cannot resolve the host<< {host}>>: the name does not exist "
        "in DNS.",
        explanation="The name is misspelt, its Service is missing or in another namespace, or the "
        "name server does not know it.",
        category=Category.NETWORK,
        confidence=91,
        advice="Correct the host name {host}, or create what it names",
    ),
    _idea(
        "connection-refused",
        _REFUSED,
        problem="cannot connect to {target}<< ({what})>>: connection refused",
        cause="Container {container} needs {target}<< ({what})>>, which refuses the connection: "
        "nothing listens there (yet).",
        explanation="The address answers, but no program accepts connections on that port: it is "
        "down, starting, or listens elsewhere. A program that ends at once when what "
        "it needs is not there yet is restarted until it is.",
        confidence=92,
    ),
    _idea(
        "no-route",
        _NO_ROUTE,
        problem="has no route to {target}<< ({what})>>: the network cannot reach it",
        cause="Container {container} cannot reach {target}<< ({what})>>: no route to host.",
        explanation="The network drops the way to it: its Pod or node is gone, or a firewall or "
        "NetworkPolicy rejects it.",
        category=Category.NETWORK,
    ),
    _idea(
        "connection-reset",
        _RESET,
        problem="loses its connection to {target}<< ({what})>>: the connection is reset",
        cause="The connection of container {container} to {target}<< ({what})>> was closed from "
        "the other side.",
        explanation="What it talks to ended, rejected it in the middle, or a proxy between cut "
        "the connection.",
        confidence=84,
        required=True,
    ),
    _idea(
        "timeout",
        _TIMEOUT,
        problem="gets no answer from {target}<< ({what})>> in time: timeout",
        cause="Container {container} waits for {target}<< ({what})>> and gets no answer in time: "
        "it timed out.",
        explanation="What it needs hangs, is overloaded, or packets to it are dropped (a "
        "firewall, a NetworkPolicy, or a wrong address).",
        confidence=86,
        required=True,
    ),
    _idea(
        "cannot-connect",
        _CANNOT,
        problem="cannot connect to {target}<< ({what})>>",
        cause="Container {container} cannot connect to {target}<< ({what})>>.",
        explanation="The program does not say why the connection fails.",
        confidence=80,
    ),
    _idea(
        "waits",
        _WAITS,
        problem="waits for {target}<< ({what})>>, which is not there",
        cause="Container {container} waits for {target}<< ({what})>> and does nothing until then.",
        explanation="It asks again and again, and goes on only when what it waits for answers.",
        confidence=82,
        required=True,
    ),
    _idea(
        "timeout-unnamed",
        _TIMEOUT,
        problem="waits for something in vain: timeout",
        cause="Something that container {container} needs does not answer in time: it timed out.",
        explanation="The message does not name what did not answer.",
        confidence=66,
    ),
)
