"""Processes that the demo started, and the proof that a process is one of them.

Each carries the demo's folder in its environment, and so do its children. A recorded pid is
believed only with the same start time and boot; what was started a moment before a kill, and not
recorded, is found by the folder in its environment. Nothing else is ever sent a signal.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hack.demo.record import Started

from localcluster.processes import parse_environment, parse_stat

MARK = "KAUSA_DEMO_FOLDER"
ROLE = "KAUSA_DEMO_ROLE"
PROC = Path("/proc")


def boot_id(*, proc: Path = PROC) -> str:
    try:
        return (proc / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def identify(pid: int, *, proc: Path = PROC) -> Started | None:
    """Who has this pid now; None where it is nobody, or a process that has ended."""
    try:
        state, ticks = parse_stat((proc / str(pid) / "stat").read_text())
    except (OSError, ValueError, IndexError):
        return None
    return None if state in "ZX" else Started(pid, ticks, boot_id(proc=proc))


def is_alive(process: Started, *, proc: Path = PROC) -> bool:
    return identify(process.pid, proc=proc) == process


def ours(folder: Path, role: str, *, proc: Path = PROC) -> list[Started]:
    """All live processes that carry this folder and role, and so their children."""
    return sorted(_ours(folder, role, proc), key=lambda one: (one.ticks, one.pid))


def _ours(folder: Path, role: str, proc: Path) -> Iterator[Started]:
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = parse_environment((entry / "environ").read_bytes())
        except OSError:
            continue
        if environment.get(MARK) == str(folder) and environment.get(ROLE) == role:
            found = identify(int(entry.name), proc=proc)
            if found is not None:
                yield found


def start(
    command: Sequence[str],
    *,
    folder: Path,
    role: str,
    log: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a process in a session of its own, which Ctrl-C does not reach; it logs to `log`."""
    variables = {**os.environ, **(environment or {}), MARK: str(folder), ROLE: role}
    if log is None:
        return subprocess.Popen(list(command), env=variables, start_new_session=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            list(command),
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop(processes: Sequence[Started], *, number: signal.Signals, grace_s: float) -> bool:
    """Asks all of them to end, and after the grace makes them; whether they ended when asked."""
    for process in processes:
        _send(process, number)
    if _gone(processes, seconds=grace_s):
        return True
    for process in processes:
        _send(process, signal.SIGKILL)
    _gone(processes, seconds=5)
    return False


def _send(process: Started, number: signal.Signals) -> None:
    if is_alive(process):
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return


def _gone(processes: Sequence[Started], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(is_alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
