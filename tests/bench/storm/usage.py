"""The memory and the time of a process and its children, as the kernel counts them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "usage_of"]

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What they have used so far."""

    resident_mib: float
    peak_mib: float
    cpu_seconds: float


def usage_of(pid: int) -> Usage:
    """Added up over the process and its children."""
    found = [_usage(one) for one in _family(pid)]
    return Usage(
        resident_mib=sum(one.resident_mib for one in found),
        peak_mib=sum(one.peak_mib for one in found),
        cpu_seconds=sum(one.cpu_seconds for one in found),
    )


def _family(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [pid, *(each for child in children for each in _family(child))]


def _usage(pid: int) -> Usage:
    status = Path(f"/proc/{pid}/status").read_text()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()

    def mib(name: str) -> float:
        found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0

    return Usage(
        resident_mib=mib("VmRSS"),
        peak_mib=mib("VmHWM"),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / TICKS,
    )
