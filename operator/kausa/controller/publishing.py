"""What is said to the outside: the status of a resource, and an Event on its target.

Facts first: what rules say is there before memory or a model is asked. Where a crowd waits for its
diagnosis, each write of a status costs the API server as much as ten reads, so one that memory
would overtake within a moment is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from kausa.cluster.errors import ClusterError
from kausa.controller.report import Report
from kausa.controller.store import FailureDiagnosisStore
from kausa.controller.subjects import Subject
from kausa.diagnosis.finding import Diagnosis
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger
from kausa.telemetry.tracing import NO_TRACING, Tracer

__all__ = ["Publisher"]

SOON_SECONDS = 0.5
"""A write that says more is worth so long a wait, where others wait for the API server."""
T = TypeVar("T")
_logger = get_logger("kausa.controller.publishing")


class Publisher:
    """Writes what reports say; holds nothing itself."""

    def __init__(self, *, store: FailureDiagnosisStore, tracer: Tracer = NO_TRACING) -> None:
        self._store = store
        self._tracer = tracer

    async def publish(self, report: Report) -> bool:
        """Write what is known now; False where the resource is gone. Raises ClusterError."""
        namespace, name = report.key
        with self._tracer.span("publish") as span:
            there = await self._store.write_diagnosis(
                namespace=namespace, name=name, status=report.status()
            )
            span.tell(there=there)
            return there

    async def publish_unless_soon(self, report: Report, step: Coroutine[Any, Any, T]) -> T:
        """What the next step brings; what is known without it is written where that takes a while.

        Raises:
            ClusterError: it could not be written.
        """
        stepping = asyncio.ensure_future(step)
        try:
            done, _ = await asyncio.wait({stepping}, timeout=SOON_SECONDS)
            if not done:
                await self.publish(report)
            return await stepping
        finally:
            stepping.cancel()
            await asyncio.gather(stepping, return_exceptions=True)

    async def announce(self, report: Report, subject: Subject, diagnosis: Diagnosis) -> None:
        """Say the answer on the target, where people look first, and in the log."""
        namespace, name = report.key
        _logger.info(
            "Diagnosed",
            namespace=namespace,
            name=name,
            cause=diagnosis.summary,
            confidence=diagnosis.confidence,
            milliseconds=report.milliseconds_to_diagnosis,
        )
        try:
            await self._store.announce(
                name=name,
                owner=subject.owner,
                summary=diagnosis.summary,
                version=report.version(),
                now=utc_now(),
            )
        except ClusterError as error:
            _logger.warning("Could not write an Event on the target", why=str(error))
