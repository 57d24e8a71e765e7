"""All faults, one after the other, on the local cluster: what was lost, and what was doubled.

Run by `make bench-faults`; names of faults as arguments run only those. The exit code is 0 where
nothing was lost, doubled, left over or counted wrongly, and a dead leader was replaced in time.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.faults.faults import (
    api_server_away,
    killed_again_and_again,
    past_forgotten,
    watches_cut,
    watches_silent,
)
from bench.faults.leaders import LeaderOutcome, leader_lost
from bench.faults.scene import Outcome, Scene, scene
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from support.cluster import is_local, kubeconfig_path
from support.crds import apply_crds
from support.namespace import Namespace
from support.operator_process import wait_for

SLOWEST_TAKE_OVER_SECONDS = 20.0
FAULTS: dict[str, Callable[[Scene], Outcome | LeaderOutcome]] = {
    "away": lambda place: api_server_away(place, seconds=60, elects=True),
    "away-alone": lambda place: api_server_away(place, seconds=60, elects=False),
    "forgotten": lambda place: past_forgotten(place, size=2),
    "cut": lambda place: watches_cut(place, seconds=60, failures=40),
    "silent": watches_silent,
    "killed": lambda place: killed_again_and_again(place, times=100, failures=56, seconds=220),
    "leader": lambda place: leader_lost(place, failures=32, seconds=60, freeze=True),
}
COLUMNS = (
    "fault",
    "failures",
    "found",
    "lost",
    "doubled",
    "unexpected",
    "went back",
    "miscounted",
    "all found s",
    "diagnosed s",
)


def main(arguments: Sequence[str]) -> int:
    """Run the faults that are named, or all; 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", nargs="*", help=f"of {', '.join(FAULTS)}; none runs all")
    wanted = parser.parse_args(arguments).fault or list(FAULTS)
    unknown = sorted(set(wanted) - set(FAULTS))
    if unknown:
        parser.error(f"no such fault: {', '.join(unknown)}")
    if not is_local():
        parser.error("these faults stop an API server, so they need the local cluster")
    kubeconfig = kubeconfig_path()
    apply_crds(kubeconfig)
    found: list[tuple[Outcome, tuple[str, ...]]] = []
    for name in wanted:
        began = time.monotonic()
        print(f"{name} ...", flush=True)
        outcome = _run(FAULTS[name], kubeconfig=kubeconfig)
        found.append(_read(outcome))
        print(f"{name} took {time.monotonic() - began:.0f} s", flush=True)
    _print(found)
    return 1 if any(wrong for _, wrong in found) else 0


def _run(
    fault: Callable[[Scene], Outcome | LeaderOutcome], *, kubeconfig: str
) -> Outcome | LeaderOutcome:
    with (
        tempfile.TemporaryDirectory(prefix="kausa-faults-") as folder,
        config.new_client_from_config(kubeconfig) as api,
        _namespace(api) as namespace,
        scene(kubeconfig=kubeconfig, folder=Path(folder), namespace=namespace) as place,
    ):
        return fault(place)


def _read(found: Outcome | LeaderOutcome) -> tuple[Outcome, tuple[str, ...]]:
    """What every fault has, and what is wrong."""
    if isinstance(found, Outcome):
        return found, found.problems
    wrong = [
        f"{each.how}: taken over only after {each.seconds:.1f} s"
        for each in found.take_overs
        if each.seconds >= SLOWEST_TAKE_OVER_SECONDS
    ]
    for what, strays in (("writes", found.strays), ("watches of Pods", found.idle_watches)):
        if strays:
            wrong.append(f"{len(strays)} {what} by one that did not lead, such as {strays[0]}")
    return found.outcome, (*found.outcome.problems, *wrong)


def _print(found: Sequence[tuple[Outcome, tuple[str, ...]]]) -> None:
    rows = [_row(outcome) for outcome, _ in found]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    print()
    for row in (COLUMNS, *rows):
        cells = (each.rjust(width) for each, width in zip(row[1:], widths[1:], strict=True))
        print("  ".join((row[0].ljust(widths[0]), *cells)))
    print()
    for outcome, wrong in found:
        print(f"{outcome.fault}: {'; '.join(outcome.notes)}")
        for each in wrong:
            print(f"  WRONG {each}")


def _row(outcome: Outcome) -> tuple[str, ...]:
    counted = outcome.count
    numbers = (
        counted.failures,
        counted.found,
        len(counted.lost),
        len(counted.doubled),
        len(counted.unexpected),
        len(outcome.went_back),
        len(outcome.miscounted),
    )
    times = (f"{each:.1f}" for each in (outcome.found_seconds, outcome.answered_seconds))
    return (outcome.fault, *map(str, numbers), *times)


@contextlib.contextmanager
def _namespace(api: Any) -> Iterator[Namespace]:
    """One for each fault; back when it is gone, so that none disturbs the next."""
    name = f"kausa-faults-{uuid.uuid4().hex[:8]}"
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name}})
    wait_for(lambda: _there(core.read_namespaced_service_account, "default", name), what="account")
    try:
        yield Namespace(api, name)
    finally:
        core.delete_namespace(name, grace_period_seconds=0)
        wait_for(
            lambda: not _there(core.read_namespace, name), what="the namespace to go", seconds=180
        )


def _there(read: Callable[..., object], *named: str) -> bool:
    try:
        read(*named)
    except ApiException as error:
        if error.status != 404:
            raise
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
