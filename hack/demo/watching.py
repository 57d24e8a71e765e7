"""Shows the table as it fills: in place in a terminal, and again when it changed in a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from hack.demo.console import elapsed, plain, say
from hack.demo.errors import DemoError
from hack.demo.kubectl import Kubectl
from hack.demo.operator_process import Operator
from hack.demo.place import Place
from hack.demo.progress import Progress
from hack.demo.screen import Region
from hack.demo.table import fit, parse

COMMAND = ("get", "failurediagnoses", "-A")
LOOK_EVERY_S = 0.5
TELL_EVERY_S = 10.0
SETTLED_S = 180.0
SILENT_S = 60.0


class View(Protocol):
    """Where the table is shown."""

    def show(self, progress: Progress, text: str, *, new: bool, problem: str) -> None: ...
    def tell(self, text: str) -> None: ...


class Printed:
    """For a pipe or a file: the table as kubectl prints it, whenever it says something new."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def show(self, progress: Progress, text: str, *, new: bool, problem: str) -> None:
        if new:
            plain("")
            say(f"$ kubectl {' '.join(COMMAND)}")
            plain(text.rstrip())
        elif time.monotonic() - self._told >= TELL_EVERY_S:
            say(problem or progress.sentence())
        else:
            return
        self._told = time.monotonic()

    def tell(self, text: str) -> None:
        plain(text)


class Drawn:
    """For a terminal: one table that is drawn again in place."""

    def __init__(self) -> None:
        self._region = Region()

    def show(self, progress: Progress, text: str, *, new: bool, problem: str) -> None:
        def lines(width: int) -> list[str]:
            table = fit(progress.table, width) if progress.table.rows else ["(nothing yet)"]
            state = f"[{elapsed():4.0f} s] {problem or progress.sentence()}"
            keys = "Ctrl-C ends the demo and removes everything."
            return ["", f"$ kubectl {' '.join(COMMAND)}", *table, "", state, keys]

        self._region.draw(lines)

    def tell(self, text: str) -> None:
        self._region.print_above(text)


def watch(
    kubectl: Kubectl,
    operator: Operator,
    view: View,
    *,
    place: Place,
    since: float,
    keep: bool,
    when_settled: Callable[[Progress], str],
) -> Progress:
    """Look until the table is settled; for ever where `keep` says so, until Ctrl-C.

    `since` is when the workloads were started, on the monotonic clock.

    Raises:
        DemoError: the operator ended, the API server is silent, or (where not kept) time is up.
    """
    progress, settled = Progress(), False
    answered = time.monotonic()
    while keep or not settled:
        operator.check()
        answer = kubectl.ask(*COMMAND, seconds=10)
        now = time.monotonic()
        if answer.code == 0:
            answered = now
            new = progress.take(parse(answer.out), seconds=now - since)
            late = "" if settled else _late(progress, now - since, place)
            if late and not keep:
                raise DemoError(late)
            view.show(progress, answer.out, new=new, problem=late)
        else:
            _check_silence(now - answered, answer.problem, place)
            problem = f"The API server does not answer: {answer.problem}".splitlines()[0]
            view.show(progress, "", new=False, problem=problem)
        if progress.settled and not settled:
            settled = True
            view.tell(when_settled(progress))
        if keep or not settled:
            time.sleep(LOOK_EVERY_S)
    return progress


def _late(progress: Progress, seconds: float, place: Place) -> str:
    if seconds < SETTLED_S:
        return ""
    lacks = (
        f"no diagnosis of {', '.join(progress.missing)}"
        if progress.missing
        else f"no repeat of {', '.join(progress.unrepeated)}"
    )
    return (
        f"After {seconds:.0f} s there is {lacks}. Either the node does not run the Pods (kubectl "
        f"get pods -n shop) or the operator does not see them; its log: {place.operator_log}"
    )


def _check_silence(seconds: float, problem: str, place: Place) -> None:
    if seconds > SILENT_S:
        raise DemoError(
            f"The API server has not answered for {seconds:.0f} s ({problem}), so there is nothing "
            f"to show. If it is the local cluster, its logs: {place.cluster_cache / 'state/logs'}"
        )
