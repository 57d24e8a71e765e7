"""When a change can have led to a failure: before it began, and not too long before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kausa.cluster.objects import Event, Pod
from kausa.detection.symptom import Symptom

__all__ = ["MOST_BEFORE", "Window", "window_of"]

MOST_BEFORE = timedelta(hours=24)
"""What was changed longer ago has been lived with for a day: through a night's jobs, a full round
of load and most slow leaks. What never worked since is told however old it is."""

AFTER = timedelta(seconds=60)
"""Clocks of nodes differ from the API server's, and a status has whole seconds."""

WORKED_FOR = timedelta(minutes=10)
"""A Pod that failed only after so long had started well with what it was given."""

NODE_BEFORE = timedelta(hours=2)
"""Nodes come, go and are drained all day; a Pod meets such a change soon or never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The moments that matter for one failure."""

    began: datetime
    """When it began to fail, as far as its status and its Events tell."""
    worked_since: datetime | None
    """When what fails was started, if it worked for a while then."""

    def may_have_led_to_it(self, at: datetime | None) -> bool:
        """Whether something changed then is worth telling."""
        return at is not None and self.began - MOST_BEFORE <= at <= self.began + AFTER

    def came_after_it_worked(self, at: datetime | None) -> bool:
        """The same, of what a container reads when it starts, or while it runs: what was there when
        it started well did no harm.
        """
        late_enough = self.worked_since is None or (at is not None and at >= self.worked_since)
        return self.may_have_led_to_it(at) and late_enough

    def just_before(self, at: datetime | None) -> bool:
        """The same, of nodes."""
        return at is not None and self.began - NODE_BEFORE <= at <= self.began + AFTER


def window_of(
    pod: Pod, symptom: Symptom | None, *, events: Iterable[Event], now: datetime
) -> Window:
    """From the earliest sign of the failure: its status, its first warning, or the Pod's age."""
    made = pod.metadata.creation_timestamp
    signs = [
        first
        for each in events
        if each.type == "Warning" and (first := each.first_timestamp or each.event_time)
    ]
    if symptom is not None and symptom.since is not None:
        signs.append(symptom.since)
    if not signs and made is not None:
        signs.append(made)
    began = min((*signs, now))
    worked = made is not None and began - made >= WORKED_FOR
    return Window(began=began, worked_since=made if worked else None)
