"""How often containers really ended, by the kubelet's own counts, beside what resources say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from bench.faults.counting import Failure, occurrences
from support.namespace import Namespace
from support.operator_process import wait_for

__all__ = ["miscounted"]

COUNTED = ("CrashLoop", "OOMKilled")
CATCH_UP_SECONDS = 30.0


def miscounted(namespace: Namespace, failures: Iterable[Failure]) -> tuple[str, ...]:
    """Crashes that a resource has counted twice or not at all, in words.

    The containers go on crashing meanwhile. So what the kubelet counted before must be reached by
    the resource, and what the resource says must not be beyond what the kubelet counts afterwards.
    """
    found = (_miscounted(namespace, each) for each in failures if each.category in COUNTED)
    return tuple(each for each in found if each)


def _miscounted(namespace: Namespace, failure: Failure) -> str:
    restarts = _restarts(namespace, failure)
    with contextlib.suppress(AssertionError):
        wait_for(
            lambda: _said(namespace, failure) >= restarts,
            what="the count to catch up",
            seconds=CATCH_UP_SECONDS,
        )
    said = _said(namespace, failure)
    ends = _restarts(namespace, failure, not_restarted=1)
    if said < restarts:
        return f"{failure}: says {said}, was restarted {restarts} times"
    if said > ends:
        return f"{failure}: says {said}, ended {ends} times at most"
    return ""


def _restarts(namespace: Namespace, failure: Failure, *, not_restarted: int = 0) -> int:
    """The kubelet's counts of all its Pods; each may have ended once more than it was restarted."""
    return sum(
        status.restart_count + not_restarted
        for pod in namespace.pods(failure.name)
        for status in pod.status.container_statuses or ()
        if status.name == failure.container
    )


def _said(namespace: Namespace, failure: Failure) -> int:
    return sum(
        occurrences(each)
        for each in namespace.diagnoses()
        if each["spec"]["target"]["name"] == failure.name
    )
