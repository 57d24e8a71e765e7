"""Networks between Pods: names that do not resolve, service meshes, policies, ports of the host."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category

__all__ = ["NETWORK_STATEMENTS"]

_COREDNS = "kubectl -n kube-system get pods -l k8s-app=kube-dns"
_HOST = r"[\w*.-]{1,253}"
_DNS_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?"
_CANNOT = r"(?:could ?n[o']t|can ?not|can't|unable to|fail(?:ed|s|ing) to)"
_NO_SERVICE = (
    r"(?:account|hostname|host|endpoint|token|name|ip|port|discovery|mesh|url|address|dns|the|any|"
    r"this|that|such|some|suitable|registry|config\w{0,10}|for|in|of|to|by|at|on|from|is|was|with)"
    r"s?\b(?![.-])"
)
"""Words beside "service" that are no name of one."""
_ENDS = (
    r"(?=[\"'`]?(?:$|\s*[.,:;)\]](?:\s|$)| (?:in|from|within|of) (?:the )?(?:cluster|namespace)\b))"
)
_REFUSED = (
    r"(?:den(?:ied|ying|ies)|reject(?:ed|s)|refused|blocked|forbidden|prohibited|"
    r"not (?:allowed|authorized|permitted))"
)
_POLICY = r"(?:AuthorizationPolicy|authorization policy|ServerAuthorization)"
_WIRE = (
    r"(?:network|nodes?|link|interface|eth\d{1,3}|ens\d{1,3}|nic|ping|icmp|overlay|vxlan|cni|"
    r"calico|cilium|flannel|route|kernel|conntrack|iptables|tcp|udp|rx|tx|between pods?)"
)
_LOST = (
    r"(?:packet loss|(?:losing|dropping|lost|dropped) packets?|packets? (?:are |were |being )?"
    r"(?:dropped|lost)(?! by (?!the (?:kernel|network|node|nic))))"
)

NETWORK_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="network.mesh-policy",
        cause=Category.NETWORK,
        pattern=words(
            rf"(?P<why>{_REFUSED} (?:by|due to|because of|per) (?:[\w']{{1,20}} ){{0,4}}{_POLICY}"
            r"[ \"':=]{1,3}(?P<policy>[a-z0-9][\w./-]{0,253}).{0,300})|"
            rf"(?P<how>{_POLICY}[ \"':=]{{1,3}}(?P<name_of_policy>[a-z0-9][\w./-]{{0,253}})[\"']? "
            r"(?:has |is )?(?:den(?:ied|ies|ying)|reject|block|forbid|refus|does not "
            r"allow).{0,300})|"
            r"(?P<log>rbac_access_denied_matched_policy\[(?P<matched>[^\s]{1,253}).{0,100})"
        ),
        summary="the mesh's AuthorizationPolicy {policy}{name_of_policy}{matched} denies requests "
        "of {subject}",
        root_cause="The AuthorizationPolicy {policy}{name_of_policy}{matched} of the service mesh "
        "(such as Istio) denies what {subject} asks for, so its proxy answers 403: "
        "{why}{how}{log}.",
        explanation="An AuthorizationPolicy with action DENY wins over all that allow; the proxy "
        "of the called workload answers 403, RBAC: access denied.",
        advice="Change that AuthorizationPolicy, or call from an identity that it allows",
        command="kubectl get authorizationpolicies -A",
        confidence=96,
    ),
    Statement(
        rule="network.mesh-denied",
        cause=Category.NETWORK,
        pattern=words(r"RBAC: access denied|rbac_access_denied|not authorized by server policy"),
        summary="an authorization policy of the service mesh denies {subject}: {said}",
        root_cause="An authorization policy of the service mesh blocks a request of {subject} "
        "or to it: {said}.",
        explanation="Proxies of a mesh answer 403 to what no policy allows or one denies.",
        advice="Let an AuthorizationPolicy allow this caller",
        command="kubectl get authorizationpolicies -A",
        confidence=93,
    ),
    Statement(
        rule="network.mesh-control-plane",
        cause=Category.NETWORK,
        pattern=words(
            r"(?P<why>(?:config not received from|config received from XDS server: [^,]{0,60}not|"
            r"failed to (?:connect to|fetch|get) [^:]{0,60}(?:istiod|pilot|xds|linkerd-"
            r"\w{1,20})|(?:xDS|StreamAggregatedResources)[^:]{0,60}"
            r"(?:error|closed|unavailable|connection)).{0,240})"
        ),
        summary="the control plane of the service mesh (istiod) is unavailable: {why}",
        root_cause="The mesh proxy of {subject} gets no configuration, because the control "
        "plane of the service mesh (istiod) cannot be reached: {why}.",
        explanation="A sidecar proxy is ready only after the mesh's control plane has sent it its "
        "configuration.",
        advice="Bring the control plane of the mesh back",
        command="kubectl -n istio-system get pods",
        confidence=94,
    ),
    Statement(
        rule="network.dns-timeout",
        cause=Category.NETWORK,
        pattern=words(
            rf"lookup (?P<host>{_HOST})(?: on (?P<server>[\d.a-f:\[\]]{{3,60}}))?: (?P<why>"
            r"(?:read udp|dial (?:udp|tcp)) .{0,120}?(?:i/o timeout|connection refused)|"
            r"i/o timeout|server misbehaving|Temporary failure in name resolution)|"
            rf"(?P<name>{_HOST})\. A{{1,4}}: (?P<how>read udp .{{0,100}}i/o timeout)"
        ),
        summary="the cluster DNS (CoreDNS) does not respond to {subject}: lookup of "
        "{host}{name} fails<< at {server}>>",
        root_cause="{subject} cannot resolve {host}{name}, because the cluster DNS (CoreDNS)"
        "<< at {server}>> is not reachable or not responding: {why}{how}.",
        explanation="CoreDNS answers all names in a cluster; where it is down, overloaded or cut "
        "off by the network, lookups time out.",
        advice="See whether CoreDNS runs and can be reached from the node of the Pod",
        command=_COREDNS,
        confidence=91,
    ),
    Statement(
        rule="network.dns-no-such-host",
        cause=Category.NETWORK,
        pattern=words(
            rf"lookup (?P<host>{_HOST})(?: on (?P<server>[\d.a-f:\[\]]{{3,60}}))?: no such host|"
            rf"DNS (?:lookup|resolution) (?:failed for|of|failed(?= [\w*-]{{1,63}}\.\w)) "
            rf"(?P<name>{_HOST})"
        ),
        summary="DNS resolution fails for {subject}: no such host {host}{name}",
        root_cause="{subject} looks up {host}{name}, and DNS<< at {server}>> answers that "
        "there is no such host: the name is wrong, or what it stands for does not exist.",
        explanation="A name of a Service is service.namespace.svc.cluster.local; other names are "
        "asked of the DNS outside.",
        advice="Correct the host name, or create what it should point to",
        command="kubectl get services -A",
        confidence=86,
    ),
    Statement(
        rule="network.api-unreachable",
        cause=Category.NETWORK,
        pattern=words(
            r"(?P<why>(?:failed to (?:reach|connect to|contact)[^:]{0,40}(?:Kubernetes API|api ?"
            r"server)[^:]{0,40}: .{0,200}|https://[\w.:\[\]-]{1,100}/apis?/[^\"\s]{0,200}"
            r"\"?: .{0,80}?(?:i/o timeout|connection refused|no route to host)).{0,60})"
        ),
        summary="{subject} cannot reach the Kubernetes API server: {why}",
        root_cause="{subject} cannot reach the Kubernetes API server over the cluster network: "
        "{why}.",
        explanation="Pods reach the API server through the Service kubernetes; kube-proxy or the "
        "network plugin carries that on every node.",
        advice="See whether other Pods of the node reach the API server, and what kube-proxy says",
        command="kubectl -n kube-system get pods -o wide",
        confidence=86,
    ),
    Statement(
        rule="network.policy-drops",
        cause=Category.NETWORK,
        pattern=words(
            r"(?P<why>(?:denied|dropped|blocked|rejected) by (?:network ?policy|policy|"
            r"NetworkPolicy)(?: (?P<policy>[\w./-]{1,253}))?.{0,160}|Policy denied.{0,120})"
        ),
        summary="a network policy<< {policy}>> blocks traffic of {subject}: {why}",
        root_cause="A NetworkPolicy<< {policy}>> does not allow traffic of {subject}: {why}.",
        explanation="As soon as a policy selects a Pod, only what some policy allows passes.",
        advice="Allow this traffic in a NetworkPolicy",
        command="kubectl -n {namespace} get networkpolicies",
        confidence=90,
    ),
    Statement(
        rule="network.host-port",
        cause=Category.NETWORK,
        pattern=words(
            r"(?P<why>cannot open hostport (?P<port>\d{1,5}).{0,160}|host ?port (?P<taken>\d{1,5})"
            r".{0,60}(?:already|in use|conflict).{0,80})"
        ),
        summary="host port {port}{taken} of {node} is already in use, and {subject} needs it",
        root_cause="{subject} asks for port {port}{taken} of its host, and it is already in use on "
        "{node}: {why}.",
        explanation="A port of a node belongs to one process; hostNetwork and hostPort share it.",
        advice="Use another port, or keep the two Pods on different nodes",
        command="kubectl describe node {node_name}",
        confidence=93,
    ),
    Statement(
        rule="service.endpoints-not-written",
        cause=Category.SERVICE,
        pattern=words(
            r"(?:FailedTo(?:Update|Create)Endpoint(?:Slice)?s?: )?.{0,40}?Error "
            r"(?:updating|creating) "
            r"(?:EndpointSlices?|Endpoints?)(?: Slices?)? for Service (?P<service>[\w./-]{1,253}): "
            r"(?P<why>.{1,240})"
        ),
        summary="the EndpointSlices of Service {service} could not be created or updated: {why}",
        root_cause="The controller failed to write the EndpointSlices of Service {service}, so "
        "traffic to it goes nowhere: {why}.",
        explanation="kube-proxy sends a Service's traffic where its EndpointSlices say; where they "
        "are missing, connections time out although Pods are ready.",
        advice="See whether the control plane and etcd answer; the controller tries again",
        command="kubectl get endpointslices -A",
        confidence=93,
    ),
    Statement(
        rule="service.not-found",
        cause=Category.SERVICE,
        pattern=words(
            rf"{_CANNOT} (?:resolve|find|discover|locate|look up|lookup) (?:the |a )?"
            rf"(?:kubernetes |upstream |backend )?(?:service[ /:]{{1,2}}[\"'`]?(?!{_NO_SERVICE})"
            rf"(?P<service>{_DNS_NAME})[\"'`]?{_ENDS}|"
            rf"[\"'`]?(?!{_NO_SERVICE})(?P<name>{_DNS_NAME})[\"'`]? service{_ENDS})|"
            rf"\bservices? [\"'`](?P<absent>{_DNS_NAME})[\"'`] (?:was |is |could )?"
            r"(?:not (?:be )?(?:found|resolved?)|does not exist|doesn't exist)|"
            rf"\bno service (?:named|called|with (?:the )?name) [\"'`]?(?P<unnamed>{_DNS_NAME})"
        ),
        summary="Service {service}{name}{absent}{unnamed} does not exist (not found), and "
        "{subject} needs it",
        root_cause="{subject} calls the Service {service}{name}{absent}{unnamed}, which was not "
        "found: {said}.",
        explanation="A Service's name resolves only while the Service exists, within its namespace "
        "by its name alone.",
        advice="Create the Service {service}{name}{absent}{unnamed}, or correct the name",
        command="kubectl get services -A",
        confidence=87,
    ),
    Statement(
        rule="service.load-balancer",
        cause=Category.SERVICE,
        pattern=words(
            r"^(?:SyncLoadBalancerFailed|FailedDeployModel|CreatingLoadBalancerFailed|"
            r"AllocationFailed|UnAvailableLoadBalancer): (?P<why>.{1,300})"
        ),
        summary="the load balancer of {subject} cannot be made: {why}",
        root_cause="{subject} asks the cloud for a load balancer, and that fails: {why}.",
        explanation="A Service of type LoadBalancer has no address from outside until the cloud "
        "has made one.",
        advice="Correct what the cloud names (quota, subnet, permission, annotation)",
        command="kubectl -n {namespace} describe service {name}",
        confidence=92,
    ),
    Statement(
        rule="network.kube-proxy",
        cause=Category.NETWORK,
        pattern=words(
            r"kube-?proxy\b.{0,80}?(?:fail|not running|not ready|is down|crash|unavailable|error)|"
            r"fail\w{0,3} to (?:sync|ensure|write|update) (?:the )?(?:iptables|ipvs|nftables)"
        ),
        summary="kube-proxy of {node} fails: {said}",
        root_cause="kube-proxy of {node} does not keep the rules that carry traffic to Services, "
        "so Services cannot be reached from there: {said}.",
        explanation="kube-proxy writes the rules that send a Service address to its Pods on every "
        "node.",
        advice="See whether kube-proxy runs on {node}, and what it says",
        command="kubectl -n kube-system get pods -o wide",
        confidence=88,
    ),
    Statement(
        rule="network.conntrack",
        cause=Category.NETWORK,
        pattern=words(r"conntrack:? .{0,40}?table (?:is )?full|conntrack .{0,60}(?:full|exhaust)"),
        summary="the connection table (conntrack) of {node} is full, so packets are dropped",
        root_cause="The kernel of {node} keeps one entry for each connection, and that table "
        "(nf_conntrack) is full, so new connections of {subject} are dropped: {said}.",
        explanation="Many short connections, or DNS lookups over UDP, fill the table.",
        advice="Raise net.netfilter.nf_conntrack_max on {node}, or open fewer connections",
        command="kubectl describe node {node_name}",
        confidence=93,
    ),
    Statement(
        rule="network.mtu",
        cause=Category.NETWORK,
        pattern=words(
            r"\bMTU\b.{0,60}(?:mismatch|smaller|larger|too (?:large|small|big)|exceed)|"
            r"(?:message too long|fragmentation needed|packet too big).{0,80}\bMTU\b|"
            r"fragmentation needed and DF set"
        ),
        summary="packets of {subject} are larger than the network's MTU: {said}",
        root_cause="The network on the way takes smaller packets (MTU) than {subject} sends, so "
        "large ones are lost: {said}.",
        explanation="An overlay or VPN takes some bytes of every packet; where the MTU of the "
        "Pods is not as much smaller, small requests work and large ones hang.",
        advice="Lower the MTU of the network plugin to that of the way",
        command="kubectl -n kube-system get configmaps",
        confidence=90,
    ),
    Statement(
        rule="network.packet-loss",
        cause=Category.NETWORK,
        pattern=words(
            rf"{_WIRE}\b.{{0,120}}?{_LOST}|{_LOST}.{{0,120}}?\b{_WIRE}|"
            r"\d{1,3}(?:\.\d{1,3})? ?% (?:packet )?loss|intermittent(?:ly)? "
            r"(?:network|connect|unreachable)\w{0,8}|network\b.{0,40}\bintermittent"
        ),
        summary="the network of {subject} loses packets: {said}",
        root_cause="The network of {subject} is intermittent, packets are lost: {said}.",
        explanation="Lost packets show as timeouts that come and go.",
        advice="Look at the links, the load and the conntrack limits of the node",
        command="kubectl get pods -o wide -A",
        confidence=84,
    ),
    Statement(
        rule="service.ingress-backend",
        cause=Category.SERVICE,
        pattern=words(
            r"ingress\b.{0,60}\b(?:backend|service)\b.{0,80}?(?:not found|does not exist|"
            r"no (?:active )?"
            r"endpoints?)|(?:service|endpoints?) .{0,80}(?:not found|"
            r"does not exist).{0,40}\bingress\b"
        ),
        summary="a backend Service of an Ingress is missing: {said}",
        root_cause="The Ingress sends to a backend Service that does not exist or has no "
        "endpoints: {said}.",
        explanation="An Ingress controller sends requests to the Services that the Ingress names.",
        advice="Let the Ingress name a Service that exists and has endpoints",
        command="kubectl get services -A",
        confidence=88,
    ),
    Statement(
        rule="service.ingress-class",
        cause=Category.SERVICE,
        pattern=words(
            r"ingress ?class(?:es)?(?:\.networking\.k8s\.io)? \"?(?P<class>[\w.-]{1,253})\"? "
            r".{0,20}?(?:not found|does not exist)"
        ),
        summary="IngressClass {class} does not exist (not found)",
        root_cause="The Ingress asks for the class {class}, and there is no IngressClass of that "
        "name: {said}.",
        explanation="No controller takes an Ingress of a class that does not exist.",
        advice="Create the IngressClass {class}, or name one that exists",
        command="kubectl get ingressclasses",
        confidence=92,
    ),
)
