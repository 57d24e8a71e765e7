"""Starting, watching and stopping the components of one cluster."""

from __future__ import annotations

import time
from pathlib import Path

from localcluster import processes
from localcluster.components import Component, components
from localcluster.console import say
from localcluster.errors import ClusterError
from localcluster.layout import Layout
from localcluster.processes import Process
from localcluster.waiting import wait_for

STOP_GRACE_S = 15.0


class Supervisor:
    """The components, by their names; `binaries` is the folder that this cluster was made from."""

    def __init__(self, layout: Layout, binaries: Path, *, began: float | None = None) -> None:
        self._layout = layout
        self._components = components(layout, binaries)
        self.binaries = binaries
        self._began = time.monotonic() if began is None else began

    @classmethod
    def of_recorded(cls, layout: Layout) -> Supervisor:
        """For a cluster that is there: a later build does not change what it runs."""
        try:
            return cls(layout, Path((layout.run / "binaries").read_text()))
        except FileNotFoundError:
            return cls(layout, Path())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._components)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def command(self, name: str) -> tuple[str, ...]:
        """How a component is started."""
        return self._named(name).command

    def process(self, name: str) -> Process | None:
        running = processes.ours(self._layout.state)
        return processes.main_process(running, name, self._components[name].binary)

    def missing(self) -> list[str]:
        return [name for name in self._components if self.process(name) is None]

    def start(self, name: str) -> None:
        if self.process(name) is not None:
            return
        component = self._named(name)
        processes.start(
            component.command,
            component=name,
            owner=self._layout.state,
            log=self._layout.log(name),
            # containerd looks for its shim beside itself.
            path=f"{Path(component.command[0]).parent}:{processes.PATH}",
        )

    def wait(self, name: str) -> None:
        component = self._named(name)
        wait_for(
            name,
            component.is_ready,
            timeout_s=component.timeout_s,
            log=self._layout.log(name),
            alive=lambda: self.process(name) is not None,
        )
        self.tell(name)

    def tell(self, what: str) -> None:
        say(f"  {what} ready after {self.elapsed_s:.1f} s")

    def stop(self, name: str) -> None:
        process = self.process(name)
        if process is None:
            say(f"{name} does not run.")
            return
        processes.stop(process, grace_s=STOP_GRACE_S)
        say(f"Stopped {name}.")

    def _named(self, name: str) -> Component:
        try:
            return self._components[name]
        except KeyError:
            known = ", ".join(self._components)
            raise ClusterError(f"There is no component {name}; there are {known}.") from None
