"""Folders taken into a memory that is a dict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from support.fake_runbooks import FakeRunbookMemory

from kausa.commands.ingest_report import Report
from kausa.commands.ingesting import Ingestion, Options
from kausa.evidence.redaction import Redactor
from kausa.memory.records import FailureRecord

__all__ = ["DEPLOYMENT", "TOKEN", "FakeMemory", "taken", "why", "write"]

TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"  # made up
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {replicas: 3}
status: {replicas: 7}
"""


class FakeMemory(FakeRunbookMemory):
    """Keeps failures as well."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: dict[str, FailureRecord] = {}

    async def get(self, record_id: str, *, deadline_seconds: float) -> FailureRecord | None:
        return self.failures.get(record_id)

    async def remember(
        self, records: Sequence[FailureRecord], *, deadline_seconds: float
    ) -> list[str]:
        self.failures |= {each.record_id: each for each in records}
        return [each.record_id for each in records]


def write(folder: Path, name: str, text: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


async def taken(
    folder: Path,
    memory: FakeMemory,
    *,
    namespace: str | None = None,
    name: str = "ours",
    also: Path | None = None,
) -> Report:
    ingestion = Ingestion(
        memory=memory,
        redactor=Redactor(key=b"k" * 32),
        options=Options(cluster="c1", namespace=namespace),
    )
    await ingestion.take(folder, name=name)
    if also is not None:
        await ingestion.take(also, name=name)
    await ingestion.sweep()
    return ingestion.report


def why(report: Report) -> dict[str, str]:
    return {each.name: each.why for each in report.left_out}
