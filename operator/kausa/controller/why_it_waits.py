"""What a resource says of the model while it waits for it, and once it does so no more."""

from __future__ import annotations

from kausa.controller.consulting import OVER, QUEUE_FULL, Why
from kausa.controller.looks import Looks
from kausa.controller.model_help import ModelHelp
from kausa.controller.publishing import Publisher
from kausa.controller.report import Report
from kausa.controller.sightings import ResourceKey
from kausa.controller.store import FailureDiagnosisStore
from kausa.telemetry.clock import utc_now

__all__ = ["WhyItWaits"]


class WhyItWaits:
    """Writes the condition of one resource; whoever calls it holds the lock of its key."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        publisher: Publisher,
        model: ModelHelp,
        looks: Looks,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._model = model
        self._looks = looks

    async def tell(self, key: ResourceKey, why: Why) -> None:
        """Say why it waits, or why it left without an answer; raises ClusterError."""
        resource = await self._store.get(namespace=key[0], name=key[1])
        if resource is None:
            return
        report = Report(resource, clock=utc_now)
        has_left = why[0] in (QUEUE_FULL, OVER[0])
        # Who got the lock after its turn, or after it was offered again, says what came of that.
        if has_left is self._model.waits(key):
            return
        if why == OVER and resource.spec.question and not resource.spec.suspend:
            # A person wants an answer, be it over.
            self._model.wait_on(report)
        elif report.says_it_waits:
            report.waits(why)
            await self._publisher.publish(report)
        if why[0] == QUEUE_FULL:
            self._looks.looked(key, missing=True)
