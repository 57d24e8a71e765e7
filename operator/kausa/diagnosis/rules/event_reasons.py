"""Which part of Kubernetes a warning speaks of, by the reason that its Event gives.

Components choose their reasons freely. Listed are the reasons of Kubernetes' own controllers, of
the scheduler, the kubelet, the node problem detector, the autoscalers and the controllers of cloud
providers, by their stems, so that one of the same family is placed as well (`FailedGet...Metric`,
`...VolumeFailed`, `...PodSandbox`). What a warning's words say counts more (`stated.py`).
"""

from __future__ import annotations

import re

from kausa.resources.category import Category

__all__ = ["category_of_warning", "category_of_words", "is_of_kubernetes", "is_only_an_echo"]

# The first that matches decides.
_REASONS: tuple[tuple[re.Pattern[str], Category], ...] = tuple(
    (re.compile(pattern, re.I), category)
    for pattern, category in (
        (r"^FailedScheduling$|^SchedulingGated$|^FailedNominat", Category.SCHEDULING),
        (r"^(?:NotTrigger|No|FailedTo|Failed)?Scale(?:d)?Up|^ScaleDown", Category.AUTOSCALING),
        (r"^ProvisioningFailed|^FailedBinding|^ProvisioningCleanup|Snapshot", Category.STORAGE),
        (r"^Failed(?:Mount|AttachVolume|MapVolume|UnMount|DetachVolume)|Volume\w*(?:Failed|Error)|"
         r"^(?:FileSystem)?Resiz|^ClaimLost|^ClaimMisbound|^WaitForFirst|^ExternalExpanding",
         Category.VOLUME),
        (r"^NetworkNotReady|^CNI|^FailedToUpdateEndpoint|^FailedToCreateEndpoint|^DNS|"
         r"^NetworkPlugin",
         Category.NETWORK),
        (r"PodSandbox$", Category.SANDBOX),
        (r"^Evicted|^Eviction(?!$)|^TaintManagerEviction|^Preempt", Category.EVICTION),
        (r"^Eviction$|PodDisruptionBudget|^NoControllers|^CalculateExpected", Category.OTHER),
        (r"^Node|^FailedToRegister|^FailedNodeAllocatable|^Kubelet|^Spot|^ContainerRuntime|"
         r"^ContainerGC|^ImageGC|^FreeDisk|^SystemOOM|^Rebooted|^InvalidDiskCapacity|^CIDR",
         Category.NODE),
        (r"^(?:ErrImage|ImagePull|InspectFailed|Failed(?:To)?(?:Pull|Retrieve)|InvalidImage)",
         Category.IMAGE_PULL),
        (r"^InvalidEnvironmentVariable|^CreateContainer(?:Config)?Error", Category.CONFIG),
        (r"^Unauthorized|^Forbidden", Category.PERMISSION),
        (r"^FailedCreate$|^FailedUpdate$|^FailedDelete$|^Admission|^PolicyViolation|"
         r"(?:Admission|Policy|Request|Creation)\w*Denied$",
         Category.ADMISSION),
        (r"^Failed(?:GetScale|GetResource|ComputeMetrics|Rescale|UpdateStatus|Get\w*Metric)|"
         r"^InvalidSelector|^SelectorRequired|^AmbiguousSelector|^InvalidMetric",
         Category.AUTOSCALING),
        (r"^BackoffLimit|^DeadlineExceeded|^FailedNeedsStart|^MissSchedule|^TooManyMissed|"
         r"^InvalidSchedule|^UnknownTimeZone|^FailedJob|^JobAlreadyActive|^Unparse", Category.JOB),
        (r"^FailedDaemonPod|^SelectingAll|^DeploymentRollback|^ReplicaSetCreateError|"
         r"^ProgressDeadline|^(?:Rolling)?(?:Rollout|Update|Rollback)\w{0,20}"
         r"(?:Abort|Block|Fail|Stall|Paus|Degrad|Stuck)", Category.ROLLOUT),
        (r"^LeaderElection", Category.CONTROL_PLANE),
        (r"^SyncLoadBalancer|^Unhealthy(?:Backend|Target)|^FailedDeployModel|^AllocationFailed|"
         r"^PortAlreadyAllocated|^ClusterIP", Category.SERVICE),
        (r"^Unhealthy$|^ProbeWarning|^ProbeError", Category.PROBE),
        (r"^BackOff$|^CrashLoop", Category.CRASH_LOOP),
    )
)  # fmt: skip
# What a message speaks of, where its reason is nobody's that is known here.
_WORDS: tuple[tuple[re.Pattern[str], Category], ...] = tuple(
    (re.compile(pattern, re.I), category)
    for pattern, category in (
        (r"\b(?:quota|limit ?range)\b", Category.QUOTA),
        (r"\b(?:admission|webhook|polic(?:y|ies)|PodSecurity)\b", Category.ADMISSION),
        (r"\b(?:forbidden|unauthorized|rbac|permission)\b", Category.PERMISSION),
        (r"\b(?:hpa|autoscal\w{0,6}|metrics)\b", Category.AUTOSCALING),
        (
            r"\b(?:persistent ?volume\w{0,6}|pvc?|volumes?|csi|snapshot|"
            r"mount\w{0,3})\b",
            Category.VOLUME,
        ),
        (r"\b(?:configmap|secret|environment variable)\b", Category.CONFIG),
        (
            r"\b(?:dns|cni|kube-?proxy|iptables|ipvs|nftables|conntrack|mtu|network|packets?|"
            r"no route to host)\b",
            Category.NETWORK,
        ),
        (r"\b(?:ingress\w{0,7}|endpoints?|endpointslices?|load ?balancer)\b", Category.SERVICE),
        (
            r"\b(?:etcd\w{0,6}|api ?-?server|leader|lease|"
            r"control[- ]plane)\b",
            Category.CONTROL_PLANE,
        ),
        (r"\b(?:scheduler|scheduling|preempt\w{0,4})\b", Category.SCHEDULING),
        (r"\b(?:kubelet|container runtime|containerd|cri-o|node)\b", Category.NODE),
        (r"\b(?:image|registry|manifest)\b", Category.IMAGE_PULL),
        (r"\b(?:cron ?job|job)\b", Category.JOB),
        (r"\b(?:rollout|replica ?set|revision|rolling)\b", Category.ROLLOUT),
        (r"\b(?:readiness|liveness|startup) probe\b", Category.PROBE),
    )
)
_OF_THE_KUBELET = re.compile(
    r"^Failed(?:Sync|KillPod|PostStartHook|PreStopHook|PrepareDynamicResources|CreatePodContainer|"
    r"ToRetrieveImagePullSecret|Validation|ToDrain\w*)?$|^(?:OOMKilling|HostPortConflict|"
    r"NetworkFailed|ExceededGracePeriod|DNSConfigForming|ErrorReconciliationRetryTimeout)$|"
    r"^(?:Conntrack|Ntp|Kernel|Readonly|Corrupt|Frequent|Task|Hardware|Docker|Containerd)\w*$"
)
_ECHO = re.compile(r"^(?:BackOff|CrashLoopBackOff|Killing|Failed|Unhealthy|Error)$")


def category_of_warning(reason: str) -> Category | None:
    """The part of Kubernetes that a warning is about; None for a reason that is not known here."""
    return next((of for pattern, of in _REASONS if pattern.search(reason) is not None), None)


def is_of_kubernetes(reason: str) -> bool:
    """Whether a component of Kubernetes gives this reason, as far as is known here.

    An Event of any other reason may come from whatever runs in the cluster, so its words need not
    mean what they mean when Kubernetes says them.
    """
    return category_of_warning(reason) is not None or _OF_THE_KUBELET.match(reason) is not None


def category_of_words(message: str) -> Category | None:
    """What a message speaks of; None where nothing in it is known here."""
    return next((of for pattern, of in _WORDS if pattern.search(message) is not None), None)


def is_only_an_echo(reason: str) -> bool:
    """Whether such a warning says that something failed and hardly ever why."""
    return _ECHO.match(reason) is not None
