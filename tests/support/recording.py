"""A recorder with all that it needs, on a store that is a dict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from support.dossiers import DEPLOYMENT
from support.fake_store import FakeOwners, FakeStore

from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.controller.found import Found
from kausa.controller.recorder import Recorder
from kausa.controller.sighting_writer import SightingWriter, Written
from kausa.controller.sightings import ResourceKey, Sightings
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import NOWHERE, Surroundings
from kausa.evidence.redaction import Redactor
from kausa.telemetry.clock import utc_now
from kausa.telemetry.metrics import Metrics

__all__ = ["Recording"]


@dataclass
class Recording:
    """One process that records; a second one on the same store is the process after it."""

    store: FakeStore
    owners: FakeOwners
    interval: float = 60.0

    def __post_init__(self) -> None:
        self.sightings = Sightings()
        metrics = Metrics()
        self.writer = SightingWriter(
            store=cast(Any, self.store),
            sightings=self.sightings,
            metrics=metrics,
            repeat_interval_seconds=self.interval,
        )
        self.recorder = Recorder(
            store=cast(Any, self.store),
            owners=cast(Any, self.owners),
            redactor=Redactor(key=b"k" * 32),
            sightings=self.sightings,
            writer=self.writer,
            metrics=metrics,
            cluster="test",
        )

    async def see(
        self, failing: Pod, *, owner: Owner = DEPLOYMENT, around: Surroundings = NOWHERE
    ) -> ResourceKey | None:
        """Record the one symptom of a Pod, as a worker does."""
        (symptom,) = detect_pod(failing, around=around, now=utc_now()).symptoms
        uid = failing.metadata.uid
        found = Found(object=failing, symptoms=(symptom,), now=(symptom,))
        self.sightings.fails(uid, found)
        key = await self.recorder.see(found, symptom, owner=owner)
        self.sightings.recorded(uid, () if key is None else (key,))
        self.sightings.seen(() if key is None else (key,))
        return key

    async def write_due(self) -> Written:
        """Write the repeats that are due."""
        return await self.writer.write_due()
