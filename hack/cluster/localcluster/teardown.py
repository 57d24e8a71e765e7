"""Taking a cluster away, whole or half-made, by what is on the disk and not by what a program
remembers.

Everything is killed and nothing is asked to go politely: the state is thrown away with it, and a
polite end needs parts that may have crashed. So there is one way down, and a crash takes the same
one. Each step finds what it removes by the cluster's own marks (the state's path, the control
group, the network's name) and undoes settings by the record.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from localcluster import cgroups, containerd, firewall, mounts, network, processes, records
from localcluster.errors import ClusterError
from localcluster.layout import Layout

KILL_TIMEOUT_S = 15.0
CONTAINER_LOGS = Path("/var/log/containers")


def exists(layout: Layout) -> bool:
    return layout.state.exists() or bool(processes.ours(layout.state))


def tear_down(layout: Layout) -> None:
    """Leaves nothing of the cluster but its binaries, its images and its logs."""
    before = records.load(layout.before)
    sandboxes = containerd.sandboxes(layout)
    kill_all(layout)
    if before is not None:
        _undo_machine(layout, before)
        _remove_files(layout, before, sandboxes)
    _keep_logs(layout)
    if left := mounts.remaining(layout.state):
        raise ClusterError(f"These mounts cannot be undone: {', '.join(left)}.")
    # Last: the record goes only when all that it is needed for is done.
    for entry in sorted(layout.state.glob("*"), key=lambda path: path == layout.before):
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.rmtree(layout.state, ignore_errors=True)


def _undo_machine(layout: Layout, before: records.Before) -> None:
    mounts.unmount_all(layout.state)
    # A restart of the machine undid these already, and what has their names now is somebody else's.
    if before.boot == records.read_boot():
        network.remove(service_address=not before.service_address)
        firewall.clean(before.chains)
        cgroups.remove()
        cgroups.restore_controllers(before.controllers)
        records.restore_settings(before.settings, records.load_settings(layout.finished))


def _remove_files(layout: Layout, before: records.Before, sandboxes: set[str]) -> None:
    containerd.remove_results(sandboxes)
    _remove_log_links(layout)
    containerd.remove_sockets(before.sockets)
    records.remove_paths(before.paths)


def kill_all(layout: Layout) -> None:
    """Kills until nothing was seen twice in a row: what dies may have started something."""
    deadline = time.monotonic() + KILL_TIMEOUT_S
    quiet = 0
    while quiet < 2:
        found = {process.pid for process in processes.ours(layout.state)}
        if layout.before.exists():
            found |= cgroups.processes()
        found -= {os.getpid()}
        quiet = 0 if found else quiet + 1
        cgroups.kill(found)
        if found and time.monotonic() > deadline:
            raise ClusterError(f"These processes cannot be killed: {sorted(found)}.")
        time.sleep(0.05)


def _remove_log_links(layout: Layout) -> None:
    if CONTAINER_LOGS.is_dir():
        for link in CONTAINER_LOGS.iterdir():
            with suppress(OSError):
                if link.is_symlink() and link.readlink().is_relative_to(layout.state):
                    link.unlink()


def _keep_logs(layout: Layout) -> None:
    """A cluster that did not come up is undone, and its logs are what tells why."""
    if layout.logs.is_dir():
        shutil.rmtree(layout.last_logs, ignore_errors=True)
        layout.logs.rename(layout.last_logs)
