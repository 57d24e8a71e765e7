"""The operator as a process of its own, as a user starts it, to be killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

__all__ = ["OperatorProcess", "wait_for"]

T = TypeVar("T")
LOST_THE_LEASE = 5
RESTART_SECONDS = 1.0


def wait_for(ask: Callable[[], T | None], *, what: str, seconds: float = 60.0) -> T:
    """The first answer that is not None or False; fails with what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}; last: {answer!r}")
        time.sleep(0.1)


class OperatorProcess:
    """`kausa run`, its log in a file."""

    def __init__(self, *, kubeconfig: str, folder: Path, **settings: str) -> None:
        self.log_path = folder / "operator.log"
        self._command = [sys.executable, "-m", "kausa", "run", "--kubeconfig", kubeconfig]
        self._environment = {
            **os.environ,
            "KAUSA_MEMORY_PATH": str(folder / "memory"),
            "KAUSA_REDACTION_KEY_PATH": str(folder / "redaction.key"),
            "KAUSA_LOG_FORMAT": "json",
            "KAUSA_REPEAT_INTERVAL_SECONDS": "1",
            # Whoever was killed before holds the Lease under this name, so nobody waits for it.
            "KAUSA_IDENTITY": "tests",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.restarts = 0
        """How often `kept_alive` has started it again."""

    def start(self) -> OperatorProcess:
        """Start it and wait until it watches."""
        before = self.log().count('"Watching"')
        self.launch()
        wait_for(
            lambda: self.log().count('"Watching"') > before or not self.running,
            what="the operator to watch",
        )
        assert self.running, self.log()
        return self

    def launch(self) -> OperatorProcess:
        """Start it and wait for nothing."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        return self

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """All that it has logged, also before it was killed."""
        return self.log_path.read_text() if self.log_path.exists() else ""

    def workers(self) -> list[str]:
        """The processes of its vector store, also those that an earlier life has left behind."""
        found = subprocess.run(
            ["pgrep", "-f", f"edge.worker.*{self.log_path.parent}"],
            capture_output=True,
            text=True,
            check=False,
        )
        return found.stdout.split()

    def kill(self) -> None:
        """SIGKILL, as a node that dies would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=10)

    @contextmanager
    def kept_alive(self) -> Iterator[OperatorProcess]:
        """Meanwhile it is started again when it ends because it lost its Lease, as a kubelet would;
        not where it ends for another reason, which is a failure to be seen.
        """
        over = threading.Event()

        def keep() -> None:
            while not over.wait(RESTART_SECONDS):
                if self._process is not None and self._process.poll() == LOST_THE_LEASE:
                    self.restarts += 1
                    self.launch()

        keeper = threading.Thread(target=keep, daemon=True)
        keeper.start()
        try:
            yield self
        finally:
            over.set()
            keeper.join()

    def freeze(self) -> None:
        """SIGSTOP, as a machine that stands still; `thaw` lets it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self, *, seconds: float = 20.0) -> int:
        """SIGTERM; the exit code."""
        self.ask_to_stop()
        return self.wait(seconds=seconds)

    def ask_to_stop(self) -> None:
        """SIGTERM, without waiting for the end."""
        assert self._process is not None
        if self.running:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, *, seconds: float = 20.0) -> int:
        """The exit code; a process that does not end is killed and fails the test."""
        assert self._process is not None
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the operator did not end:\n{self.log()[-3000:]}") from None
