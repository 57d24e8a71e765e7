"""Two operators, and the one that leads goes away: who takes over, when, and who writes meanwhile.

Each has a proxy of its own, so who wrote to our resources and when is known without their logs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.faults.scene import Outcome, Scene
from kubernetes import client
from support.cutting_proxy import CuttingProxy, Request
from support.namespace import PLURAL
from support.operator_process import OperatorProcess, wait_for

__all__ = ["LeaderOutcome", "TakeOver", "leader_lost", "strays"]

LONGEST_SECONDS = 60.0
FROZEN_SECONDS = 30.0
BETWEEN_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """One change of who leads; times by `time.monotonic`."""

    how: str
    old: str
    new: str
    began: float
    """When the old one was told to go, or was killed."""
    leads: float
    """When the Lease named the new one."""
    watches: float
    """When the new one asked for its first watch of Pods."""

    @property
    def seconds(self) -> float:
        """From the end of the old to the new one's first watch."""
        return self.watches - self.began


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderOutcome:
    """What came of it, beside what every fault has."""

    outcome: Outcome
    take_overs: tuple[TakeOver, ...]
    strays: tuple[str, ...]
    """Writes to our resources by one that did not lead any more, or not yet; in words."""
    idle_watches: tuple[str, ...]
    """Watches of Pods by one that did not lead; in words."""


class _Pair:
    """Two operators and their proxies."""

    def __init__(self, scene: Scene) -> None:
        self.names = ("a", "b")
        self._scene = scene
        self.proxies: dict[str, CuttingProxy] = {}
        self.operators: dict[str, OperatorProcess] = {}
        for name in self.names:
            self.proxies[name] = scene.proxy(name)
            self.operators[name] = scene.operator(name, through=self.proxies[name])

    def leader(self) -> str | None:
        """Whom a Lease names."""
        leases = client.CoordinationV1Api(self._scene.namespace.api)
        held = {each.spec.holder_identity for each in leases.list_lease_for_all_namespaces().items}
        found = sorted(held & set(self.names))
        assert len(found) < 2, "two Leases name two of them"
        return found[0] if found else None

    def join(self, name: str) -> None:
        """Start one, and wait until it asks for the Lease."""
        launched = time.monotonic()
        self.operators[name].launch()
        wait_for(
            lambda: any("/leases" in each.path for each in self.since(name, launched)),
            what=f"operator {name} to ask for the Lease",
        )

    def since(self, name: str, moment: float) -> Iterator[Request]:
        """What one has asked for since then."""
        return (each for each in self.proxies[name].requests() if each.at >= moment)

    def watches_pods(self, name: str, moment: float) -> float | None:
        """When one first asked for a watch of Pods since then."""
        return next((each.at for each in self.since(name, moment) if _of_pods(each)), None)

    def loses(self, how: str, act: Callable[[OperatorProcess], object]) -> TakeOver:
        """Something happens to the leader; back when the other one works."""
        old = wait_for(self.leader, what="a leader")
        (new,) = set(self.names) - {old}
        began = time.monotonic()
        act(self.operators[old])
        wait_for(lambda: self.leader() == new, what=f"{new} to lead", seconds=LONGEST_SECONDS)
        leads = time.monotonic()
        watches = wait_for(
            lambda: self.watches_pods(new, began), what=f"{new} to watch", seconds=LONGEST_SECONDS
        )
        return TakeOver(how=how, old=old, new=new, began=began, leads=leads, watches=watches)


def leader_lost(scene: Scene, *, failures: int, seconds: float, freeze: bool) -> LeaderOutcome:
    """The leader is killed, then told to end, then (where asked for) stands still and comes back,
    while failures come.
    """
    pair = _Pair(scene)
    pair.join("a")
    wait_for(pair.leader, what="the first leader", seconds=LONGEST_SECONDS)
    pair.join("b")
    began = time.monotonic()
    take_overs = []
    with scene.breaker.making("leader", total=failures, seconds=seconds):
        time.sleep(BETWEEN_SECONDS)
        take_overs.append(pair.loses("SIGKILL", lambda leader: leader.kill()))
        pair.join(take_overs[-1].old)
        time.sleep(BETWEEN_SECONDS)
        take_overs.append(pair.loses("SIGTERM", lambda leader: leader.ask_to_stop()))
        pair.operators[take_overs[-1].old].wait()
        pair.join(take_overs[-1].old)
        time.sleep(BETWEEN_SECONDS)
        if freeze:
            take_overs.append(_frozen(pair))
    outcome = scene.outcome(
        "leader lost",
        since=time.monotonic(),
        notes=tuple(
            f"{each.how}: the Lease after {each.leads - each.began:.1f} s, "
            f"watching after {each.seconds:.1f} s"
            for each in take_overs
        ),
    )
    seen = {name: proxy.requests() for name, proxy in pair.proxies.items()}
    return LeaderOutcome(
        outcome=outcome,
        take_overs=tuple(take_overs),
        strays=strays(seen, take_overs, chosen=_writes, began=began),
        idle_watches=strays(seen, take_overs, chosen=_of_pods, began=began),
    )


def _frozen(pair: _Pair) -> TakeOver:
    frozen: list[OperatorProcess] = []

    def freeze(leader: OperatorProcess) -> None:
        frozen.append(leader)
        leader.freeze()

    try:
        took_over = pair.loses("SIGSTOP", freeze)
        time.sleep(max(0.0, took_over.began + FROZEN_SECONDS - time.monotonic()))
    finally:
        for each in frozen:
            each.thaw()
    time.sleep(BETWEEN_SECONDS)
    return took_over


def strays(
    seen: Mapping[str, Sequence[Request]],
    take_overs: Sequence[TakeOver],
    *,
    chosen: Callable[[Request], bool],
    began: float,
) -> tuple[str, ...]:
    """Which of the chosen requests came from one that did not lead, in words.

    From one loss of a leader to the next, whatever the old one still asks for must come before
    anything that the new one does.
    """
    asked = sorted(
        ((each, name) for name, all_ in seen.items() for each in all_ if chosen(each)),
        key=lambda pair: pair[0].at,
    )
    first = take_overs[0]
    found = [
        f"{name} before it ever led: {each.method} {each.path}"
        for each, name in asked
        if began <= each.at < first.began and name != first.old
    ]
    ends = [each.began for each in take_overs[1:]] + [float("inf")]
    for took_over, end in zip(take_overs, ends, strict=True):
        here = [(each, name) for each, name in asked if took_over.began <= each.at < end]
        starts = min((each.at for each, name in here if name == took_over.new), default=end)
        found += [
            f"{name} {each.at - took_over.began:.2f} s after {took_over.how}, when {took_over.new} "
            f"had begun at {starts - took_over.began:.2f} s: {each.method} {each.path}"
            for each, name in here
            if name == took_over.old and each.at >= starts
        ]
    return tuple(found)


def _writes(request: Request) -> bool:
    return request.method != "GET" and f"/{PLURAL}" in request.path


def _of_pods(request: Request) -> bool:
    return request.watches and "/pods?" in request.path
