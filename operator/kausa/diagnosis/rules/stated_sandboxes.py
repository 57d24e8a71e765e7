"""Sandboxes and networks of Pods that cannot be made, in the words of runtimes and plugins."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category

__all__ = ["SANDBOX_STATEMENTS"]

_SANDBOX = frozenset({Category.SANDBOX, Category.NETWORK})
_DESCRIBE_NODE = "kubectl describe node {node_name}"
NOT_STARTED = "A Pod's sandbox and network come before its containers; the kubelet tries again."

SANDBOX_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="network.no-address",
        cause=Category.NETWORK,
        pattern=words(
            r"(?P<why>InsufficientFreeAddressesInSubnet.{0,120}|no (?:available |free |more "
            r"|more free )?(?:IPs?|IP address(?:es)?|addresses) (?:available|left|free|in|to "
            r"allocate).{0,120}|"
            r"no (?:available|free|more|more free) (?:IPs?|(?:IP )?addresses)\b.{0,100}|"
            r"(?:IPAM|IP ?pool|address pool|IP range)[^:]{0,60}(?:exhausted|full|depleted).{0,100}|"
            r"failed to (?:assign an IP address to container|assign pod ENI/IP|allocate (?:for "
            r"range|ENI|an? (?:IP|address))).{0,160}|insufficient (?:free )?(?:IP|"
            r"addresses).{0,80}|"
            r"(?:ENI|PrivateIpAddress|network interface)\w{0,10} ?(?:limit|quota)[^:]{0,20}"
            r"(?:exceeded|reached).{0,80}|PrivateIpAddressLimitExceeded.{0,80})"
        ),
        summary="{node} has no IP address left for {subject}, its pool is exhausted: {why}",
        root_cause="The network plugin (CNI) has no free IP address left to give {subject} on "
        "{node}: {why}.",
        explanation=NOT_STARTED,
        advice="Free addresses, or give the node or the network a larger range",
        command=_DESCRIBE_NODE,
        confidence=94,
    ),
    Statement(
        rule="network.attachment-missing",
        cause=Category.NETWORK,
        pattern=words(
            r"network-attachment-definitions?\.k8s\.cni\.cncf\.io \"(?P<net>[^\"]{1,253})\" not "
            r"found|cannot find (?:a )?network-attachment-definition \(?(?P<other>[\w./-]{1,253})"
        ),
        summary="NetworkAttachmentDefinition {net}{other} does not exist (not found), and "
        "{subject} asks for it",
        root_cause="The annotation k8s.v1.cni.cncf.io/networks of {subject} names the network "
        "{net}{other}, and the NetworkAttachmentDefinition {net}{other} was not found, so Multus "
        "cannot give the Pod that network.",
        explanation="Multus adds networks to a Pod by what a NetworkAttachmentDefinition of the "
        "namespace (or of the one that is named before the slash) says.",
        advice="Create the NetworkAttachmentDefinition {net}{other}, or correct the annotation",
        command="kubectl get network-attachment-definitions -A",
        confidence=97,
    ),
    Statement(
        rule="network.plugin-binary",
        cause=Category.NETWORK,
        pattern=words(
            r"failed to find plugin \"(?P<plugin>[^\"]{1,63})\" in path (?P<path>\S{1,200})"
        ),
        summary="the CNI plugin {plugin} is missing on {node} in {path}",
        root_cause="The network configuration of {node} names the CNI plugin {plugin}, whose "
        "program is not in {path}, so {subject} gets no network.",
        explanation=NOT_STARTED,
        advice="Install the CNI plugin {plugin} on {node}; most often a DaemonSet does",
        command="kubectl -n kube-system get pods -o wide",
        confidence=96,
    ),
    Statement(
        rule="network.plugin-unauthorized",
        cause=Category.NETWORK,
        pattern=words(
            r"(?P<why>error getting ClusterInformation: .{0,120}(?:Unauthorized|forbidden).{0,80}|"
            r"plugin type=\"[^\"]{1,63}\".{0,200}?(?:Unauthorized|is forbidden|x509: ).{0,120})"
        ),
        summary="the network plugin of {node} may not ask the API server: {why}",
        root_cause="The network plugin (CNI) of {node} is refused by the API server, so it cannot "
        "give {subject} a network: {why}.",
        explanation="A CNI plugin keeps a token or certificate of its own on the node, which "
        "expires where its DaemonSet does not renew it.",
        advice="Restart the network plugin's Pod on {node}, and see its ServiceAccount and roles",
        command="kubectl -n kube-system get pods -o wide",
        confidence=94,
    ),
    Statement(
        rule="network.plugin-not-ready",
        cause=Category.NETWORK,
        pattern=words(
            r"(?P<why>cni (?:plugin not|config un)initialized|network plugin is not ready.{0,120}|"
            r"no (?:networks|valid networks) found in \S{1,100}|NetworkReady=false.{0,120}|"
            r"failed to (?:load|write|find) CNI config.{0,160}|cni config(?:uration)? (?:not found|"
            r"missing|load failed).{0,120}|/etc/cni/net\.d.{0,20}(?:no such file|is empty).{0,40}|"
            r"(?:Cilium API client timeout|unable to connect to Cilium daemon).{0,120}|"
            r"127\.0\.0\.1:50051.{0,40}connection refused|"
            r"open /run/flannel/subnet\.env: no such file or directory|"
            r"stat /var/lib/calico/nodename: no such file or directory)"
        ),
        summary="the network plugin (CNI) of {node} is not ready: {why}",
        root_cause="The network plugin (CNI) of {node} is not ready, so {subject} gets no "
        "network: {why}.",
        explanation=NOT_STARTED,
        advice="See whether the network plugin's Pod runs on {node}",
        command="kubectl -n kube-system get pods -o wide",
        confidence=92,
    ),
    Statement(
        rule="network.plugin-named",
        cause=Category.NETWORK,
        pattern=words(
            r'plugin type="(?P<plugin>[^"]{1,63})"(?: name="[^"]{0,63}")? failed '
            r"\((?P<step>\w{1,20})\): (?P<why>.+)"
        ),
        summary="the network plugin {plugin} of {node} fails for {subject}: {why}",
        root_cause="The network plugin {plugin} of {node} cannot give {subject} a network: {why}.",
        explanation=NOT_STARTED,
        advice="Look at the network plugin {plugin} on {node}",
        command="kubectl -n kube-system get pods -o wide",
        confidence=84,
    ),
    Statement(
        rule="network.plugin-fails",
        of=_SANDBOX,
        pattern=words(
            r"(?:set ?up (?:the )?network[^:]{0,200}|failed to (?:add|delegate add)[^:]{0,120}): "
            r"(?P<why>.+)"
        ),
        summary="the network plugin of {node} fails for {subject}: {why}",
        root_cause="The network plugin of {node} cannot give {subject} a network: {why}.",
        explanation=NOT_STARTED,
        advice="Look at the network plugin on {node}",
        command="kubectl -n kube-system get pods -o wide",
        confidence=80,
    ),
    Statement(
        rule="sandbox.image",
        of=_SANDBOX,
        pattern=words(r'(?:get|pull) (?:sandbox )?image "?(?P<image>[^\s":]{1,200}[^\s"]{0,60})'),
        summary="{node} cannot pull the sandbox image {image}, so {subject} does not start",
        root_cause="Every Pod needs the sandbox image {image}, and {node} cannot pull it"
        "<<: {said}>>",
        explanation=NOT_STARTED,
        advice="Let the node reach the registry of {image}, or load the image there",
        command=_DESCRIBE_NODE,
        confidence=93,
    ),
    Statement(
        rule="sandbox.runtime-handler",
        of=_SANDBOX,
        cause=Category.SANDBOX,
        pattern=words(r'no runtime for "(?P<handler>[^"]{1,63})" is configured'),
        summary="{node} has no runtime {handler}, which {subject} asks for",
        root_cause="The RuntimeClass of {subject} asks for the runtime {handler}, and the "
        "container runtime of {node} has none of that name.",
        explanation=NOT_STARTED,
        advice="Configure the runtime {handler} on the node, or use another RuntimeClass",
        command="kubectl get runtimeclasses",
        confidence=95,
    ),
    Statement(
        rule="sandbox.too-slow",
        of=_SANDBOX,
        cause=Category.SANDBOX,
        pattern=words(
            r"PodSandBox: .{0,200}?(?:DeadlineExceeded|context deadline exceeded)|"
            r"failed to reserve sandbox name"
        ),
        summary="the container runtime of {node} is too slow to make the sandbox of {subject}",
        root_cause="The container runtime of {node} did not make the sandbox of {subject} in "
        "time<<: {said}>>",
        explanation="A disk or a machine under load makes the runtime slow; the kubelet then asks "
        "again while the first attempt still goes on.",
        advice="Look at load and disk of {node}",
        command=_DESCRIBE_NODE,
        confidence=72,
    ),
)
