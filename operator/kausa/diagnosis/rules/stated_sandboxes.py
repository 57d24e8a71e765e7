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
        of=_SANDBOX,
        pattern=words(
            r"(?P<why>no IP addresses available in range set: \S{1,100}|failed to assign an IP "
            r"address to container|no (?:available|free|more) IPs?\b.{0,80}|"
            r"insufficient (?:free )?IP.{0,80}|IP pool.{0,40}exhausted)"
        ),
        summary="{node} has no IP address left for {subject}: {why}",
        root_cause="The network plugin has no IP address left for {subject} on {node}: {why}.",
        explanation=NOT_STARTED,
        advice="Free addresses, or give the node or the network a larger range",
        command=_DESCRIBE_NODE,
        confidence=94,
    ),
    Statement(
        rule="network.plugin-not-ready",
        of=_SANDBOX,
        pattern=words(
            r"(?P<why>cni (?:plugin not|config un)initialized|network plugin is not ready.{0,120}|"
            r"no networks found in \S{1,100}|NetworkReady=false.{0,120}|"
            r"open /run/flannel/subnet\.env: no such file or directory|"
            r"stat /var/lib/calico/nodename: no such file or directory)"
        ),
        summary="the network plugin of {node} is not ready: {why}",
        root_cause="The network plugin (CNI) of {node} is not ready, so {subject} gets no "
        "network: {why}.",
        explanation=NOT_STARTED,
        advice="See whether the network plugin's Pod runs on {node}",
        command="kubectl -n kube-system get pods -o wide",
        confidence=92,
    ),
    Statement(
        rule="network.plugin-named",
        of=_SANDBOX,
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
        pattern=words(r"DeadlineExceeded|context deadline exceeded|failed to reserve sandbox name"),
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
