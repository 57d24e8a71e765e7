"""Clusters that do not grow: what autoscalers of nodes and clouds say; and autoscalers of Pods."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category

__all__ = ["SCALING_STATEMENTS"]

_MACHINE = (
    r"(?:nodes?|machines?|node ?(?:claim|group|pool)s?|kubelet|vms?|vmss|ec2|gce|availability zone|"
    r"zone|instance type|cloud ?provider|(?:instances? i-|spot )\w{1,40})"
)
_NOT = r"(?:(?:have |has )?(?:failed|fails) to|did(?: not|n't)|never|could not|(?:has|have) not)"
_PODS = "kubectl -n {namespace} describe {kind} {name}"
WAITS = (
    "The Pod fits no node that is there; the cluster autoscaler would add one, and cannot. The Pod "
    "waits until room is made."
)

SCALING_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="autoscaling.cloud-quota",
        cause=Category.AUTOSCALING,
        pattern=words(
            r"(?:ScaleUp|failed to (?:increase|scale|add) [^:]{0,60}\b(?:nodes?|group|pool|"
            r"instances?|capacity|size)|FailedToCreate|node ?(?:group|pool|claim)|cloud ?provider|"
            r"\binstances?\b|googleapi|autoscal).{0,300}?(?P<why>QUOTA_EXCEEDED.{0,200}|"
            r"(?:quota|limit)s? (?:\w{1,20} )?exceeded.{0,160}|Quota '[^']{1,100}' "
            r"exceeded.{0,100}|"
            r"VcpuLimitExceeded.{0,120}|InstanceLimitExceeded.{0,120}|MaxSpotInstanceCountExceeded|"
            r"exceeding approved.{0,160}quota.{0,60}|ResourceExhausted.{0,120}quota.{0,40})"
        ),
        summary="{subject} waits: the cluster autoscaler cannot add a node, the cloud quota is "
        "exceeded: {why}",
        root_cause="No node has room for {subject}, and the cluster autoscaler cannot add one, "
        "because a quota of the cloud account is exceeded: {why}.",
        explanation=WAITS,
        advice="Have the cloud's quota raised, or let other node groups or regions be used",
        command=_PODS,
        confidence=96,
    ),
    Statement(
        rule="autoscaling.cloud-stockout",
        cause=Category.AUTOSCALING,
        pattern=words(
            r"(?P<why>InsufficientInstanceCapacity.{0,160}|ZONE_RESOURCE_POOL_EXHAUSTED.{0,120}|"
            r"SkuNotAvailable.{0,120}|(?:Zonal|Overconstrained)AllocationFailed.{0,120}|"
            r"^\w{0,30}ScaleUp\w{0,30}: .{0,300}?\b(?:AllocationFailed|out of resources).{0,120}|"
            r"insufficient capacity.{0,60}instance.{0,80}|"
            rf"\b{_MACHINE}\b.{{0,80}}?(?:AllocationFailed|out of (?:resources|capacity|stock)|"
            r"does not have enough resources available|insufficient (?:instance )?capacity)"
            r".{0,120})"
        ),
        summary="{subject} waits: the cloud has no machine to give: {why}",
        root_cause="No node has room for {subject}, and the cloud has none of the wanted machines "
        "left: {why}.",
        explanation=WAITS,
        advice="Allow other machine types or zones for the node group",
        command=_PODS,
        confidence=95,
    ),
    Statement(
        rule="node.never-registered",
        cause=Category.NODE,
        pattern=words(
            rf"(?:^(?:\w{{0,30}}ScaleUp\w{{0,30}}|FailedToRegister\w{{0,20}}|"
            rf"Registration\w{{0,20}}): "
            rf".{{0,300}}?|\b{_MACHINE}\b.{{0,160}}?){_NOT} (?:register|join)(?:ed)?\b.{{0,60}}?"
            r"(?:provision|cluster|control plane|api ?-?server|time|within|node|after)|"
            rf"{_NOT} (?:register|join) (?:the |this |new |a )?(?:node|machine|kubelet)\b.{{0,80}}?"
            r"(?:cluster|control plane|api ?-?server|time|within)"
        ),
        summary="a new node was made for {subject}, and did not join the cluster: {said}",
        root_cause="The cluster autoscaler had a node (instance) made for {subject}, which "
        "failed to register with the cluster in time: {said}.",
        explanation="A new machine joins when its kubelet starts and may register: its start-up "
        "script, its image, its role, or the way to the API server can be wrong.",
        advice="Look at the start-up log of the new machine, and at what it may reach",
        command="kubectl get nodes",
        confidence=96,
    ),
    Statement(
        rule="autoscaling.max-size",
        cause=Category.AUTOSCALING,
        pattern=words(
            r"max (?:node group |cluster |nodes? )?(?:size|limit|total) (?:is )?reached|"
            r"\bat (?:its )?max(?:imum)? size|exceeds? limits? for nodepool"
        ),
        summary="{subject} waits: the cluster autoscaler may add no node, its node group is at its "
        "maximum size",
        root_cause="No node has room for {subject}, and the cluster autoscaler adds none, because "
        "the node group has reached its maximum size: {said}.",
        explanation=WAITS,
        advice="Raise the maximum size of the node group, or request less",
        command=_PODS,
        confidence=95,
    ),
    Statement(
        rule="autoscaling.no-metrics",
        cause=Category.AUTOSCALING,
        pattern=words(
            r"(?P<why>(?:unable|failed) to (?:get|fetch|compute)[^:]{0,60}(?:metric|utilization|"
            r"desired replica)\w{0,6}.{0,200})"
        ),
        summary="{subject} is unable to scale: its metrics are unavailable: {why}",
        root_cause="{subject} cannot get the metrics that it scales by, so it keeps the number of "
        "replicas as it is: {why}.",
        explanation="metrics-server, or an adapter for other metrics, serves what an autoscaler "
        "compares with its target.",
        advice="See whether metrics-server (or the adapter) runs and knows the target's Pods",
        command="kubectl get apiservices",
        confidence=84,
    ),
    Statement(
        rule="autoscaling.target-missing",
        cause=Category.AUTOSCALING,
        pattern=words(
            r"(?:scale for|current scale: )[^\"]{0,120}?(?:\"(?P<target>[\w.-]{1,253})\" not found|"
            r"(?P<path>[\w/.-]{1,253}): the server could not find the requested resource)"
        ),
        summary="{subject} cannot scale: its scale target {target}{path} does not exist (not "
        "found)",
        root_cause="The scaleTargetRef of {subject} names {target}{path}, which was not found in "
        "namespace {namespace}: {said}.",
        explanation="An autoscaler changes the scale of what scaleTargetRef names.",
        advice="Correct scaleTargetRef of {subject}, or create {target}{path}",
        command="kubectl -n {namespace} get deployments,statefulsets,replicasets",
        confidence=95,
    ),
)
