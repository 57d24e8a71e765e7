"""Takes away what the demo made, whatever it came to: standard library only.

Everything rests on the record and on what processes carry in their environment, so it is the same
work after Ctrl-C, after a demo that ended well, and after one that was killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from hack.demo import clustertool, kubectl, operator_process, processes, shop
from hack.demo.console import say, wait_for
from hack.demo.errors import DemoError, RunsAlready
from hack.demo.kubectl import Kubectl
from hack.demo.locking import exclusive
from hack.demo.place import Place
from hack.demo.record import Record

RUNNING_DEMO_S = 300.0
ANSWER_S = 40.0


def down(place: Place) -> None:
    """Remove everything, also what a running demo has."""
    ended = _end_running_demo(place)
    with exclusive(place.lock):
        if not remove(place):
            say("It has removed everything." if ended else "There is no demo to remove.")


def remove(place: Place) -> bool:
    """Remove all that is recorded; whether there was anything. The caller holds the lock.

    Raises:
        DemoError: something is still there; the record stays, and a second call goes on.
    """
    began = time.monotonic()
    record = Record.load(place.record)
    clustertool.interrupt_up(place)
    stopped = operator_process.stop(place, record or Record(owns_cluster=False))
    if stopped:
        say("The operator is stopped.")
    if record is not None:
        _leave_cluster(place, record)
    shutil.rmtree(place.folder)
    if record is not None:
        say(f"All that the demo made is removed ({time.monotonic() - began:.1f} s).")
    return stopped or record is not None


def _leave_cluster(place: Place, record: Record) -> None:
    """Down, if the demo brought it up; else as it was before."""
    present = cluster_id(place, record.kubeconfig)
    if record.cluster and present and present != record.cluster:
        say("The cluster of the demo is gone; the one that is there now is left alone.")
        return
    if record.owns_cluster:
        clustertool.down(place)
        return
    if not record.cluster or not Path(record.kubeconfig).exists():
        return
    wait_for(
        "the API server to answer",
        lambda: cluster_id(place, record.kubeconfig) == record.cluster,
        seconds=ANSWER_S,
        otherwise=f"The namespace {shop.NAMESPACE} may still be in the cluster of "
        f"{record.kubeconfig}. `make demo-down` tries again.",
    )
    client = Kubectl(kubectl.required(place), Path(record.kubeconfig))
    shop.close(client)
    shop.undefine(client, record.crds)
    say("The cluster was up before the demo, and stays up.")


def cluster_id(place: Place, kubeconfig: str | Path) -> str:
    """What tells this cluster from any other; empty where none answers."""
    binary = kubectl.find(place)
    if binary is None or not kubeconfig or not Path(kubeconfig).exists():
        return ""
    question = ("get", "namespace", "kube-system", "-o=jsonpath={.metadata.uid}")
    return Kubectl(binary, Path(kubeconfig)).ask(*question, seconds=15).out


def _end_running_demo(place: Place) -> bool:
    """Whether there was one."""
    pid = _holder(place)
    if pid is None:
        return False
    if not holds(pid, place.lock):
        raise DemoError(f"{place.lock} is held, but not by process {pid} that it names. Try again.")
    say(f"A demo runs (pid {pid}); telling it to end.")
    os.kill(pid, signal.SIGTERM)
    try:
        wait_for(
            "the running demo to remove what it made",
            lambda: _holder(place) != pid,
            seconds=RUNNING_DEMO_S,
            otherwise="",
        )
    except DemoError:
        say(f"It did not end within {RUNNING_DEMO_S:.0f} s, and is killed; its work is taken over.")
        if holds(pid, place.lock):
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.5)
    return True


def _holder(place: Place) -> int | None:
    try:
        with exclusive(place.lock):
            return None
    except RunsAlready as running:
        return running.pid


def holds(pid: int, lock: Path, *, proc: Path = processes.PROC) -> bool:
    """Whether this process has the lock's file open: a number in a file is no proof."""
    with contextlib.suppress(OSError):
        for entry in (proc / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):  # closed since it was listed
                if os.readlink(entry) == str(lock):
                    return True
    return False
