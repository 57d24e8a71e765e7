"""hack/cluster/cluster.py, asked as a program: its progress goes straight to the terminal.

It runs in a session of its own. So Ctrl-C reaches us alone, we pass it on once, and then wait until
it has undone what it began.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from hack.demo import processes
from hack.demo.console import say
from hack.demo.errors import DemoError, Interrupted
from hack.demo.place import ROOT, Place

TOOL = ROOT / "hack" / "cluster" / "cluster.py"
ROLE = "cluster-up"
ASK_TIMEOUT_S = 60.0
# The first `up` builds Kubernetes, and gives itself 40 minutes for that.
UP_TIMEOUT_S = 3600.0
DOWN_TIMEOUT_S = 300.0
UNDO_S = 120.0


def anything_up(status: str) -> bool:
    """Whether the output of `cluster.py status` names a part that runs."""
    return any("up" in line.split() for line in status.splitlines())


def is_there() -> bool:
    """Whether a cluster, whole or not, is there."""
    return anything_up(_ask("status").stdout)


def kubeconfig() -> Path:
    return Path(_ask("kubeconfig").stdout.strip())


def up(place: Place) -> None:
    """Raises DemoError where there is no cluster afterwards."""
    child = processes.start([sys.executable, str(TOOL), "up"], folder=place.folder, role=ROLE)
    try:
        code = child.wait(timeout=UP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        interrupt_up(place)
        raise DemoError(
            f"The cluster was not up after {UP_TIMEOUT_S:.0f} s, and what was begun is undone. "
            f"Its logs: {place.cluster_cache / 'last-logs'}"
        ) from None
    except Interrupted:
        interrupt_up(place)
        raise
    if code:
        raise DemoError(
            f"The cluster did not come up (exit code {code}); the lines above say why. Logs, if "
            f"anything was started: {place.cluster_cache / 'last-logs'}"
        )


def interrupt_up(place: Place) -> None:
    """Ends an `up` that is under way, also one whose demo was killed; it undoes its work itself."""
    running = processes.ours(place.folder, ROLE)
    if running and not processes.stop(running, number=signal.SIGINT, grace_s=UNDO_S):
        say(f"The start of the cluster did not end within {UNDO_S:.0f} s and was killed.")


def down(place: Place) -> None:
    """Raises DemoError where it is not down afterwards."""
    try:
        done = subprocess.run(
            [sys.executable, str(TOOL), "down"],
            check=False,
            start_new_session=True,
            timeout=DOWN_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise DemoError(
            f"The cluster was not down after {DOWN_TIMEOUT_S:.0f} s. Logs: "
            f"{place.cluster_cache / 'state' / 'logs'}. `make demo-down` tries again."
        ) from None
    if done.returncode:
        raise DemoError(
            f"The cluster could not be taken down (exit code {done.returncode}); the lines above "
            "say why. `make demo-down` tries again."
        )


def _ask(question: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [sys.executable, str(TOOL), question],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=ASK_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise DemoError(
            f"`{TOOL} {question}` had no answer within {ASK_TIMEOUT_S:.0f} s; the cluster's tool "
            "hangs, and nothing was changed."
        ) from None
