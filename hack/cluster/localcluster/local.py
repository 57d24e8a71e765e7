"""The local cluster: one node of plain processes, as root on Linux."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path

from localcluster import (
    binaries,
    bringup,
    containerd,
    dns,
    firewall,
    kwok,
    network,
    packages,
    processes,
    records,
)
from localcluster import teardown as going
from localcluster.checks import check_platform, check_ports
from localcluster.components import PORTS
from localcluster.console import say
from localcluster.errors import ClusterError
from localcluster.fakenodes import FakeNodes
from localcluster.layout import Layout
from localcluster.locking import exclusive
from localcluster.supervisor import Supervisor

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Situation(Enum):
    """What `up` finds."""

    NOTHING = "nothing is there"
    WHOLE = "all components run"
    BROKEN = "it came up once, and some components are gone since"
    LEFTOVER = "it never came up, the machine restarted since, or another version made it"


def situation(*, recorded: bool, finished: bool, same_boot: bool, all_run: bool) -> Situation:
    if not recorded:
        return Situation.NOTHING
    if not (finished and same_boot):
        return Situation.LEFTOVER
    return Situation.WHOLE if all_run else Situation.BROKEN


class LocalCluster:
    """A cluster of plain processes on this machine."""

    def __init__(self, layout: Layout, environment: Mapping[str, str]) -> None:
        self._layout = layout
        self._environment = environment

    @property
    def kubeconfig(self) -> Path:
        return self._layout.kubeconfig

    def up(self) -> None:
        check_platform()
        with exclusive(self._layout.lock):
            match self._situation():
                case Situation.WHOLE:
                    say(f"The cluster is up already: KUBECONFIG={self.kubeconfig}")
                case Situation.BROKEN:
                    self._mend()
                case Situation.LEFTOVER:
                    say("Clearing away what an earlier cluster left.")
                    _shielded(lambda: going.tear_down(self._layout))
                    self._create()
                case Situation.NOTHING:
                    self._create()

    def down(self) -> None:
        check_platform()
        with exclusive(self._layout.lock):
            if not going.exists(self._layout):
                say("The cluster is not up.")
                return
            began = time.monotonic()
            _shielded(lambda: going.tear_down(self._layout))
            say(f"The cluster is down after {time.monotonic() - began:.1f} s.")

    def status(self) -> bool:
        """Prints a line for each component; true where all of them run."""
        check_platform()
        supervisor = Supervisor.of_recorded(self._layout)
        for name in supervisor.names:
            process = supervisor.process(name)
            if process is None:
                print(f"{name:<24} down")
            else:
                memory = processes.memory_of(process)
                print(f"{name:<24} up    pid {process.pid:<8} {memory:>5} MiB")
        return not supervisor.missing()

    def load_image(self, file: Path) -> None:
        check_platform()
        if not containerd.answers(self._layout):
            raise ClusterError("containerd does not run; `up` starts the cluster.")
        containerd.load_image(self._layout, file)
        say(f"Loaded {file}.")

    def stop(self, name: str) -> None:
        check_platform()
        with exclusive(self._layout.lock):
            Supervisor.of_recorded(self._layout).stop(name)

    def restart(self, name: str) -> None:
        check_platform()
        with exclusive(self._layout.lock):
            if not self._layout.finished.exists():
                raise ClusterError("The cluster is not up; `up` starts it.")
            supervisor = Supervisor.of_recorded(self._layout)
            supervisor.stop(name)
            supervisor.start(name)
            supervisor.wait(name)

    def kwok_up(self, nodes: int) -> None:
        """Adds fake nodes, and the process that plays them."""
        check_platform()
        with exclusive(self._layout.lock):
            if not self._layout.finished.exists():
                raise ClusterError("The cluster is not up; `up` starts it.")
            if kwok.recorded(self._layout) is None:
                check_ports({kwok.PORT: kwok.NAME})
            program = kwok.ensure(self._layout.root, self._environment)
            changed = kwok.remember(self._layout, program)
            supervisor = Supervisor.of_recorded(self._layout)
            if changed and supervisor.process(kwok.NAME) is not None:
                supervisor.stop(kwok.NAME)
            bringup.start_kwok(supervisor)
            FakeNodes(self._layout).make(nodes)
            say(f"{nodes} fake nodes are there after {supervisor.elapsed_s:.1f} s.")

    def kwok_down(self) -> None:
        """Takes the fake nodes away with their pods."""
        check_platform()
        with exclusive(self._layout.lock):
            if kwok.recorded(self._layout) is None:
                say("There are no fake nodes.")
                return
            supervisor = Supervisor.of_recorded(self._layout)
            supervisor.stop(kwok.NAME)
            pods = FakeNodes(self._layout).remove()
            kwok.forget(self._layout)
            say(f"The fake nodes are gone with {pods} pods after {supervisor.elapsed_s:.1f} s.")

    def _situation(self) -> Situation:
        before = records.load(self._layout.before)
        return situation(
            recorded=going.exists(self._layout),
            finished=records.is_finished(self._layout.finished),
            same_boot=before is not None and before.boot == records.read_boot(),
            all_run=not Supervisor.of_recorded(self._layout).missing(),
        )

    def _create(self) -> None:
        check_ports(PORTS)
        packages.ensure()
        network.check_free()
        firewall.check_free()
        folder = binaries.ensure(self._layout.root, self._environment)
        coredns = dns.ensure(self._layout.root, self._environment)
        kubectl = binaries.ensure_kubectl(self._layout.root, folder)
        began = time.monotonic()
        try:
            bringup.prepare(self._layout, folder, coredns=coredns)
            # What it starts is written down by now.
            supervisor = Supervisor(self._layout, folder, began=began)
            bringup.start_all(self._layout, supervisor)
            records.write_finished(self._layout.finished)
        except BaseException:
            say(f"Undoing what was started; the logs stay in {self._layout.last_logs}.")
            _shielded(lambda: going.tear_down(self._layout))
            raise
        say(f"kubectl: {kubectl or 'none on PATH, and no Go to build one'}")
        self._tell_up(supervisor)

    def _mend(self) -> None:
        """Starts what is gone, with the cluster's data as they are."""
        supervisor = Supervisor.of_recorded(self._layout)
        missing = supervisor.missing()
        say(f"The cluster is there, but not all of it runs; starting {', '.join(missing)}.")
        try:
            bringup.start_all(self._layout, supervisor)
        except BaseException:
            for name in missing:
                supervisor.stop(name)
            raise
        self._tell_up(supervisor)

    def _tell_up(self, supervisor: Supervisor) -> None:
        say(f"The cluster is up after {supervisor.elapsed_s:.1f} s: KUBECONFIG={self.kubeconfig}")


def _shielded(undo: Callable[[], object]) -> None:
    """An undo that is interrupted would leave the machine half cleaned, so it cannot be."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    undo()
