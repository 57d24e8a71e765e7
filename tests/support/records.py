"""A failure as the memory keeps it, to be varied with `dataclasses.replace`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kausa.memory.records import FailureRecord

__all__ = ["NOON", "RECORD"]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORD = FailureRecord(
    cluster="test",
    namespace="shop",
    owner_kind="Deployment",
    owner_name="checkout",
    container="api",
    category="OOMKilled",
    reason="OOMKilled",
    fingerprint="4f1c2a",
    exit_code=137,
    image="registry/checkout:3",
    node="node-1",
    first_seen=NOON,
    last_seen=NOON + timedelta(minutes=5),
    occurrences=14,
    cause="container api reached its memory limit of 256Mi",
    reference="shop/checkout-oomkilled-4f1c2a",
    text="Killed process 4121 (java) total-vm:4194304kB, anon-rss:262144kB",
)
