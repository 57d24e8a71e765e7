"""Services that have nobody left to answer, because the Pods behind them fail.

Services and their endpoints are not watched: they matter only where Pods fail, so only those
namespaces are read, a few in each round. A large cluster has one endpoint for each Pod, and every
rollout changes them all.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from msgspec.structs import replace

from kausa.cluster.errors import ClusterError
from kausa.cluster.objects import Pod
from kausa.cluster.paging import is_whole, list_all
from kausa.cluster.reading_client import ReadingClient
from kausa.cluster.workloads import SERVICES, Service
from kausa.controller.judge import Judge
from kausa.controller.service_backing import Backing, BackingReader
from kausa.controller.sightings import Sightings
from kausa.detection.symptom import Symptom, Upstream
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.services import detect_service
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["ServiceSweep"]

EVERY_SECONDS = 15.0
NAMESPACES_A_ROUND = 20
MOST_SERVICES = 2_000
_logger = get_logger("kausa.controller.services")


class ServiceSweep:
    """Looks at the Services of namespaces in which Pods fail, in turn."""

    def __init__(
        self,
        *,
        client: ReadingClient,
        judge: Judge,
        sightings: Sightings,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._client = client
        self._judge = judge
        self._sightings = sightings
        self._every_seconds = every_seconds
        self._after = ""
        self._failing: dict[str, dict[str, Service]] = {}
        """The Services that failed when they were looked at last, by namespace and uid."""
        self._backing = BackingReader(client=client)
        self._trouble = Trouble(
            _logger,
            failed="Services cannot be read, so none is said to have no endpoints",
            recovered="Services can be read again",
        )

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(self._every_seconds)
            for namespace in self._next_namespaces():
                try:
                    await self._look_at(namespace)
                except ClusterError as error:
                    self._trouble.happened(error, key=namespace, namespace=namespace)
                except Exception:
                    _logger.exception("Could not look at Services", namespace=namespace)
                else:
                    self._trouble.over(key=namespace)

    def _next_namespaces(self) -> list[str]:
        """The next few in which Pods fail, or in which a Service failed before."""
        wanted = sorted({*self._failing_pods(), *self._failing})
        later = [each for each in wanted if each > self._after]
        chosen = (later + wanted)[: min(NAMESPACES_A_ROUND, len(wanted))]
        self._after = chosen[-1] if chosen else ""
        return chosen

    def _failing_pods(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for uid, each in self._sightings.failing.items():
            if isinstance(each.object, Pod):
                found[each.object.metadata.namespace].add(uid)
        return found

    async def _look_at(self, namespace: str) -> None:
        services = await list_all(
            self._client,
            SERVICES.collection(namespace=namespace),
            kind=Service,
            most=MOST_SERVICES,
        )
        failing = frozenset(self._failing_pods().get(namespace, ()))
        behind = await self._backing.read(namespace, services, failing=failing)
        before, now = self._failing.get(namespace, {}), dict[str, Service]()
        for service in services:
            uid, found = service.metadata.uid, behind.get(service.metadata.name)
            if found is None:
                if uid in before:
                    now[uid] = service
                continue
            verdict = detect_service(
                service, found.slices, selected=found.pods, failing=failing, now=utc_now()
            )
            if verdict.symptoms:
                now[uid] = service
                self._judge.service(service, self._with_upstream(verdict, found, failing))
            elif uid in before:
                self._judge.service(service, HEALTHY)
        for uid in before.keys() - {each.metadata.uid for each in services}:
            if is_whole(services):
                self._judge.gone(uid)
            else:
                now[uid] = before[uid]
        self._failing.pop(namespace, None)
        if now:
            self._failing[namespace] = now

    def _with_upstream(self, verdict: Verdict, behind: Backing, failing: frozenset[str]) -> Verdict:
        """The Service fails for its Pods: their failure is the one to look at."""
        for uid in sorted(behind.uids & failing):
            for key in self._sightings.resources_of(uid):
                sighting = self._sightings.by_resource.get(key)
                if sighting is not None:
                    upstream = Upstream(
                        api_version=sighting.owner.api_version,
                        kind=sighting.owner.kind,
                        name=sighting.owner.name,
                        uid=sighting.owner.uid,
                        namespace=sighting.owner.namespace,
                        reason=sighting.symptom.reason,
                    )
                    return replace(
                        verdict,
                        symptoms=tuple(_caused(each, upstream) for each in verdict.symptoms),
                    )
        return verdict


def _caused(symptom: Symptom, upstream: Upstream) -> Symptom:
    return replace(symptom, caused_by=upstream)
