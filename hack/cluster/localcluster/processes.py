"""Processes that say themselves whose they are.

There are no pid files: a kill between a start and the writing of its pid would leave an orphan
that nobody knows, and a pid that was used again would name a stranger. Each daemon carries the
cluster's state folder and its component in its environment instead, and so does whatever it starts
(containerd's shims among them), so one look over /proc finds all that is ours. A zombie has no
environment left, so it counts as gone, however late its parent reaps it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OWNER = "KAUSA_LOCAL_CLUSTER_STATE"
COMPONENT = "KAUSA_LOCAL_CLUSTER_COMPONENT"
ENVIRONMENT_TIMEOUT_S = 10.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of ours; `started` (ticks since boot) tells it from a later one of that pid."""

    pid: int
    started: int
    component: str
    command: tuple[str, ...]


def parse_stat(stat: str) -> tuple[str, int]:
    """The state letter and start time of /proc/PID/stat; the name may hold spaces and brackets."""
    fields = stat.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def parse_environment(environ: bytes) -> dict[str, str]:
    pairs = (entry.partition(b"=") for entry in environ.split(b"\0") if b"=" in entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def resident_mib(status: str) -> int:
    """The resident memory of /proc/PID/status, in MiB; a zombie has none."""
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


def read_process(folder: Path, *, owner: Path) -> Process | None:
    """The process of one /proc folder, or None where it is gone, dead or not ours."""
    try:
        environment = parse_environment((folder / "environ").read_bytes())
        if environment.get(OWNER) != str(owner):
            return None
        state, started = parse_stat((folder / "stat").read_text())
        words = (folder / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return None
    if state in "ZX":
        return None
    command = tuple(os.fsdecode(word) for word in words)
    return Process(int(folder.name), started, environment.get(COMPONENT, ""), command)


def ours(owner: Path, *, proc: Path = Path("/proc")) -> list[Process]:
    """All live processes that carry this owner, oldest first."""
    folders = (entry for entry in proc.iterdir() if entry.name.isdigit())
    found = (read_process(folder, owner=owner) for folder in folders)
    return sorted((process for process in found if process), key=lambda one: (one.started, one.pid))


def main_process(processes: Iterable[Process], component: str, binary: str) -> Process | None:
    """The component's own process: not a shim or a child that inherited its environment."""
    for process in processes:
        if process.component == component and Path(process.command[0]).name == binary:
            return process
    return None


def is_alive(process: Process, *, proc: Path = Path("/proc")) -> bool:
    try:
        state, started = parse_stat((proc / str(process.pid) / "stat").read_text())
    except OSError:
        return False
    return state not in "ZX" and started == process.started


def memory_of(process: Process, *, proc: Path = Path("/proc")) -> int:
    try:
        return resident_mib((proc / str(process.pid) / "status").read_text())
    except OSError:
        return 0


def start(
    command: Sequence[str],
    *,
    component: str,
    owner: Path,
    log: Path,
    path: str,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Starts a daemon in a session of its own, with nothing of the caller's environment but the
    `settings` that are named. (`env` before the command would start a program twice, and between
    the two there is a moment in which the process counts as dead.)
    """
    environment = {"PATH": path, "HOME": "/", **(settings or {})}
    environment |= {OWNER: str(owner), COMPONENT: component}
    with log.open("ab") as output:
        daemon = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    wait_for_environment(Path(f"/proc/{daemon.pid}"))
    # It outlives this object, and Python would warn of that.
    daemon.returncode = 0


def wait_for_environment(folder: Path, *, timeout_s: float = ENVIRONMENT_TIMEOUT_S) -> bool:
    """Waits until a process that was just started shows its environment; false if it never did.

    The kernel says that a program was started before it has laid the environment out, and a process
    without one would count as dead. With a large program that is not in memory yet, and busy cores,
    that is long enough to be seen.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if (folder / "environ").read_bytes():
                return True
            if parse_stat((folder / "stat").read_text())[0] in "ZX":
                return False
        except OSError:
            return False
        time.sleep(0.005)
    return False


def send(process: Process, number: signal.Signals) -> None:
    if is_alive(process):
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return


def stop(process: Process, *, grace_s: float) -> None:
    """Asks the process to go, then makes it; returns when it is gone."""
    send(process, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while is_alive(process):
        if time.monotonic() > deadline:
            send(process, signal.SIGKILL)
        time.sleep(0.05)


def run(command: Sequence[str], *, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs a tool to its end; its exit status is the caller's to judge."""
    try:
        return subprocess.run(
            list(command),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout_s,
            env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{PATH}"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(
            list(command), 124, "", f"no answer in {timeout_s:.0f} s"
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(list(command), 127, "", f"{command[0]} is not installed")
