"""The operator, as a process beside the demo: as anybody starts it from a laptop."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from hack.demo import processes
from hack.demo.console import wait_for
from hack.demo.errors import DemoError, with_log
from hack.demo.place import Place
from hack.demo.record import Record, Started
from hack.demo.shop import NAMESPACE

ROLE = "operator"
STARTED_S = 60.0
STOP_S = 20.0
WATCHES = "Watching"


def check_installed() -> None:
    if importlib.util.find_spec("kausa") is None:
        raise DemoError(
            f"{sys.executable} does not have the operator installed, and nothing was started. "
            "`make demo` makes the environment for it and starts the demo there."
        )


def settings(place: Place) -> dict[str, str]:
    """It watches the demo's namespace alone, so it leaves nothing behind in any other."""
    return {
        "KAUSA_NAMESPACE": NAMESPACE,
        "KAUSA_MEMORY_PATH": str(place.memory),
        "KAUSA_LOG_FORMAT": "text",
        "KAUSA_REPEAT_INTERVAL_SECONDS": os.environ.get("KAUSA_REPEAT_INTERVAL_SECONDS", "2"),
    }


class Operator:
    """One that we have just started."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def started(self) -> Started | None:
        return processes.identify(self._process.pid)

    def check(self) -> None:
        """Raises DemoError where it has ended."""
        if (code := self._process.poll()) is not None:
            raise DemoError(
                with_log(
                    f"The operator ended by itself (exit code {code}), so nothing is diagnosed "
                    "any more.",
                    self._log,
                )
            )

    def wait_until_it_watches(self) -> None:
        def watches() -> bool:
            self.check()
            return WATCHES in self._log.read_text(errors="replace")

        wait_for(
            "the operator to watch",
            watches,
            seconds=STARTED_S,
            otherwise=f"It runs, but the API server does not answer it. Its log: {self._log}",
        )


def start(place: Place, kubeconfig: Path) -> Operator:
    """With an empty log and an empty memory."""
    place.folder.mkdir(parents=True, exist_ok=True)
    place.operator_log.write_text("")
    shutil.rmtree(place.memory, ignore_errors=True)
    command = [sys.executable, "-m", "kausa", "run", "--kubeconfig", str(kubeconfig)]
    process = processes.start(
        command,
        folder=place.folder,
        role=ROLE,
        log=place.operator_log,
        environment=settings(place),
    )
    return Operator(process, place.operator_log)


def stop(place: Place, record: Record) -> bool:
    """Stops the recorded one and any that was started just before a kill; whether there was one."""
    found = set(processes.ours(place.folder, ROLE))
    if record.operator is not None and processes.is_alive(record.operator):
        found.add(record.operator)
    oldest_first = sorted(found, key=lambda one: (one.ticks, one.pid))
    # Its children end with it; only what is left then is ended one by one.
    processes.stop(oldest_first[:1], number=signal.SIGTERM, grace_s=STOP_S)
    processes.stop(oldest_first[1:], number=signal.SIGTERM, grace_s=STOP_S)
    return bool(found)
