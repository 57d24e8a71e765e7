"""The faults, each as a function of a scene and its size, small in tests and large in the bench."""

from __future__ import annotations

import random
import time

from bench.faults.breaking import Way
from bench.faults.control_plane import api_server_stopped, compact
from bench.faults.scene import Outcome, Scene
from support.operator_process import wait_for
from support.workloads import crashes, runs_out_of_memory

__all__ = [
    "api_server_away",
    "killed_again_and_again",
    "past_forgotten",
    "watches_cut",
    "watches_silent",
]

SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS = 0.05, 3.0
EXPIRED = "Watch expired, listing again"


def api_server_away(scene: Scene, *, seconds: float, elects: bool) -> Outcome:
    """The API server is stopped while workloads fail: some just before, some while it is away (the
    kubelet tells that later), some after it is back.

    An operator that holds a Lease gives up when it cannot renew it, and is started again as a
    kubelet would; one that does not goes on and resumes its watches. Both must miss nothing.
    """
    operator = scene.operator(KAUSA_LEADER_ELECTION=str(elects).lower()).start()
    delays = [seconds * part for part in (0.2, 0.4, 0.6, 0.8)]
    late = scene.breaker.make("late", [way for delay in delays for way in _later(round(delay))])
    wait_for(lambda: all(_runs(scene, name) for name in late), what="what will fail later to run")
    scene.breaker.make("before")
    with operator.kept_alive():
        with api_server_stopped(seconds=seconds):
            pass
        back = time.monotonic()
        after = scene.breaker.make("after")
        wait_for(
            lambda: all(scene.namespace.pods(name) for name in after),
            what="the controllers to be back",
            seconds=120,
        )
        controllers = time.monotonic() - back
        outcome = scene.outcome(
            f"API server stopped for {seconds:g} s, {'a Lease' if elects else 'no Lease'}",
            since=back,
            notes=(
                f"{len(late)} of them failed while it was away",
                f"the cluster's own controllers were back {controllers:.1f} s after it",
                f"the operator was started again {operator.restarts} times",
            ),
        )
    assert operator.running, operator.log()[-3000:]
    return outcome


def past_forgotten(scene: Scene, *, size: int = 1) -> Outcome:
    """Failures come and go while the operator sees nothing, and when it asks what happened since
    its last version, the API server was restarted and etcd compacted: 410.

    Without a Lease: who loses it ends, and a new process asks for no version of before.
    """
    proxy = scene.proxy()
    operator = scene.operator(through=proxy, KAUSA_LEADER_ELECTION="false").start()
    kept = [scene.breaker.make(f"kept-{number}") for number in range(size)]
    wait_for(
        lambda: len(scene.namespace.diagnoses()) == len(scene.breaker.failures),
        what="the failures before the gap to be found",
        seconds=120,
    )
    expired = operator.log().count(EXPIRED)
    proxy.refuse()
    for name in kept[0]:
        scene.breaker.take_away(name)
    fleeting = scene.breaker.make("fleeting")
    for number in range(size):
        scene.breaker.make(f"gap-{number}")
    for name in fleeting:
        scene.breaker.take_away(name)
    gone = (*kept[0], *fleeting)
    wait_for(lambda: not any(scene.namespace.pods(name) for name in gone), what="Pods to go")
    with api_server_stopped():
        revision = compact()
    proxy.admit()
    admitted = time.monotonic()
    wait_for(
        lambda: operator.log().count(EXPIRED) >= expired + 2,
        what="both watches to be told that their version has expired",
        seconds=90,
    )
    times = operator.log().count(EXPIRED) - expired
    return scene.outcome(
        "restarted with a compacted etcd",
        since=admitted,
        notes=(
            f"compacted at revision {revision}",
            f"410 and listed again {times} times",
            f"{len(gone)} workloads deleted in the gap",
        ),
    )


def watches_cut(scene: Scene, *, seconds: int, failures: int) -> Outcome:
    """Every second all watches are cut, every fifth second all that is being asked or written."""
    proxy = scene.proxy()
    operator = scene.operator(through=proxy).start()
    writes = 0
    with scene.breaker.making("cut", total=failures, seconds=seconds * 0.8):
        for number in range(seconds):
            time.sleep(1.0)
            if number % 5 == 4:
                writes += proxy.cut_everything()
            else:
                proxy.cut_watches()
    outcome = scene.outcome(
        f"watches cut every second for {seconds} s",
        since=time.monotonic(),
        notes=(
            f"{proxy.watches_cut} watches cut",
            f"{writes} connections cut every fifth second, whatever they carried",
        ),
    )
    assert operator.running, operator.log()[-3000:]
    return outcome


def watches_silent(scene: Scene) -> Outcome:
    """Every watch stays open and says nothing more; failures come all the same."""
    proxy = scene.proxy()
    scene.operator(through=proxy).start()
    scene.breaker.make("before")
    wait_for(
        lambda: len(scene.namespace.diagnoses()) == len(scene.breaker.failures),
        what="the failures before the silence to be found",
        seconds=120,
    )
    silent = proxy.silence_watches()
    since = time.monotonic()
    scene.breaker.make("silence")
    return scene.outcome(
        "watches open and silent", since=since, notes=(f"{silent} watches silenced",)
    )


def killed_again_and_again(
    scene: Scene, *, times: int, failures: int, seconds: float, seed: int = 20260102
) -> Outcome:
    """SIGKILL at random moments of the operator's life while failures go on coming: of every other
    life from its start, of the others from when it begins to watch, which takes a second or more.
    """
    dice = random.Random(seed)
    operator = scene.operator()
    worked = 0
    with scene.breaker.making("killed", total=failures, seconds=seconds):
        for number in range(times):
            before = operator.log().count('"Watching"')
            operator.start() if number % 2 else operator.launch()
            time.sleep(dice.uniform(SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS))
            assert operator.running, operator.log()[-3000:]
            operator.kill()
            worked += operator.log().count('"Watching"') > before
    operator.launch()
    outcome = scene.outcome(
        f"{times} SIGKILLs of the operator",
        since=time.monotonic(),
        notes=(f"{worked} of them after it had begun to watch",),
    )
    workers = operator.workers()
    assert len(workers) <= 1, f"those that were killed left processes behind: {workers}"
    return outcome


def _later(seconds: int) -> tuple[Way, ...]:
    """Containers that run for a while before they fail."""

    def crash(name: str) -> dict[str, object]:
        return crashes(name, after_seconds=seconds)

    def memory(name: str) -> dict[str, object]:
        return runs_out_of_memory(name, after_seconds=seconds)

    return (crash, "api", "CrashLoop"), (memory, "worker", "OOMKilled")


def _runs(scene: Scene, name: str) -> bool:
    return any(pod.status.phase == "Running" for pod in scene.namespace.pods(name))
