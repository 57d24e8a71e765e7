"""How many CPUs this process may use: its affinity and its cgroup's quota, version 1 or 2.

The node's count is wrong in a container: onnxruntime would start a thread for every CPU of the
node, and they would take each other's quota. A quota counts in every group above, too, so all
folders from our own to the root of the mount are asked; of one that is not visible from inside of
the container nothing is known, and it is passed over.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["available_cpus"]


def available_cpus(
    *, mount: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")
) -> int:
    """CPUs that this process may use, at least one; a part of a CPU counts as a whole one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quotas = (math.ceil(quota) for quota in _quotas(mount, membership))
    return max(1, min([allowed or 1, *quotas]))


def _quotas(mount: Path, membership: Path) -> Iterator[float]:
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        lines = ["0::/"]
    for line in lines:
        _, controllers, group = [*line.split(":", 2), "", ""][:3]
        if not controllers:
            yield from _walk(mount, group, _version_2)
        elif "cpu" in controllers.split(","):
            for name in {controllers, "cpu"}:
                yield from _walk(mount / name, group, _version_1)


def _walk(mount: Path, group: str, read: Callable[[Path], float]) -> Iterator[float]:
    parts = [part for part in group.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        try:
            quota = read(mount.joinpath(*parts[:depth]))
        except (OSError, ValueError, ZeroDivisionError):
            continue  # not visible from here, or the word "max"
        if quota > 0:
            yield quota


def _version_2(folder: Path) -> float:
    quota, period = (folder / "cpu.max").read_text().split()
    return int(quota) / int(period)


def _version_1(folder: Path) -> float:
    quota = int((folder / "cpu.cfs_quota_us").read_text())  # -1 stands for none
    return quota / int((folder / "cpu.cfs_period_us").read_text())
