"""Containers that run: what killed them just before, and what keeps them from being ready.

How one of them ended a while ago is no failure of now.
"""

from __future__ import annotations

from kausa.cluster.objects import ContainerStatus
from kausa.detection.case import PodCase
from kausa.detection.crashes import relapses
from kausa.detection.probes import killed_lately, unready
from kausa.detection.verdict import Verdict

__all__ = ["runs"]


def runs(case: PodCase, status: ContainerStatus) -> Verdict:
    """What ails a container that runs: one symptom at most, what ended it before what it shows."""
    killed = killed_lately(case, status)
    if killed.symptoms:
        return killed
    ended = relapses(case, status)
    if ended.symptoms or status.ready:
        return ended
    return unready(case, status)
