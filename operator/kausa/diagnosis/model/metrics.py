"""What Prometheus may ask of the model; labels come from closed lists alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from kausa.diagnosis.model.breaker import BreakerState, CircuitBreaker
from kausa.diagnosis.model.choosing import Role

__all__ = ["ModelMetrics"]

ANSWER_SECONDS: Final = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
WAIT_SECONDS: Final = (0.1, 1, 5, 15, 60, 300, 900, 3600, 14_400)
_STATES: Final[Mapping[BreakerState, int]] = {
    BreakerState.CLOSED: 0,
    BreakerState.HALF_OPEN: 1,
    BreakerState.OPEN: 2,
}


class ModelMetrics:
    """What has happened, told where it happens; of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"kausa_model_{name}", what, labels, registry=registry)

        def gauge(name: str, what: str, *labels: str) -> Gauge:
            return Gauge(f"kausa_model_{name}", what, labels, registry=registry)

        self._available = gauge("available", "1 while the model is asked, else 0.")
        self._circuit = gauge(
            "circuit_state", "0 closed, 1 half-open, 2 open: questions are not asked.", "role"
        )
        self._waiting = gauge("queue_waiting", "Failures that wait for the model.")
        self._oldest = gauge("queue_oldest_seconds", "How long the oldest of them has waited.")
        self._asking = gauge("asking", "Questions that the model is at.")
        self._left = gauge("budget_left_tokens", "What may be spent now of this hour's tokens.")
        self._questions = counter(
            "questions", "Questions by the role of the model and by what came of them.",
            "role", "result",
        )  # fmt: skip
        self._tokens = counter("tokens", "Tokens read and written.", "role", "direction")
        self._left_queue = counter(
            "queue_left", "Failures that left the queue without an answer, by why.", "why"
        )
        self._answer = Histogram(
            "kausa_model_answer_seconds",
            "How long an answer took, its repair included.",
            ("role",),
            buckets=ANSWER_SECONDS,
            registry=registry,
        )
        self._wait = Histogram(
            "kausa_model_queue_wait_seconds",
            "How long a failure waited until it was asked about.",
            buckets=WAIT_SECONDS,
            registry=registry,
        )

    # -- what is read at a scrape ----------------------------------------------------------------

    def observe_circuit(self, role: Role, breaker: CircuitBreaker) -> None:
        """Show the state of this breaker."""
        self._circuit.labels(role).set_function(lambda: _STATES[breaker.state])

    def observe_budget(self, left: Callable[[], float]) -> None:
        """Ask this for the tokens that are left; infinity where there is no bound."""
        self._left.set_function(left)

    def observe_queue(
        self, *, waiting: Callable[[], int], asking: Callable[[], int], oldest: Callable[[], float]
    ) -> None:
        """Ask these for the length of the queue, what is asked now, and the age of its oldest."""
        self._waiting.set_function(waiting)
        self._asking.set_function(asking)
        self._oldest.set_function(oldest)

    # -- what has happened -----------------------------------------------------------------------

    def available(self, available: bool) -> None:
        """Whether the model is asked from now on."""
        self._available.set(available)

    def asked(self, role: Role, result: str) -> None:
        """A question came to its end: `answered`, `cached`, `cancelled`, or an error's reason."""
        self._questions.labels(role, result).inc()

    def spent(self, role: Role, *, prompt: int, output: int) -> None:
        """Tokens were used, whatever came of them."""
        self._tokens.labels(role, "prompt").inc(prompt)
        self._tokens.labels(role, "output").inc(output)

    def answered(self, role: Role, *, seconds: float) -> None:
        """An answer that holds is there."""
        self._answer.labels(role).observe(seconds)

    def left_queue(self, why: str) -> None:
        """Nobody asks: `full` queue, or `over` (resolved, deleted, suspended)."""
        self._left_queue.labels(why).inc()

    def waited(self, *, seconds: float) -> None:
        """A failure's turn has come."""
        self._wait.observe(seconds)
