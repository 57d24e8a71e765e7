"""What is said of a failure that has to wait for its evidence, because a crowd fails with it.

The evidence of hundreds takes a minute or more to read, and most of it only makes surer what the
status says, or the log. So those who wait are told at once what rules make of the status alone, or
else of the log, which costs one request; where rules are not sure of that either, nothing is said
yet. All of the evidence is read after all glances.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kausa.controller.found import NO_POD
from kausa.controller.openings import Openings
from kausa.controller.publishing import Publisher
from kausa.controller.report import SURE_BY_LOG, SURE_BY_STATUS, Report
from kausa.controller.sightings import Sighting, Sightings
from kausa.diagnosis.decide import decide
from kausa.diagnosis.finding import Diagnosis
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.resources.category import Category

__all__ = ["FirstGlances"]

BY_STATUS = "by its status alone; the evidence around it is read next"
BY_LOG = "by its status and its log; the evidence around it is read next"


class FirstGlances:
    """Glances at many failures, a few at a time; for one event loop."""

    def __init__(
        self,
        *,
        gatherer: Gatherer,
        publisher: Publisher,
        sightings: Sightings,
        concurrent: int,
        crowded: Callable[[], bool],
    ) -> None:
        self._gatherer = gatherer
        self._publisher = publisher
        self._sightings = sightings
        self._crowded = crowded
        self._reading = asyncio.Semaphore(concurrent)
        self._glances = Openings()

    async def over(self) -> None:
        """Wait until everything is opened and glanced at, unless that takes too long."""
        await self._sightings.openings.over()
        await self._glances.over()

    async def tell(self, report: Report, seen: Sighting) -> bool:
        """Publish what can be told now; False where the resource is gone. Raises ClusterError."""
        with self._glances.one():
            if await self._decides(report, seen, with_logs=False):
                return await self._publisher.publish(report)
            if seen.pod is NO_POD:
                return True
            await self._sightings.openings.over()
            async with self._reading:
                # The crowd may have passed meanwhile: then all of the evidence is read at once.
                if not self._crowded() or not await self._decides(report, seen, with_logs=True):
                    return True
                return await self._publisher.publish(report)

    async def _decides(self, report: Report, seen: Sighting, *, with_logs: bool) -> bool:
        dossier = await self._gatherer.known(
            owner=seen.owner,
            pod=seen.pod,
            symptom=seen.symptom,
            shown_by=seen.shown_by,
            with_logs=with_logs,
        )
        diagnosis = decide(dossier)
        if _is_by_success_alone(dossier, diagnosis):
            return False
        least, message = (SURE_BY_LOG, BY_LOG) if with_logs else (SURE_BY_STATUS, BY_STATUS)
        return report.decided_at_a_glance(dossier, diagnosis, least=least, message=message)


def _is_by_success_alone(dossier: Dossier, diagnosis: Diagnosis) -> bool:
    """Whether nothing but exit code 0 says that a container did its work: its log may tell of an
    error, and only an Event tells that it was ended because a hook failed.
    """
    ended_well = dossier.symptom is not None and dossier.symptom.exit_code == 0
    return ended_well and diagnosis.category is Category.CRASH_LOOP
