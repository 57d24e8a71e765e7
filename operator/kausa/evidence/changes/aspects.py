"""Which part of a workload a change touches, and how likely that part is behind a kind of failure.

The tables order what changed, so that the likeliest comes first, and tell the diagnosis which
changes are worth a sentence. They are experience, not proof: a change is never the cause by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from kausa.resources.category import Category

__all__ = ["Aspect", "aspect_of", "bears_on", "container_of"]


class Aspect(StrEnum):
    """A part of a workload, or of what stands around it."""

    REVISION = "revision"
    IMAGE = "image"
    COMMAND = "command"
    ENVIRONMENT = "environment"
    CONFIG = "config"
    LIMIT = "limit"
    REQUEST = "request"
    PROBE = "probe"
    VOLUME = "volume"
    CLAIM = "claim"
    ACCOUNT = "account"
    PULL_SECRET = "pull secret"  # noqa: S105  # a word, no secret
    SECURITY = "security"
    PLACEMENT = "placement"
    PORT = "port"
    CONTAINER = "container"
    REPLICAS = "replicas"
    QUOTA = "quota"
    NODE = "node"
    AUTOSCALER = "autoscaler"
    SPEC = "spec"
    LABEL = "label"
    RESTART = "restart"


_BY_OBJECT: Mapping[str, Aspect] = {
    "ConfigMap": Aspect.CONFIG,
    "PersistentVolumeClaim": Aspect.CLAIM,
    "ResourceQuota": Aspect.QUOTA,
    "LimitRange": Aspect.QUOTA,
    "Node": Aspect.NODE,
    "HorizontalPodAutoscaler": Aspect.AUTOSCALER,
}
_BY_FIELD: tuple[tuple[re.Pattern[str], Aspect], ...] = tuple(
    (re.compile(pattern), aspect)
    for pattern, aspect in (
        (r"^revision$", Aspect.REVISION),
        (r"^spec\.replicas$", Aspect.REPLICAS),
        (r"restartedAt\]$", Aspect.RESTART),
        (r"metadata\.annotations\[[^\]]*checksum[^\]]*\]$", Aspect.CONFIG),
        (r"metadata\.(labels|annotations)\[", Aspect.LABEL),
        (r"ontainers\[[^\]]*\]$", Aspect.CONTAINER),
        (r"ontainers\[[^\]]*\]\.(image|imagePullPolicy)$", Aspect.IMAGE),
        (r"ontainers\[[^\]]*\]\.(command|args|workingDir|lifecycle)\b", Aspect.COMMAND),
        (r"ontainers\[[^\]]*\]\.env(From)?\[", Aspect.ENVIRONMENT),
        (r"ontainers\[[^\]]*\]\.resources\.limits\b", Aspect.LIMIT),
        (r"ontainers\[[^\]]*\]\.resources\.(requests|claims)\b", Aspect.REQUEST),
        (r"ontainers\[[^\]]*\]\.(liveness|readiness|startup)Probe\b", Aspect.PROBE),
        (r"ontainers\[[^\]]*\]\.ports\b", Aspect.PORT),
        (r"\.volume(s|Mounts|Devices)\[", Aspect.VOLUME),
        (r"volumeClaimTemplates", Aspect.CLAIM),
        (r"\.(serviceAccountName|automountServiceAccountToken)$", Aspect.ACCOUNT),
        (r"\.imagePullSecrets\b", Aspect.PULL_SECRET),
        (
            r"[sS]ecurityContext\b|\.host(Network|PID|IPC|Users)$|\.runtimeClassName$",
            Aspect.SECURITY,
        ),
        (
            r"\.(nodeSelector|affinity|tolerations|topologySpreadConstraints|schedulerName|"
            r"priorityClassName|nodeName|schedulingGates)\b",
            Aspect.PLACEMENT,
        ),
    )
)
_CONTAINER = re.compile(r"ontainers\[([^\]]*)\]")

_PROGRAM = (Aspect.IMAGE, Aspect.COMMAND, Aspect.ENVIRONMENT, Aspect.CONFIG)
_BEARS: Mapping[Category, tuple[Aspect, ...]] = {
    Category.IMAGE_PULL: (Aspect.IMAGE, Aspect.PULL_SECRET, Aspect.ACCOUNT),
    Category.CRASH_LOOP: (
        Aspect.COMMAND,
        *_PROGRAM,
        Aspect.VOLUME,
        Aspect.SECURITY,
        Aspect.PROBE,
        Aspect.ACCOUNT,
        Aspect.LIMIT,
    ),
    Category.OOM_KILLED: (Aspect.LIMIT, Aspect.QUOTA, *_PROGRAM),
    Category.PROBE: (Aspect.PROBE, Aspect.PORT, *_PROGRAM, Aspect.LIMIT),
    Category.SCHEDULING: (Aspect.PLACEMENT, Aspect.REQUEST, Aspect.REPLICAS, Aspect.VOLUME,
                          Aspect.CLAIM, Aspect.NODE, Aspect.PORT),
    Category.CONFIG: (Aspect.ENVIRONMENT, Aspect.CONFIG, Aspect.VOLUME, Aspect.COMMAND,
                      Aspect.IMAGE, Aspect.SECURITY),
    Category.VOLUME: (Aspect.VOLUME, Aspect.CLAIM, Aspect.CONFIG, Aspect.NODE),
    Category.STORAGE: (Aspect.CLAIM, Aspect.VOLUME),
    Category.QUOTA: (Aspect.QUOTA, Aspect.REPLICAS, Aspect.REQUEST, Aspect.LIMIT,
                     Aspect.AUTOSCALER),
    Category.ADMISSION: (Aspect.SECURITY, Aspect.QUOTA, Aspect.LIMIT, Aspect.REQUEST,
                         Aspect.ACCOUNT, Aspect.IMAGE, Aspect.LABEL),
    Category.EVICTION: (Aspect.LIMIT, Aspect.REQUEST, Aspect.VOLUME, Aspect.NODE),
    Category.NODE: (Aspect.NODE,),
    Category.SANDBOX: (Aspect.SECURITY, Aspect.NODE, Aspect.LIMIT),
    Category.NETWORK: (Aspect.ENVIRONMENT, Aspect.CONFIG, Aspect.PORT, Aspect.SECURITY,
                       Aspect.NODE),
    Category.PERMISSION: (Aspect.ACCOUNT, Aspect.SECURITY, Aspect.VOLUME, Aspect.COMMAND,
                          Aspect.IMAGE),
    Category.DEPENDENCY: (Aspect.ENVIRONMENT, Aspect.CONFIG, Aspect.COMMAND, Aspect.IMAGE),
    Category.JOB: (*_PROGRAM, Aspect.LIMIT, Aspect.SPEC),
    Category.ROLLOUT: (*_PROGRAM, Aspect.PROBE, Aspect.LIMIT, Aspect.PLACEMENT, Aspect.REQUEST,
                       Aspect.REPLICAS, Aspect.VOLUME, Aspect.ACCOUNT, Aspect.SECURITY),
    Category.AUTOSCALING: (Aspect.AUTOSCALER, Aspect.REQUEST, Aspect.REPLICAS),
    Category.SERVICE: (Aspect.LABEL, Aspect.PORT, Aspect.PROBE, Aspect.IMAGE),
}  # fmt: skip


def aspect_of(path: str) -> Aspect:
    """What the change of this path touches; `Deployment/checkout spec...` or a bare field."""
    owner, _, field = path.rpartition(" ")
    kind = (owner or path).partition("/")[0]
    if kind in _BY_OBJECT:
        return _BY_OBJECT[kind]
    return next((aspect for pattern, aspect in _BY_FIELD if pattern.search(field)), Aspect.SPEC)


def container_of(path: str) -> str | None:
    """The container that a path is about; None for the Pod as a whole."""
    found = _CONTAINER.search(path)
    return found[1] if found is not None else None


def bears_on(path: str, category: Category | None, *, container: str | None = None) -> int | None:
    """How likely the change is behind such a failure: 0 is the likeliest; None for hardly.

    A change of another container is hardly the cause of this one's failure.
    """
    aspects = _BEARS.get(category, _PROGRAM) if category is not None else _PROGRAM
    where = container_of(path)
    if container is not None and where not in (None, container):
        return None
    aspect = aspect_of(path)
    if aspect is Aspect.CONTAINER:
        aspect = Aspect.IMAGE
    if aspect is Aspect.LIMIT and category is Category.OOM_KILLED and "memory" not in path:
        return None
    if aspect is Aspect.NODE and " " not in path:
        return None  # That a node is new is no reason to fail; its conditions and taints may be.
    return aspects.index(aspect) if aspect in aspects else None
