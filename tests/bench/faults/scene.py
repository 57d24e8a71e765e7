"""Where a fault happens: a namespace, operators, proxies, and who looks at all of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.faults.breaking import Breaker
from bench.faults.counting import Count, count
from bench.faults.restarts import miscounted
from bench.faults.witness import Witness, witness
from support.cutting_proxy import CuttingProxy, cutting_proxy
from support.namespace import Namespace
from support.operator_process import OperatorProcess

__all__ = ["Outcome", "Scene", "scene"]

PATIENCE_SECONDS = 180.0
QUIET_SECONDS = 5.0
"""How long nothing more may come, once all is there: a second resource comes late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one fault."""

    fault: str
    count: Count
    found_seconds: float
    """From the end of the fault until each failure had a resource; infinite where never."""
    answered_seconds: float
    """From the end of the fault until each was diagnosed."""
    went_back: tuple[str, ...]
    """Counts of occurrences that became smaller."""
    miscounted: tuple[str, ...]
    """Crashes that were counted twice or not at all."""
    notes: tuple[str, ...]
    """Other numbers of this fault, in words."""

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong, in words; empty where nothing is."""
        named = {
            "lost": self.count.lost,
            "doubled": self.count.doubled,
            "unexpected": self.count.unexpected,
            "went back": self.went_back,
            "miscounted": self.miscounted,
        }
        wrong = [f"{what}: {each}" for what, all_ in named.items() for each in all_]
        if self.count.answered < self.count.failures:
            wrong.append(f"not diagnosed: {self.count.failures - self.count.answered}")
        return tuple(wrong)


class Scene:
    """Made by `scene`, which also ends all that it started."""

    def __init__(
        self,
        *,
        kubeconfig: str,
        folder: Path,
        namespace: Namespace,
        eyes: Witness,
        patience_seconds: float,
        stack: ExitStack,
    ) -> None:
        self.namespace = namespace
        self.breaker = Breaker(namespace)
        self._kubeconfig = kubeconfig
        self._folder = folder
        self._eyes = eyes
        self._patience_seconds = patience_seconds
        self._stack = stack

    def operator(
        self, name: str = "faults", *, through: CuttingProxy | None = None, **settings: Any
    ) -> OperatorProcess:
        """An operator of that identity, not started yet."""
        folder = self._folder / name
        folder.mkdir()
        process = OperatorProcess(
            kubeconfig=str(through.kubeconfig) if through else self._kubeconfig,
            folder=folder,
            KAUSA_IDENTITY=name,
            **settings,
        )
        self._stack.callback(lambda: process.running and process.stop())
        return process

    def proxy(self, name: str = "faults") -> CuttingProxy:
        """A way to the API server that can be cut."""
        made = cutting_proxy(self._kubeconfig, folder=self._folder / f"proxy-{name}")
        return self._stack.enter_context(made)

    def outcome(self, fault: str, *, since: float, notes: tuple[str, ...] = ()) -> Outcome:
        """Wait until all is found and diagnosed, or patience ends; then count.

        `since`: when the fault was over, by `time.monotonic`.
        """
        deadline = time.monotonic() + self._patience_seconds
        found_seconds = answered_seconds = float("inf")
        while time.monotonic() < deadline:
            counted = self._count()
            passed = time.monotonic() - since
            if counted.found == counted.failures:
                found_seconds = min(found_seconds, passed)
            if counted.complete:
                answered_seconds = passed
            if counted.complete and not counted.unexpected:
                break
            time.sleep(0.2)
        time.sleep(QUIET_SECONDS)
        failures = self.breaker.failures
        wrong = miscounted(self.namespace, failures)
        return Outcome(
            fault=fault,
            count=self._count(),
            found_seconds=found_seconds,
            answered_seconds=answered_seconds,
            went_back=tuple(self._eyes.went_back),
            miscounted=wrong,
            notes=(*notes, f"{self._eyes.changes} changes of resources seen"),
        )

    def _count(self) -> Count:
        return count(self.breaker.failures, self.namespace.diagnoses())


@contextmanager
def scene(
    *,
    kubeconfig: str,
    folder: Path,
    namespace: Namespace,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Iterator[Scene]:
    """A scene in a namespace; operators and proxies are ended with the block."""
    with (
        witness(kubeconfig=kubeconfig, namespace=namespace.name) as eyes,
        ExitStack() as stack,
    ):
        yield Scene(
            kubeconfig=kubeconfig,
            folder=folder,
            namespace=namespace,
            eyes=eyes,
            patience_seconds=patience_seconds,
            stack=stack,
        )
