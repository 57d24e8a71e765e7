"""What was measured, and the goals it is held against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.storm.place import Size
from bench.storm.usage import Usage

__all__ = ["Outcome", "Row", "percentile", "rows", "table"]

STORM_SECONDS = 10.0
LATENCY_SECONDS = 2.0
LAG_SECONDS = 0.1
MEMORY_MIB = 256.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One storm, counted and timed."""

    size: Size
    latencies: Sequence[float]
    """Seconds, one for each Deployment that got a resource, sorted."""
    failed_pods: int
    storm_seconds: float
    """From the first failing status of a pod on the wire to the last pod's first one."""
    resources: int
    """At the end, those that came in the quiet time after the storm included."""
    resources_late: int
    """Those that came in the quiet time."""
    resources_deleted: int
    pods_counted: int
    writes: int
    """Changes of our resources that were seen on the wire."""
    pod_changes: int
    lag_seconds: float | None
    bystander_seconds: float
    """The worst lag of a process beside it that did nothing."""
    drops: float | None
    at_rest: Usage
    after: Usage
    setup: Sequence[tuple[str, float]]
    """What was built up, and the seconds that it took."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `met` is None where there is no goal."""

    what: str
    value: str
    goal: str = ""
    met: bool | None = None
    is_load: bool = False
    """The goal is one of the load, which a slow machine misses whatever the operator does."""

    @property
    def word(self) -> str:
        """What became of the goal."""
        if self.met is None:
            return ""
        if self.met:
            return "met"
        return "machine too slow" if self.is_load else "MISSED"

    @property
    def failed(self) -> bool:
        """Whether the operator has missed a goal."""
        return self.met is False and not self.is_load


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The smallest value that this share of them does not exceed; NaN of none."""
    if not sorted_values:
        return math.nan
    return sorted_values[max(0, math.ceil(share * len(sorted_values)) - 1)]


def rows(outcome: Outcome) -> list[Row]:
    """The table's lines; what could not be measured misses its goal."""
    size, peak = outcome.size, outcome.after.peak_mib
    p50, p99, worst = (percentile(outcome.latencies, share) for share in (0.5, 0.99, 1.0))
    wanted = size.deployments
    exact = outcome.resources == wanted and len(outcome.latencies) == wanted
    lag, drops = outcome.lag_seconds, outcome.drops
    cpu = outcome.after.cpu_seconds - outcome.at_rest.cpu_seconds
    return [
        *(Row(what, f"{seconds:.1f} s") for what, seconds in outcome.setup),
        Row(
            "pods that failed",
            str(outcome.failed_pods),
            str(size.failing),
            outcome.failed_pods == size.failing,
        ),
        Row(
            "they failed within",
            f"{outcome.storm_seconds:.1f} s",
            f"< {STORM_SECONDS:.0f} s",
            outcome.storm_seconds < STORM_SECONDS,
            is_load=True,
        ),
        Row("resources", str(outcome.resources), f"exactly {wanted}", exact),
        Row(
            "of them after the storm", str(outcome.resources_late), "0", not outcome.resources_late
        ),
        Row("of them deleted", str(outcome.resources_deleted), "0", not outcome.resources_deleted),
        Row("status to resource, p50", f"{p50:.2f} s"),
        Row(
            "status to resource, p99",
            f"{p99:.2f} s",
            f"< {LATENCY_SECONDS:.0f} s",
            p99 < LATENCY_SECONDS,
        ),
        Row("status to resource, worst", f"{worst:.2f} s"),
        Row(
            "lag of its loops, at most",
            "not measured" if lag is None else f"{lag * 1000:.0f} ms",
            f"< {LAG_SECONDS * 1000:.0f} ms",
            lag is not None and lag <= LAG_SECONDS,
        ),
        Row("lag of an idle process beside it", f"{outcome.bystander_seconds * 1000:.0f} ms"),
        Row(
            "dropped from queues",
            "not measured" if drops is None else f"{drops:.0f}",
            "0",
            drops == 0,
        ),
        Row("memory before the storm", f"{outcome.at_rest.resident_mib:.0f} MiB"),
        Row("memory after the storm", f"{outcome.after.resident_mib:.0f} MiB"),
        Row("memory at its peak", f"{peak:.0f} MiB", f"< {MEMORY_MIB:.0f} MiB", peak < MEMORY_MIB),
        Row("CPU time until it had synced", f"{outcome.at_rest.cpu_seconds:.1f} s"),
        Row("CPU time from then on", f"{cpu:.1f} s"),
        Row("pod changes on the wire", str(outcome.pod_changes)),
        Row("writes of our resources", str(outcome.writes)),
        Row("pods counted in them", str(outcome.pods_counted)),
    ]


def table(found: Sequence[Row]) -> str:
    """The lines with their goals beside."""
    return "\n".join(
        f"{row.what:36} {row.value:>14}   {row.goal:14} {row.word}".rstrip() for row in found
    )
