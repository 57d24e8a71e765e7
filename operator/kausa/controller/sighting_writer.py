"""Writing what was seen: at once when a failure is opened, its repeats every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from kausa.cluster.errors import ClusterError
from kausa.controller.sighting_documents import sighting_status
from kausa.controller.sightings import ResourceKey, Sighting, Sightings
from kausa.controller.store import FailureDiagnosisStore
from kausa.evidence.redaction import Redactor
from kausa.telemetry.logs import get_logger
from kausa.telemetry.metrics import Metrics

__all__ = ["SightingWriter", "Written"]

CROWD = 100
"""Resources whose repeats may be written in one interval; where more fail again and again, each has
to wait for longer, since a write costs the API server as much as ten readings."""
AT_ONCE = 8
"""Of repeats: a write takes milliseconds, nearly all of which is waiting for the API server."""
_logger = get_logger("kausa.controller.sighting_writer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of the repeats that were due."""

    count: int
    gone: tuple[ResourceKey, ...]
    """The resources that are not there any more."""
    error: ClusterError | None
    """The last of the errors; what it was about is tried again."""


class SightingWriter:
    """Writes the part of a status that the streams own."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        sightings: Sightings,
        redactor: Redactor,
        metrics: Metrics,
        repeat_interval_seconds: float,
    ) -> None:
        self._store = store
        self._sightings = sightings
        self._redactor = redactor
        self._metrics = metrics
        self._repeat_interval_seconds = repeat_interval_seconds

    async def write(self, key: ResourceKey, sighting: Sighting) -> bool:
        """Write one; False where the resource is gone."""
        namespace, name = key
        # One after the other: what is written last is what was true last.
        async with sighting.writing:
            sighting.dirty = False
            try:
                there = await self._store.write_sighting(
                    namespace=namespace,
                    name=name,
                    status=sighting_status(
                        sighting,
                        # Here, not for each Pod: a hundred may fail before it is written.
                        message=self._redactor.text(sighting.symptom.message).value,
                        upstream=self._upstream(sighting),
                    ),
                )
            except BaseException:
                sighting.dirty = True
                raise
        sighting.written_at = time.monotonic()
        self._metrics.sighting_written()
        return there

    async def write_due(self, *, all_of_them: bool = False) -> Written:
        """Write the repeats that have waited long enough; one that fails holds up no other."""
        gone: list[ResourceKey] = []
        errors: list[ClusterError] = []
        due = self._sightings.due(interval_seconds=0.0 if all_of_them else self._interval())
        keys = iter(due)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(AT_ONCE, len(due))):
                tasks.create_task(self._write_each(keys, gone=gone, errors=errors))
        return Written(count=len(due), gone=tuple(gone), error=errors[-1] if errors else None)

    def _interval(self) -> float:
        """Seconds between two writes of one resource."""
        crowds = len(self._sightings.by_resource) / CROWD
        return self._repeat_interval_seconds * max(1.0, crowds)

    async def _write_each(
        self, keys: Iterator[ResourceKey], *, gone: list[ResourceKey], errors: list[ClusterError]
    ) -> None:
        """Write one after the other of what others take from as well."""
        for key in keys:
            sighting = self._sightings.by_resource.get(key)
            if sighting is None:
                continue
            try:
                if not await self.write(key, sighting):
                    gone.append(key)
            except ClusterError as caught:
                errors.append(caught)
                sighting.written_at = time.monotonic()  # its next turn comes after the others'
            except Exception:
                _logger.exception("Could not write what was seen", name="/".join(key))
                sighting.written_at = time.monotonic()

    def _upstream(self, sighting: Sighting) -> str | None:
        """The resource of the failure that this one follows from, where it is in sight of it."""
        upstream = sighting.symptom.caused_by
        if upstream is None or not upstream.uid:
            return None
        near = [
            (name, known)
            for (namespace, name), known in self._sightings.of_owner(upstream.uid)
            if namespace == sighting.owner.namespace and known is not sighting
        ]
        named = (name for name, known in near if known.symptom.reason == upstream.reason)
        return next(named, near[0][0] if near else None)
