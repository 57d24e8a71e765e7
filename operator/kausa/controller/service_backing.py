"""What stands behind the Services of one namespace: their endpoints, and Pods that are none.

One list tells the endpoints of all. The Pods that a selector fits are read only where one fails
that is no endpoint, and a Service's own endpoints only where the namespace has too many; both for a
few Services in each round, in turn. Of one that was not looked at nothing is known, and nothing may
be said: neither that it fails nor that it works.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from kausa.cluster.objects import Pod
from kausa.cluster.paging import is_whole, list_all
from kausa.cluster.paths import PODS
from kausa.cluster.reading_client import ReadingClient
from kausa.cluster.workloads import ENDPOINT_SLICES, EndpointSlice, Service
from kausa.detection.workloads.services import awaited, has_ready_endpoint, needs_ready_pods

__all__ = ["MOST_ASKED", "MOST_PODS", "MOST_SLICES", "Backing", "BackingReader"]

MOST_SLICES = 2_000
MOST_PODS = 500
"""Behind one Service, read with all that there is of them."""
MOST_ASKED = 20
"""Services of one namespace about which more is read in one round."""
SERVICE_NAME_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """What stands behind one Service."""

    slices: Sequence[EndpointSlice]
    pods: Sequence[Pod] = ()

    @property
    def uids(self) -> frozenset[str]:
        """The uids of all Pods."""
        listed = (uid for each in self.slices for uid in each.pod_uids)
        return frozenset({*listed, *(each.metadata.uid for each in self.pods)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Namespace:
    """What one round knows of a namespace."""

    name: str
    slices: Mapping[str, Sequence[EndpointSlice]]
    """By the name of their Service."""
    whole: bool
    """Whether these are all."""
    failing: frozenset[str]
    """The uids of the Pods that fail."""
    unlisted: frozenset[str]
    """Those of them that are no endpoint, as far as is known."""


class BackingReader:
    """Reads it, for one event loop."""

    def __init__(self, *, client: ReadingClient) -> None:
        self._client = client
        self._asked_last: dict[str, str] = {}
        """Of which Service more was read last, by namespace; only where there were too many."""

    async def read(
        self, namespace: str, services: Iterable[Service], *, failing: Set[str]
    ) -> Mapping[str, Backing]:
        """What stands behind each Service, by name; those are left out whose turn has not come.

        `failing` are the uids of the namespace's Pods that fail.
        """
        here = await self._namespace(namespace, frozenset(failing))
        known: dict[str, Backing] = {}
        waiting: dict[str, Service] = {}
        for service in services:
            name = service.metadata.name
            slices = tuple(here.slices.get(name, ()))
            if self._is_plain(service, slices, here):
                known[name] = Backing(slices=slices)
            else:
                waiting[name] = service
        for name in self._in_turn(waiting, namespace=here.name):
            found = await self._read_behind(waiting[name], here)
            if found is not None:
                known[name] = found
        return known

    async def _namespace(self, namespace: str, failing: frozenset[str]) -> _Namespace:
        listed = await list_all(
            self._client,
            ENDPOINT_SLICES.collection(namespace=namespace),
            kind=EndpointSlice,
            most=MOST_SLICES,
        )
        slices: dict[str, list[EndpointSlice]] = defaultdict(list)
        for each in listed:
            if each.service_name:
                slices[each.service_name].append(each)
        named = {uid for each in listed for uid in each.pod_uids}
        return _Namespace(
            name=namespace,
            slices=slices,
            whole=is_whole(listed),
            failing=failing,
            unlisted=failing - named,
        )

    def _is_plain(
        self, service: Service, slices: Sequence[EndpointSlice], here: _Namespace
    ) -> bool:
        """Whether no more has to be read to judge a Service."""
        if not here.failing or not needs_ready_pods(service) or has_ready_endpoint(slices):
            return True
        if not here.whole:
            return False
        if not here.unlisted:
            return True
        # One failing Pod among its endpoints is enough to know that it fails.
        return any(uid in here.failing for each in slices for uid in each.pod_uids)

    def _in_turn(self, waiting: Iterable[str], *, namespace: str) -> list[str]:
        names, after = sorted(waiting), self._asked_last.pop(namespace, "")
        if len(names) <= MOST_ASKED:
            return names
        chosen = [each for each in names if each > after] + names
        self._asked_last[namespace] = chosen[MOST_ASKED - 1]
        return chosen[:MOST_ASKED]

    async def _read_behind(self, service: Service, here: _Namespace) -> Backing | None:
        """What stands behind it; None where even its own endpoints or Pods are too many to say."""
        slices: tuple[EndpointSlice, ...] = tuple(here.slices.get(service.metadata.name, ()))
        if not here.whole:
            slices = await list_all(
                self._client,
                ENDPOINT_SLICES.collection(namespace=here.name),
                kind=EndpointSlice,
                most=MOST_SLICES,
                label_selector=f"{SERVICE_NAME_LABEL}={service.metadata.name}",
            )
        found = Backing(slices=slices)
        if not (is_whole(slices) or has_ready_endpoint(slices)):
            return None
        if has_ready_endpoint(slices) or not here.unlisted or found.uids & here.failing:
            return found
        pods = await list_all(
            self._client,
            PODS.collection(namespace=here.name),
            kind=Pod,
            most=MOST_PODS,
            label_selector=",".join(
                f"{key}={value}" for key, value in sorted((service.spec.selector or {}).items())
            ),
        )
        found = Backing(slices=slices, pods=awaited(pods))
        return found if is_whole(pods) or found.uids & here.failing else None
