"""A control group of our own: whatever runs in a pod is found, and killed, by where it is.

Works on version 1 (one tree a controller), version 2, and the two side by side.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from localcluster.mounts import unescape

NAME = "kausa-cluster"
KILL_TIMEOUT_S = 10.0
_V2_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


def hierarchies(mountinfo: str) -> list[Path]:
    """The mount points of all control group trees in /proc/self/mountinfo."""
    points = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        if right.split(" ", 1)[0] in ("cgroup", "cgroup2"):
            points.append(Path(unescape(left.split()[4])))
    return points


def trees() -> list[Path]:
    mounted = hierarchies(Path("/proc/self/mountinfo").read_text())
    return [tree / NAME for tree in mounted]


def controllers() -> dict[str, str]:
    """The controllers that each version 2 tree hands down to its groups."""
    files = (tree.parent / "cgroup.subtree_control" for tree in trees())
    return {str(file): file.read_text().strip() for file in files if file.exists()}


def make() -> None:
    for file in controllers():
        for controller in _V2_CONTROLLERS:
            with suppress(OSError):
                Path(file).write_text(f"+{controller}")
    for tree in trees():
        tree.mkdir(exist_ok=True)
        # A version 1 cpuset starts empty, and nothing can run in an empty one.
        for setting in ("cpuset.cpus", "cpuset.mems"):
            source, target = tree.parent / setting, tree / setting
            if source.exists() and target.exists() and not target.read_text().strip():
                target.write_text(source.read_text())


def restore_controllers(before: Mapping[str, str]) -> None:
    """Switches off what `make` switched on; what others use by now refuses, and stays."""
    for file, now in controllers().items():
        for controller in set(now.split()) - set(before.get(file, now).split()):
            with suppress(OSError):
                Path(file).write_text(f"-{controller}")


def processes() -> set[int]:
    found: set[int] = set()
    for tree in trees():
        for folder in _folders(tree):
            with suppress(OSError):
                found.update(int(pid) for pid in (folder / "cgroup.procs").read_text().split())
    return found - {0}


def kill(pids: set[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def remove() -> None:
    """Takes the empty groups away; a dead process may hold its group for a moment."""
    deadline = time.monotonic() + KILL_TIMEOUT_S
    for tree in trees():
        while tree.is_dir() and time.monotonic() < deadline:
            for folder in _folders(tree):
                with suppress(OSError):
                    folder.rmdir()
            if tree.is_dir():
                time.sleep(0.05)


def _folders(tree: Path) -> Iterator[Path]:
    """The groups of a tree, the innermost first."""
    for folder, _, _ in os.walk(tree, topdown=False):
        yield Path(folder)
