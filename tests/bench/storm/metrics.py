"""What the operator's own metrics say, as far as the storm is judged by them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

__all__ = ["DROPPED", "LAG", "Metrics", "lag_seconds", "parse_metrics", "total"]

LAG = "kausa_event_loop_lag_seconds_bucket"
DROPPED = "kausa_queue_dropped_total"
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LE = re.compile(r'(?:^|,)le="([^"]+)"')
Metrics = Mapping[str, float]
"""The value of each sample by its name and its labels, as they stand."""


def parse_metrics(text: str) -> Metrics:
    """Prometheus' text format, each sample under its name with its labels as they stand."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if match := _SAMPLE.match(line):
            name, labels, value = match.groups()
            found[f"{name}{{{labels or ''}}}"] = float(value)
    return found


def total(metrics: Metrics | None, name: str) -> float | None:
    """All samples of one name together; None where there is none."""
    found = [value for key, value in (metrics or {}).items() if key.partition("{")[0] == name]
    return sum(found) if found else None


def lag_seconds(before: Metrics | None, after: Metrics | None) -> float | None:
    """The upper bound of the slowest turn of any loop between two looks; None if not told."""
    grown: dict[float, float] = defaultdict(float)
    for key, value in (after or {}).items():
        name, _, labels = key.partition("{")
        if name == LAG and (bound := _LE.search(labels.rstrip("}"))):
            grown[float(bound[1])] += value - (before or {}).get(key, 0.0)
    if not grown:
        return None
    # Buckets are cumulative: all turns are within the first one that has as many as the last.
    return min(bound for bound, count in grown.items() if count >= grown[max(grown)])
