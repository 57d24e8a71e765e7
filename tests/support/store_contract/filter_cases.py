"""Payloads and the filters that are held against them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

from kausa.memory.filters import EVERYTHING, Absent, Condition, Filter, OneOf, Range, TimeRange
from kausa.memory.store import Payload

__all__ = ["CONDITIONS", "NOON", "PAYLOADS", "SINGLE_FILTERS", "combined_filters"]


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAYLOADS: tuple[Payload, ...] = (
    {
        "cluster": "a",
        "namespace": "shop",
        "labels": ["app=web", "tier=front"],
        "exit_code": 137,
        "last_seen": "2026-03-01T12:00:00Z",
    },
    {
        "cluster": "a",
        "namespace": "shop",
        "labels": ["app=web"],
        "exit_code": 1,
        "last_seen": "2026-03-01T12:00:00.500000Z",
    },
    {"cluster": "a", "namespace": "eu", "labels": [], "exit_code": 0},
    {"cluster": "b", "namespace": "shop", "exit_code": None, "last_seen": "2026-03-01T11:59:59Z"},
    {
        "cluster": "b",
        "namespace": "",
        "labels": ["app=Web"],
        "exit_code": -1,
        "last_seen": "2026-03-02T00:00:00+00:00",
    },
    {"cluster": "b", "namespace": "shop prod", "last_seen": "2026-02-28T23:59:59Z"},
    {"namespace": "shop", "labels": ["tier=front", "tier=front"], "exit_code": 137},
    {"cluster": "ä", "labels": ["x=" + "y" * 300], "exit_code": 2**40},
)
_EAST = timezone(timedelta(hours=9))
_HALF = NOON + timedelta(milliseconds=500)
CONDITIONS: tuple[Condition, ...] = (
    OneOf("cluster", ("a",)),
    OneOf("cluster", ("a", "b")),
    OneOf("cluster", ("ä",)),
    OneOf("cluster", ("A",)),
    OneOf("cluster", ()),
    OneOf("namespace", ("shop",)),
    OneOf("namespace", ("",)),
    OneOf("namespace", ("shop prod", "eu")),
    OneOf("labels", ("app=web",)),
    OneOf("labels", ("tier=front", "app=Web")),
    OneOf("exit_code", (137,)),
    OneOf("exit_code", (0, -1, 2**40)),
    OneOf("exit_code", ()),
    Range("exit_code", 0, 137),
    Range("exit_code", 1),
    Range("exit_code", None, 0),
    Range("exit_code", 136.5, 137.5),
    Range("exit_code", 5, 4),
    TimeRange("last_seen", after=NOON),
    TimeRange("last_seen", before=NOON),
    TimeRange("last_seen", after=NOON.astimezone(_EAST), before=_HALF.astimezone(_EAST)),
    TimeRange("last_seen", after=_HALF),
    TimeRange("last_seen", after=NOON, before=datetime(2026, 3, 2, tzinfo=UTC)),
    TimeRange("last_seen", before=datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=1)))),
    TimeRange("last_seen", after=NOON, before=NOON),
    Absent("labels"),
    Absent("exit_code"),
    Absent("last_seen"),
    Absent("cluster"),
    Absent("node"),
)
SINGLE_FILTERS = (
    EVERYTHING,
    *(Filter(must=(each,)) for each in CONDITIONS),
    *(Filter(must_not=(each,)) for each in CONDITIONS),
)


def combined_filters(number: int) -> Iterable[Filter]:
    """Conditions in chance company, always the same."""
    noise = random.Random(3)
    for _ in range(number):
        must = tuple(noise.sample(CONDITIONS, noise.randrange(4)))
        yield Filter(must=must, must_not=tuple(noise.sample(CONDITIONS, noise.randrange(3))))
