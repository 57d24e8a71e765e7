"""The control plane: leases that are lost, an etcd that does not answer, APIs that are not
served."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category

__all__ = ["CONTROL_PLANE_STATEMENTS"]

_API = r"(?:kube-?|kubernetes )?api ?-?server"
_LINK = r"(?:connect(?:ion|ivity)|contact|link|communication|access)"
_READY = "kubectl get --raw /readyz"
_PODS = "kubectl -n kube-system get pods"

CONTROL_PLANE_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="control-plane.leader-election",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            r"(?:leader ?election lost|failed to renew lease|error retrieving resource lock|"
            r"lost (?:the )?(?:leader )?lease).{0,40}?(?: (?P<lease>[\w.-]{1,63}/[\w.-]{1,200}))?"
            r"(?:: (?P<why>.{1,400}))?$"
        ),
        summary="{subject} lost its leader election: the lease<< {lease}>> cannot be renewed",
        root_cause="{subject} ends because it cannot renew its leader lease<< {lease}>> at the API "
        "server, which does not answer in time or cannot be reached over the network<<: {why}>>.",
        explanation="Of several controller managers and schedulers one leads, by a Lease that it "
        "renews at the API server every few seconds; one that cannot stops, and is restarted.",
        advice="See whether the API server and etcd answer, and how the node reaches them",
        command=_READY,
        confidence=95,
    ),
    Statement(
        rule="control-plane.connectivity-lost",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            rf"(?P<why>(?:los(?:t|t its|es|ing|s of|ing its)|interrupted|broken|dropped|no|"
            rf"without) (?:the |all )?(?:{_LINK} (?:to|with) (?:the )?{_API}|{_API} "
            rf"{_LINK}).{{0,200}}|"
            rf"(?:{_LINK} (?:to|with) (?:the )?{_API}|{_API} {_LINK}) (?:has been |is |was )?"
            r"(?:lost|interrupted|broken|dropped|down|gone).{0,200})"
        ),
        summary="{subject} has lost its connection to the API server",
        root_cause="{subject} cannot work without the API server: {said}.",
        explanation="Every part of the control plane works through the API server alone.",
        advice="See whether the API server answers",
        command=_READY,
        confidence=92,
    ),
    Statement(
        rule="control-plane.api-service",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            r"(?:complete list of server APIs|failed to (?:discover|download OpenAPI|load openapi)|"
            r"error getting resource list|APIService)\b.{0,120}?(?P<api>[\w.-]{1,120}"
            r"/v\d\w{0,12}).{0,40}?"
            r"(?P<why>(?:the server is currently unable to handle the request|stale GroupVersion|"
            r"FailedDiscoveryCheck|ServiceNotFound|MissingEndpoints|no response from|"
            r"failing or missing response).{0,200})"
        ),
        summary="the aggregated API {api} is unavailable: {why}",
        root_cause="The API server hands the API {api} on to a Service that does not answer, so "
        "{subject} cannot be worked on: {why}.",
        explanation="Aggregated APIs, such as those of metrics, are served by Pods; while "
        "these are down, whoever lists all APIs fails too, and namespaces are not deleted.",
        advice="Bring the Service of the APIService {api} back, or delete that APIService",
        command="kubectl get apiservices",
        confidence=92,
    ),
    Statement(
        rule="control-plane.etcd",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            r"(?P<why>etcdserver: (?:request timed out|leader changed|no leader|mvcc: database "
            r"space exceeded|too many requests|not capable|unhealthy).{0,200}|"
            r"etcd[^.]{0,60}(?:NOSPACE|database space exceeded|\b(?:request|read|write|range|"
            r"apply|commit|fsync|sync|heartbeat|transaction|txn|response|disk|entry|entries)s? "
            r"(?:\w{1,20} ){0,3}?took too long|is unhealthy).{0,160}|"
            r"\bapply request took too long.{0,160})"
        ),
        summary="etcd fails the API server: {why}",
        root_cause="The API server's etcd does not do what {subject} needs: {why}.",
        explanation="etcd keeps all objects; it is slow on slow disks, and refuses writes when its "
        "space is used up.",
        advice="See the health, latency and size of etcd",
        command=_READY,
        confidence=88,
    ),
    Statement(
        rule="control-plane.api-server-refuses",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            r"(?P<why>(?:https://)?[\w.\[\]:-]{1,100}:6443[^\s]{0,200} ?.{0,120}?(?:connection "
            r"refused|i/o timeout|no route to host|EOF)|connection to the server \S{1,200} was "
            r"refused.{0,80})"
        ),
        summary="the Kubernetes API server is unreachable for {subject}: {why}",
        root_cause="The Kubernetes API server cannot be reached by {subject}: {why}.",
        explanation="Nothing in a cluster is created, moved or healed while the API server is "
        "down.",
        advice="Bring the API server back: its Pod's log, its etcd and its certificates say why",
        command=_PODS,
        confidence=92,
    ),
    Statement(
        rule="control-plane.aggregated-api",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            r"^(?:FailedDiscoveryCheck|MissingEndpoints|ServiceNotFound|ServiceAccessError): "
            r"(?P<why>.{1,300})"
        ),
        summary="an aggregated API is unavailable: {why}",
        root_cause="The program behind an APIService does not answer: {why}.",
        explanation="An APIService hands part of the API to another program; without it, its kinds "
        "cannot be read, and namespaces are not deleted.",
        advice="Bring the Service behind the APIService back",
        command="kubectl get apiservices",
        confidence=90,
    ),
    Statement(
        rule="control-plane.kind-unknown",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            r'no matches for kind "(?P<what>\w{1,63})" in (?:version|group) "(?P<version>'
            r'[\w./-]{1,100})"'
        ),
        summary="the kind {what} ({version}) is not known to the API server, and {subject} needs "
        "it",
        root_cause="{subject} uses the kind {what} of {version}, for which no "
        "CustomResourceDefinition is installed (or not in that version).",
        explanation="A custom resource can be used when its definition is there and served.",
        advice="Install the CustomResourceDefinition of {what}, or use a version that is served",
        command="kubectl get customresourcedefinitions",
        confidence=92,
    ),
    Statement(
        rule="control-plane.throttled",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            r"(?P<why>the server has received too many requests and has asked us to try again "
            r"later|client rate limiter Wait returned an error.{0,120}|client-side "
            r"throttling.{0,120})"
        ),
        summary="the API server throttles {subject}: {why}",
        root_cause="{subject} asks the API server more often than it may: {why}.",
        explanation="API priority and fairness lets each client have its share.",
        advice="Ask less often, or give the client a flow schema of its own",
        command=_READY,
        confidence=85,
    ),
    Statement(
        rule="control-plane.api-server-silent",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            r"\b(?:kube-?)?api ?-?server\b.{0,40}?(?:timed out|not (?:responding|reachable|ready)|"
            r"unreachable|unavailable|is down|overloaded)"
        ),
        summary="the API server does not answer {subject}: {said}",
        root_cause="The Kubernetes API server did not answer {subject}: {said}.",
        explanation="Nothing in a cluster is created, moved or healed while the API server does "
        "not answer.",
        advice="See whether the API server and etcd answer",
        command="kubectl get --raw /readyz",
        confidence=84,
    ),
    Statement(
        rule="control-plane.scheduler-profile",
        cause=Category.SCHEDULING,
        pattern=words(
            r"(?:profile not found for|no profile for|"
            r"unknown) scheduler(?: name)? ?\"?(?P<scheduler>[\w.-]{0,253})"
        ),
        summary="no scheduler serves the schedulerName {scheduler} of {subject}",
        root_cause="{subject} asks for the scheduler {scheduler}, and no scheduler has a profile "
        "of that name: {said}.",
        explanation="A Pod waits for the scheduler that its schedulerName names.",
        advice="Correct schedulerName, or run a scheduler with that profile",
        command="kubectl -n kube-system get pods",
        confidence=90,
    ),
)
