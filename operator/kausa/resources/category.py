"""The closed list of failure categories, shared by rules, memory, metrics and evaluation.

A category says which part of Kubernetes failed; `reason` beside it is Kubernetes' own word. Adding
one changes the API, the metrics' labels and the evaluation: it is done here and nowhere else.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Category"]


class Category(StrEnum):
    """Which part of Kubernetes failed."""

    IMAGE_PULL = "ImagePull"
    CRASH_LOOP = "CrashLoop"
    OOM_KILLED = "OOMKilled"
    PROBE = "Probe"
    SCHEDULING = "Scheduling"
    CONFIG = "Config"
    VOLUME = "Volume"
    QUOTA = "Quota"
    ADMISSION = "Admission"
    EVICTION = "Eviction"
    NODE = "Node"
    SANDBOX = "Sandbox"
    NETWORK = "Network"
    PERMISSION = "Permission"
    DEPENDENCY = "Dependency"
    JOB = "Job"
    ROLLOUT = "Rollout"
    AUTOSCALING = "Autoscaling"
    SERVICE = "Service"
    CONTROL_PLANE = "ControlPlane"
    STORAGE = "Storage"
    OTHER = "Other"
