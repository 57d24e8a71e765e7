"""How long a state may last before it is a failure: one place for all of them, with the reasons.

A grace that is too short reports Pods that are only young; one that is too long hides failures from
those who wait. All of them are lengths of time after the moment at which the state began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["GRACES", "Graces"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graces:
    """The lengths; each says why it is what it is."""

    unscheduled: timedelta = timedelta(seconds=5)
    """A node or a claim that was made together with the Pod is there within a few seconds."""
    nominated: timedelta = timedelta(seconds=60)
    """The scheduler has chosen a node and waits for others to leave it, 30 s by default."""
    gated: timedelta = timedelta(minutes=10)
    """Gates are meant to wait for a quota or a queue; ten minutes is longer than most turns."""
    unseen_by_scheduler: timedelta = timedelta(minutes=2)
    """A scheduler that runs looks at a Pod within seconds, also after a change of its leader."""
    unseen_by_kubelet: timedelta = timedelta(minutes=10)
    """A node that is under load or just starting can take minutes to begin with a Pod."""
    tried_once: timedelta = timedelta(seconds=20)
    """The kubelet tries to mount and to make a sandbox again within seconds, often with success."""
    tried_again: timedelta = timedelta(seconds=5)
    """A volume's Secret that is created with the Pod is missed two or three times in a second."""
    attached_once: timedelta = timedelta(minutes=2)
    """A volume is detached from the node of the Pod before, which takes a minute and is said once.
    """
    complained_of: timedelta = timedelta(minutes=5)
    """Of a start about which a warning is repeated that is not known here: it may be harmless."""
    mounted_in_turn: timedelta = timedelta(minutes=3)
    """A volume is tried again at the latest after two; one that is heard of no more is mounted."""
    silent_start: timedelta = timedelta(minutes=10)
    """An image of several GB takes minutes; nothing is said meanwhile."""
    unknown_waiting: timedelta = timedelta(seconds=60)
    """A reason that is not known here may be a passing one."""
    unread_configuration: timedelta = timedelta(minutes=2)
    """The API server was away, or had not told the node yet of what its new Pod may read."""
    repeats: timedelta = timedelta(hours=1)
    """A program that ends again after weeks, or whose node was started anew, ended once; one that
    ends every hour does not do its work."""
    started_again: timedelta = timedelta(minutes=5)
    """The kubelet starts what has ended within seconds, or says that it waits with it."""
    shortest_relapse: timedelta = timedelta(minutes=2)
    """How long a container that failed and runs again shows that at least: an operator that was
    away for a minute, or was started anew, still finds it."""
    longest_relapse: timedelta = timedelta(minutes=10)
    """After it has run for so long the kubelet itself forgets the crashes before it."""
    initialising: timedelta = timedelta(hours=1)
    """Migrations and downloads may take long; what waits for something that never comes, longer."""
    resize: timedelta = timedelta(minutes=1)
    """What asks for a resize may correct itself at once."""
    creation: timedelta = timedelta(seconds=10)
    """CreateContainerError passes where the runtime was slow or still cleaned up."""
    probe_margin: timedelta = timedelta(seconds=10)
    """What the kubelet needs beside the probe's own times to write the status."""
    shortest_unready: timedelta = timedelta(seconds=30)
    """Of a container that was ready before: many probes are quick, and a pause of the program, or
    of what it stands on, passes within half a minute."""
    never_ready: timedelta = timedelta(minutes=3)
    """Of a container that has not been ready since it started: many programs (a JVM that warms up,
    a cache that is filled) need one or two minutes, and are not ready meanwhile by intent."""
    first_status: timedelta = timedelta(seconds=10)
    """The kubelet says that a container is not ready before it starts it, or together with it; it
    lags by seconds after a restart."""
    unready_in_silence: timedelta = timedelta(minutes=5)
    """No Event speaks of the probe, so only lasting says that it is a failure; the kubelet keeps
    silent for five minutes where it has said much of one Pod."""
    longest_probe: timedelta = timedelta(days=1)
    """No probe's own times are believed beyond it."""
    obeys: timedelta = timedelta(seconds=30)
    """Who is told to end has half a minute to do so, unless the Pod asks for another time."""
    after_restart: timedelta = timedelta(seconds=60)
    """How much longer than its probe takes to kill it a container must run to be well again."""
    probe_memory: timedelta = timedelta(hours=1)
    """Events live for an hour, and those of a loop that lasts come ever more rarely."""
    probe_said: timedelta = timedelta(seconds=5)
    """The status of a container's end may arrive before the Event about the probe that ended it."""
    note_memory: timedelta = timedelta(minutes=15)
    """Where no condition tells whether a note is history: three times the kubelet's silence."""
    terminating: timedelta = timedelta(minutes=2)
    """After the Pod's own grace period; the kubelet unmounts and cleans up in seconds."""
    history: timedelta = timedelta(hours=1)
    """A Pod that ended and was replaced stays as a record; what is an hour old helps nobody now."""
    node_unheard: timedelta = timedelta(seconds=40)
    """An Event says that the node is not ready; the node itself tells more within seconds."""
    gates: timedelta = timedelta(minutes=10)
    """A load balancer may take minutes to accept a Pod."""


GRACES = Graces()
