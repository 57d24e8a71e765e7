"""Nodes and what they do to Pods: not ready, under pressure, evictions."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category

__all__ = ["NODE_STATEMENTS"]

_NODE = frozenset({Category.NODE})
_EVICTION = frozenset({Category.EVICTION})
_DESCRIBE_NODE = "kubectl describe node {node_name}"
EVICTED = (
    "The kubelet ends Pods when its node runs short, those first that use more than they request."
)

NODE_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="node.kubelet-silent",
        of=_NODE,
        pattern=words(r"Kubelet (?:has )?stopped posting node status|Kubelet never posted"),
        summary="{node} is not ready: its kubelet has stopped posting its status",
        root_cause="The kubelet of {node} has not been heard of: the machine is down, cut off "
        "from the API server, or its kubelet has stopped.",
        explanation="After some heartbeats are missed Kubernetes says Unknown of the node, and "
        "after five minutes moves its Pods.",
        advice="See whether the machine of {node} runs and reaches the API server",
        command=_DESCRIBE_NODE,
        confidence=90,
    ),
    Statement(
        rule="node.network-plugin",
        of=_NODE,
        pattern=words(
            r"(?:network plugin (?:is not ready|returns error)|cni (?:plugin|config)|"
            r"NetworkPluginNotReady)"
        ),
        summary="{node} is not ready: its network plugin is not<<: {said}>>",
        root_cause="The network plugin (CNI) of {node} is not ready<<: {said}>>",
        explanation="A node takes Pods only when its network plugin has been set up there, most "
        "often by a DaemonSet.",
        advice="See whether the network plugin's Pod runs on {node}",
        command="kubectl -n kube-system get pods -o wide",
        confidence=92,
    ),
    Statement(
        rule="node.runtime",
        of=_NODE,
        pattern=words(
            r"(?P<why>PLEG is not healthy[^;\]]{0,160}|container runtime (?:is down|status check|"
            r"not ready)[^;\]]{0,160}|runtime\.v1[^;\]]{0,160})"
        ),
        summary="{node} is not ready: {why}",
        root_cause="The container runtime of {node} does not work: {why}.",
        explanation="The kubelet starts nothing while its runtime does not answer.",
        advice="Look at the container runtime on {node}",
        command=_DESCRIBE_NODE,
        confidence=90,
    ),
    Statement(
        rule="node.pressure",
        of=_NODE,
        pattern=words(r"^(?P<pressure>Memory|Disk|PID)Pressure"),
        summary="{node} is under {pressure}Pressure<<: {said}>>",
        root_cause="{Node} runs short of what {pressure}Pressure names<<: {said}>>.",
        explanation=EVICTED,
        advice="Free what is short on {node}, or move Pods away from it",
        command=_DESCRIBE_NODE,
        confidence=92,
    ),
    Statement(
        rule="node.network-unavailable",
        of=_NODE,
        pattern=words(r"^NetworkUnavailable|NodeNetworkUnavailable|NoRouteCreated"),
        summary="the network of {node} is unavailable<<: {said}>>",
        root_cause="{Node} has no network for Pods, most often because no route to it was "
        "made<<: {said}>>.",
        explanation="Nothing is scheduled to a node without a network.",
        advice="See the cloud's routes, or the network plugin, for {node}",
        command=_DESCRIBE_NODE,
        confidence=86,
    ),
    Statement(
        rule="node.shutdown",
        of=_NODE,
        pattern=words(r"node shutdown|node is shutting down|^(?:Node)?Shutdown|NodeShutdown"),
        summary="{node} was shut down, and {subject} with it",
        root_cause="{subject} ended because {node} was shut down.",
        explanation="The kubelet ends its Pods in order when its machine is shut down.",
        advice="Nothing, where the Pod has a controller that makes another",
        command=_DESCRIBE_NODE,
        confidence=92,
    ),
    Statement(
        rule="eviction.low-resource-used",
        of=_EVICTION,
        pattern=words(
            r"low on resource: (?P<resource>[\w./-]{1,63}?)\.? .*?Container (?P<who>\S{1,63}) was "
            r"using (?P<used>\S{1,40}?), request is (?P<request>[^\s,.]{1,40})"
        ),
        summary="evicted: {node} was low on {resource}; container {who} used {used} with a "
        "request of {request}",
        root_cause="{Node} was low on {resource}, and evicted {subject}, whose container "
        "{who} used {used} and requests {request}.",
        explanation=EVICTED,
        advice="Request the {resource} that container {who} uses, or free some on the node",
        command=_DESCRIBE_NODE,
        confidence=94,
    ),
    Statement(
        rule="eviction.low-resource",
        of=_EVICTION,
        pattern=words(r"low on resource: (?P<resource>[\w./-]{1,63}?)\.?(?:\s|$)"),
        summary="evicted: {node} was low on {resource}",
        root_cause="{Node} was low on {resource}, and evicted {subject}<<: {said}>>",
        explanation=EVICTED,
        advice="Free {resource} on {node}, or request what the Pod uses",
        command=_DESCRIBE_NODE,
        confidence=92,
    ),
    Statement(
        rule="eviction.empty-dir",
        of=_EVICTION,
        pattern=words(
            r'Usage of EmptyDir volume "(?P<volume>[^"]{1,253})" exceeds the limit '
            r'"(?P<limit>[^"]{1,40})"'
        ),
        summary="evicted: emptyDir volume {volume} of {subject} exceeds its size limit of {limit}",
        root_cause="{subject} wrote more to its emptyDir volume {volume} than its sizeLimit of "
        "{limit} allows.",
        explanation="The kubelet measures emptyDir volumes and ends a Pod that exceeds the limit.",
        advice="Raise the sizeLimit of volume {volume}, or write less to it",
        confidence=95,
    ),
    Statement(
        rule="eviction.ephemeral-storage",
        of=_EVICTION,
        pattern=words(
            r"(?:ephemeral local storage usage exceeds the total limit of containers|"
            r'exceeded its local ephemeral storage limit) "?(?P<limit>[^\s".]{1,40})'
        ),
        summary="evicted: {subject} exceeds its limit of {limit} ephemeral storage",
        root_cause="{subject} wrote more to its local disk (logs, layers, emptyDir) than its limit "
        "of {limit} ephemeral-storage allows.",
        explanation="The kubelet measures what a Pod writes to the node's disk and ends one that "
        "exceeds its limit.",
        advice="Raise the limit of ephemeral-storage, or write less",
        confidence=95,
    ),
    Statement(
        rule="eviction.node-condition",
        of=_EVICTION,
        pattern=words(r"node had condition: \[(?P<conditions>[\w, ]{1,200})\]"),
        summary="not admitted: {node} had the condition {conditions}",
        root_cause="{Node} had the condition {conditions} and evicts Pods such as {subject}.",
        explanation=EVICTED,
        advice="Relieve {node}",
        command=_DESCRIBE_NODE,
        confidence=92,
    ),
    Statement(
        rule="eviction.preempted",
        of=_EVICTION,
        pattern=words(r"^Preempt(?:ed|ing)\b|preempting to accommodate"),
        summary="preempted: {subject} made room for a Pod of higher priority",
        root_cause="{subject} was ended to make room for a Pod of higher priority<<: {said}>>",
        explanation="Where no node has room, a Pod of higher priority takes the place of others.",
        advice="Give the workload a priority that fits its worth, or the cluster more room",
        command="kubectl get priorityclasses",
        confidence=92,
    ),
)
