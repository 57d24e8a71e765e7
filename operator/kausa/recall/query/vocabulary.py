"""The words in which people speak of failures, and what of the closed list they mean.

`REASONS` are Kubernetes' own words with the category that goes with them, where one does. `PHRASES`
are what people say instead; several words stand in the order in which they are spoken.
"""

from __future__ import annotations

from kausa.resources.category import Category

__all__ = ["ALIASES", "PHRASES", "REASONS"]

REASONS: dict[str, Category | None] = {
    **dict.fromkeys(
        (
            *("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"),
            *("ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"),
        ),
        Category.IMAGE_PULL,
    ),
    **dict.fromkeys(
        ("CrashLoopBackOff", "Error", "StartError", "PostStartHookError"), Category.CRASH_LOOP
    ),
    "OOMKilled": Category.OOM_KILLED,
    "OOMKilling": Category.OOM_KILLED,
    **dict.fromkeys(("Unhealthy", "ProbeWarning"), Category.PROBE),
    **dict.fromkeys(("FailedScheduling", "Unschedulable", "SchedulingGated"), Category.SCHEDULING),
    **dict.fromkeys(("CreateContainerConfigError", "CreateContainerError"), Category.CONFIG),
    "RunContainerError": None,
    **dict.fromkeys(
        (
            *("FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedUnMount"),
            *("FailedDetachVolume", "FailedBinding", "WaitForFirstConsumer"),
        ),
        Category.VOLUME,
    ),
    **dict.fromkeys(
        ("ProvisioningFailed", "VolumeFailedDelete", "VolumeResizeFailed"), Category.STORAGE
    ),
    "FailedCreate": None,
    **dict.fromkeys(("Evicted", "Preempting", "Preempted"), Category.EVICTION),
    **dict.fromkeys(
        (
            *("NodeNotReady", "NodeLost", "NodeShutdown", "NodeStatusUnknown", "DiskPressure"),
            *("MemoryPressure", "PIDPressure", "KubeletNotReady"),
        ),
        Category.NODE,
    ),
    **dict.fromkeys(
        ("FailedCreatePodSandBox", "SandboxChanged", "FailedKillPod"), Category.SANDBOX
    ),
    **dict.fromkeys(("NetworkNotReady", "NetworkUnavailable"), Category.NETWORK),
    **dict.fromkeys(("BackoffLimitExceeded", "DeadlineExceeded", "FailedNeedsStart"), Category.JOB),
    **dict.fromkeys(("ProgressDeadlineExceeded", "ReplicaFailure"), Category.ROLLOUT),
    **dict.fromkeys(
        (
            *("FailedGetResourceMetric", "FailedComputeMetricsReplicas", "FailedGetScale"),
            *("FailedGetExternalMetric", "FailedGetPodsMetric", "FailedGetObjectMetric"),
        ),
        Category.AUTOSCALING,
    ),
    "SyncLoadBalancerFailed": Category.SERVICE,
}

PHRASES: dict[str, Category] = {
    **dict.fromkeys(
        (
            *(
                "out of memory",
                "oom",
                "oom killed",
                "oom kill",
                "memory limit",
                "killed for memory",
            ),
            *("heap space", "memory leak", "runs out of memory"),
        ),
        Category.OOM_KILLED,
    ),
    **dict.fromkeys(
        (
            *("image pull", "pull image", "pull the image", "pulling image", "pull an image"),
            *("registry", "manifest unknown", "image tag", "pull secret", "imagepullsecrets"),
            *("toomanyrequests", "docker hub", "pulling the image", "pull images"),
        ),
        Category.IMAGE_PULL,
    ),
    **dict.fromkeys(
        (
            *("crashing", "crashes", "crash loop", "crashlooping", "keeps restarting"),
            *("crash looping", "restarts constantly", "exits immediately", "segfault", "panic"),
            *("stack trace", "exception", "keeps crashing", "segmentation fault", "crashed"),
        ),
        Category.CRASH_LOOP,
    ),
    **dict.fromkeys(
        (
            *("liveness", "readiness", "startup probe", "liveness probe", "readiness probe"),
            *("health check", "healthcheck", "probe failed", "probe fails", "probe"),
            *("health endpoint", "health checks"),
        ),
        Category.PROBE,
    ),
    **dict.fromkeys(
        (
            *("pending", "insufficient cpu", "insufficient memory", "taint", "toleration"),
            *("node affinity", "anti affinity", "unschedulable", "node selector", "nodeselector"),
            *("topology spread", "cannot be scheduled", "not scheduled", "tolerations", "taints"),
        ),
        Category.SCHEDULING,
    ),
    **dict.fromkeys(
        (
            *("configmap", "config map", "environment variable", "env var", "secret not found"),
            *("missing key", "missing secret", "runasnonroot", "read only file system"),
        ),
        Category.CONFIG,
    ),
    **dict.fromkeys(
        (
            *(
                "volume",
                "mount",
                "pvc",
                "persistentvolumeclaim",
                "multi attach",
                "persistent volume",
            ),
            *("storage class", "storageclass", "volumes", "mounts", "mounting"),
        ),
        Category.VOLUME,
    ),
    **dict.fromkeys(
        ("no space left", "disk full", "disk is full", "provisioner", "csi driver", "resize"),
        Category.STORAGE,
    ),
    **dict.fromkeys(
        ("quota", "resourcequota", "exceeded quota", "limitrange", "limit range"), Category.QUOTA
    ),
    **dict.fromkeys(
        (
            *("webhook", "admission", "pod security", "podsecurity", "denied the request"),
            *("violates", "policy", "kyverno", "gatekeeper"),
        ),
        Category.ADMISSION,
    ),
    **dict.fromkeys(
        ("evicted", "eviction", "preempted", "preemption", "ephemeral storage"), Category.EVICTION
    ),
    **dict.fromkeys(
        (
            *(
                "node not ready",
                "notready",
                "kubelet",
                "node is down",
                "node lost",
                "disk pressure",
            ),
            *("node unreachable", "pid pressure", "memory pressure"),
        ),
        Category.NODE,
    ),
    **dict.fromkeys(
        ("sandbox", "cni", "runtimeclass", "containerd", "container runtime", "pod sandbox"),
        Category.SANDBOX,
    ),
    **dict.fromkeys(
        (
            *("dns", "networkpolicy", "network policy", "no such host", "coredns", "conntrack"),
            *("certificate", "tls handshake", "x509", "name resolution", "resolve host"),
        ),
        Category.NETWORK,
    ),
    **dict.fromkeys(
        (
            *(
                "rbac",
                "forbidden",
                "service account",
                "serviceaccount",
                "clusterrole",
                "rolebinding",
            ),
            *("permission denied", "not allowed to"),
        ),
        Category.PERMISSION,
    ),
    **dict.fromkeys(
        (
            *("connection refused", "database", "upstream", "password authentication", "redis"),
            *("postgres", "kafka", "dependency"),
        ),
        Category.DEPENDENCY,
    ),
    **dict.fromkeys(
        ("cronjob", "job", "backofflimit", "backoff limit", "activedeadlineseconds", "cron job"),
        Category.JOB,
    ),
    **dict.fromkeys(
        ("rollout", "progress deadline", "new replicaset", "rolling update", "rollback"),
        Category.ROLLOUT,
    ),
    **dict.fromkeys(
        (
            "hpa",
            "autoscaler",
            "autoscaling",
            "metrics server",
            "scale up",
            "horizontalpodautoscaler",
        ),
        Category.AUTOSCALING,
    ),
    **dict.fromkeys(
        (
            *("no endpoints", "endpoints", "service selector", "targetport", "load balancer"),
            *("loadbalancer", "ingress", "target port", "502", "503"),
        ),
        Category.SERVICE,
    ),
    **dict.fromkeys(
        ("api server", "apiserver", "etcd", "finalizer", "finalizers", "controller manager"),
        Category.CONTROL_PLANE,
    ),
}

ALIASES: dict[str, str] = {
    "cm": "configmap",
    "crd": "customresourcedefinition",
    "deploy": "deployment",
    "ds": "daemonset",
    "env": "environment",
    "hpa": "horizontalpodautoscaler",
    "ing": "ingress",
    "k8s": "kubernetes",
    "netpol": "networkpolicy",
    "ns": "namespace",
    "oom": "OOMKilled memory",
    "pdb": "poddisruptionbudget",
    "po": "pod",
    "psa": "pod security admission",
    "pv": "persistentvolume",
    "pvc": "persistentvolumeclaim",
    "rs": "replicaset",
    "sa": "serviceaccount",
    "sc": "storageclass",
    "sts": "statefulset",
    "svc": "service",
}
"""What kubectl and people shorten, as texts write it."""
