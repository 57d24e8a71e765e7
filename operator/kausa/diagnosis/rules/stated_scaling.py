"""Clusters that do not grow: what autoscalers of nodes and clouds say; and autoscalers of Pods."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category

__all__ = ["SCALING_STATEMENTS"]

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
            r"(?:ScaleUp|failed to (?:increase|scale|add)|FailedToCreate|node ?group|cloud "
            r"?provider|"
            r"instance|googleapi|autoscal).{0,300}?(?P<why>QUOTA_EXCEEDED.{0,200}|"
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
            r"SkuNotAvailable.{0,120}|(?:Zonal)?AllocationFailed.{0,120}|insufficient "
            r"capacity.{0,60}"
            r"instance.{0,80}|out of resources.{0,120})"
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
            r"(?:failed to|did not|never) "
            r"(?:register|join)(?:ed)?\b.{0,60}(?:provision|cluster|time|"
            r"within|node)"
        ),
        summary="a new node was made for {subject}, and did not join the cluster: {said}",
        root_cause="The cluster autoscaler had a node (instance) made for {subject}, which "
        "failed to "
        "register with the cluster in time: {said}.",
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
