"""What every store refuses, each wrong in one way."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, cast

from support.store_contract.filter_cases import NOON

from kausa.memory.filters import Absent, Condition, Filter, OneOf, Range, TimeRange
from kausa.memory.schema import MOST_PAYLOAD_BYTES
from kausa.memory.store import SparseVector

__all__ = ["MALFORMED", "UNUSABLE_CONDITIONS"]


MALFORMED: tuple[dict[str, Any], ...] = (
    {"dense": [math.nan] + [0.0] * 7},
    {"dense": [math.inf] + [0.0] * 7},
    {"dense": [1e39] + [0.0] * 7},
    {"sparse": SparseVector((1, 2), (1.0, math.nan))},
    {"sparse": SparseVector((1, 1), (1.0, 1.0))},
    {"sparse": SparseVector((1, 2), (1.0,))},
    {"sparse": SparseVector((2**32,), (1.0,))},
    {"sparse": SparseVector((-1,), (1.0,))},
    {"id": "checkout"},
    {"id": ""},
    {"payload": {"passage": "x" * MOST_PAYLOAD_BYTES}},
    {"payload": {"moment": NOON}},
    {"payload": {"number": math.nan}},
    {"payload": {"bytes": b"x"}},
    {"payload": {"whole": 2**70}},
    {"payload": {1: "x"}},
)
UNUSABLE_CONDITIONS: tuple[Condition, ...] = (
    OneOf("passage", ("x",)),
    OneOf("cluster", (1,)),
    OneOf("exit_code", ("1",)),
    OneOf("exit_code", (True,)),
    OneOf("exit_code", (2**63,)),
    OneOf("cluster", (cast("str", None),)),
    OneOf("cluster", tuple(str(each) for each in range(300))),
    Range("cluster", 1, 2),
    Range("exit_code"),
    Range("exit_code", math.nan),
    TimeRange("last_seen"),
    TimeRange("last_seen", after=datetime(2026, 3, 1)),
    TimeRange("exit_code", after=NOON),
    Absent("passage"),
    cast("Condition", object()),
    cast("Condition", Filter()),
)
