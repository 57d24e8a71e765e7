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
        rule="node.certificate-expired",
        of=_NODE,
        cause=Category.NODE,
        pattern=words(
            r"(?:kubelet|node status|NodeNotReady|KubeletNotReady|register node).{0,300}?"
            r"(?P<why>x509: certificate has expired or is not yet valid(?:: [^,;]{0,120})?)"
        ),
        summary="{node} is not ready: a certificate of its kubelet has expired",
        root_cause="The kubelet of {node} cannot report to the API server, because its client "
        "certificate has expired ({why}), so the node is NotReady.",
        explanation="A kubelet renews its certificate while it is valid; one that was off for too "
        "long, or whose clock is wrong, cannot any more.",
        advice="Renew the kubelet's certificate on {node}, and look at its clock",
        command=_DESCRIBE_NODE,
        confidence=97,
    ),
    Statement(
        rule="node.runtime-version",
        of=_NODE,
        cause=Category.NODE,
        pattern=words(
            r"(?P<why>(?:code = Unimplemented desc = )?unknown (?:service|method \w{1,60} for "
            r"service) runtime\.v1(?:alpha2)?\.\w{1,30}|CRI v1 (?:runtime|image) API is not "
            r"implemented.{0,120}|validate CRI v1 \w{1,10} API for endpoint.{0,160})"
        ),
        summary="the container runtime of {node} has a version that its kubelet does not support: "
        "{why}",
        root_cause="Kubelet and container runtime of {node} are incompatible: the runtime (such as "
        "containerd) does not implement the CRI version that the kubelet asks for ({why}), so no "
        "Pod starts there.",
        explanation="Since Kubernetes 1.26 the kubelet speaks CRI v1 only; containerd before 1.6, "
        "or one whose CRI plugin is off, does not know it.",
        advice="Bring the container runtime of {node} to a version that fits its kubelet",
        command=_DESCRIBE_NODE,
        confidence=97,
    ),
    Statement(
        rule="node.runtime-unreachable",
        of=_NODE,
        cause=Category.NODE,
        pattern=words(
            r"(?P<why>dial unix "
            r"\S{1,120}(?:containerd|crio|cri-dockerd|docker\w{0,6})[\w./-]{0,40}\.sock"
            r".{0,120}|(?:container runtime|containerd|cri-o|docker)(?: is)? (?:down|not running|"
            r"unavailable|not responding).{0,120})"
        ),
        summary="the container runtime of {node} is unavailable: {why}",
        root_cause="The kubelet of {node} cannot reach the container runtime (CRI), so it starts "
        "nothing, {subject} included: {why}.",
        explanation="The kubelet asks the runtime (containerd, CRI-O) through a socket of the node "
        "for every sandbox and container.",
        advice="Start the container runtime of {node} again, and read its log",
        command=_DESCRIBE_NODE,
        confidence=96,
    ),
    Statement(
        rule="node.kubelet-silent",
        of=_NODE,
        cause=Category.NODE,
        pattern=words(
            r"Kubelet (?:has )?stopped posting node status|Kubelet never posted|"
            r"\bkubelet (?:is |has )?(?:down|stopped|not (?:running|responding)|unreachable)"
        ),
        summary="{node} is not ready: its kubelet has stopped posting its status",
        root_cause="The kubelet of {node} has not been heard of: the machine is down, cut off "
        "from the API server, or its kubelet has stopped.",
        explanation="After some heartbeats are missed Kubernetes says Unknown of the node, and "
        "after five minutes moves its Pods.",
        advice="See whether the machine of {node} runs and reaches the API server",
        command=_DESCRIBE_NODE,
        confidence=93,
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
        rule="node.under-pressure",
        of=_NODE,
        cause=Category.NODE,
        pattern=words(
            r"KubeletHas(?:Insufficient|No)?(?P<pressure>Memory|Disk|PID)(?:Pressure|Space)?|"
            r"NodeHas(?:Insufficient)?(?P<short>Memory|Disk|PID)(?:Pressure)?"
        ),
        summary="{node} is under {pressure}{short} pressure<<: {said}>>",
        root_cause="{Node} runs short of {pressure}{short} ({pressure}{short}Pressure), so it "
        "takes no more Pods and evicts some<<: {said}>>.",
        explanation=EVICTED,
        advice="Free what is short on {node}, or move Pods away from it",
        command=_DESCRIBE_NODE,
        confidence=86,
    ),
    Statement(
        rule="node.out-of-memory",
        of=_NODE,
        cause=Category.NODE,
        pattern=words(
            r"System OOM encountered, victim process: (?P<process>[^,]{1,100}), pid: (?P<pid>\d+)"
        ),
        summary="{node} ran out of memory, and its kernel killed process {process}",
        root_cause="{Node} ran out of memory as a whole, and the kernel killed process {process} "
        "(pid {pid}).",
        explanation="Containers without memory limits may take all the memory of a node.",
        advice="Give the Pods of {node} memory limits and requests that fit it",
        command=_DESCRIBE_NODE,
        confidence=90,
    ),
    Statement(
        rule="node.network-unavailable",
        of=_NODE,
        cause=Category.NODE,
        pattern=words(r"^NetworkUnavailable|NodeNetworkUnavailable|NoRouteCreated"),
        summary="the network of {node} is unavailable (NetworkUnavailable)<<: {said}>>",
        root_cause="{Node} has no network for Pods, most often because no route to it was "
        "made<<: {said}>>.",
        explanation="Nothing is scheduled to a node without a network.",
        advice="See the cloud's routes, or the network plugin, for {node}",
        command=_DESCRIBE_NODE,
        confidence=95,
    ),
    Statement(
        rule="node.shutdown",
        of=_NODE,
        cause=Category.NODE,
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
        cause=Category.EVICTION,
        pattern=words(
            r"low on resource: (?P<resource>[\w./-]{1,63}?)\.? (?:Threshold quantity: "
            r"(?P<threshold>\S{1,40}?), available: (?P<left>\S{1,40}?)\. )?.{0,300}?Container "
            r"(?P<who>\S{1,63}) was "
            r"using (?P<used>\S{1,40}?), (?:request is|which exceeds (?:its|the) request of) "
            r"(?P<request>[^\s,.]{1,40})"
        ),
        summary="evicted: {node} was low on {resource}; container {who} used {used} with a "
        "request of {request}",
        root_cause="{Node} was low on {resource}<< ({left} left, threshold {threshold})>>, and the "
        "kubelet evicted {subject}, whose container {who} used {used}, which exceeds its request "
        "of {request}.",
        explanation=EVICTED,
        advice="Request the {resource} that container {who} uses, or free some on the node",
        command=_DESCRIBE_NODE,
        confidence=94,
    ),
    Statement(
        rule="eviction.low-resource",
        of=_EVICTION,
        cause=Category.EVICTION,
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
        cause=Category.EVICTION,
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
        cause=Category.EVICTION,
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
        cause=Category.EVICTION,
        pattern=words(r"node had condition: \[(?P<conditions>[\w, ]{1,200})\]"),
        summary="not admitted: {node} had the condition {conditions}",
        root_cause="{Node} had the condition {conditions} and evicts Pods such as {subject}.",
        explanation=EVICTED,
        advice="Relieve {node}",
        command=_DESCRIBE_NODE,
        confidence=92,
    ),
    Statement(
        rule="eviction.taint",
        of=_EVICTION,
        cause=Category.EVICTION,
        pattern=words(
            r"TaintManagerEviction: Marking for deletion (?:Pod )?(?P<pod>[\w./-]{1,253})"
        ),
        summary="{subject} is evicted: its node has a NoExecute taint that it does not tolerate",
        root_cause="A NoExecute taint was put on {node}, as Kubernetes does when a node is not "
        "ready or unreachable, and {subject} does not tolerate it, so it is deleted there.",
        explanation="Pods tolerate a node that is not ready for five minutes by default.",
        advice="See why {node} has the taint",
        command="kubectl describe nodes",
        confidence=85,
    ),
    Statement(
        rule="eviction.preempted",
        of=_EVICTION,
        cause=Category.EVICTION,
        pattern=words(
            r"^Preempt(?:ed|ing)\b|\bpreempt(?:ed|s|ing)\b.{0,80}?\b(?:by|to|for|in (?:order|"
            r"favou?r))\b|(?:evict|delet|kill|terminat|remov|displac|stopp|end)\w{1,3}\b.{0,80}?"
            r"\bpreempt|mak(?:e|es|ing) (?:room|space|way) for .{0,80}?(?:priority|critical|"
            r"important)"
        ),
        summary="preempted: {subject} made room for a Pod of higher priority",
        root_cause="{subject} was ended to make room for a Pod of higher priority<<: {said}>>",
        explanation="Where no node has room, a Pod of higher priority takes the place of others.",
        advice="Give the workload a priority that fits its worth, or the cluster more room",
        command="kubectl get priorityclasses",
        confidence=92,
    ),
    Statement(
        rule="eviction.pressure",
        cause=Category.EVICTION,
        pattern=words(r"evict\w{0,4}\b.{0,60}\b(?P<pressure>memory|disk|PID|process id) ?pressure"),
        summary="evicted: {node} was under {pressure} pressure",
        root_cause="The kubelet of {node} evicted {subject}, because the node was under "
        "{pressure} pressure (low on {pressure}): {said}.",
        explanation=EVICTED,
        advice="Free {pressure} on {node}, or request what the Pod uses",
        command="kubectl describe node {node_name}",
        confidence=90,
    ),
    Statement(
        rule="node.images-not-collected",
        cause=Category.NODE,
        pattern=words(
            r"failed to garbage collect (?:required amount of )?images|FreeDiskSpaceFailed|"
            r"ImageGCFailed"
        ),
        summary="{node} is short of disk: its images cannot be garbage collected",
        root_cause="{Node} runs short of disk, and the kubelet cannot free enough of it by "
        "deleting unused images: {said}.",
        explanation="The kubelet deletes images that nobody uses when the disk is nearly full; "
        "after that it evicts Pods.",
        advice="Free disk on {node}",
        command="kubectl describe node {node_name}",
        confidence=80,
    ),
)
