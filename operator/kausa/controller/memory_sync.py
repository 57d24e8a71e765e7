"""Keeps the memory in line with the resources: at the start, and after it was away.

The API server is the truth. A walk costs a list of the resources, fifty at a time, and one read of
the memory for every 32 of them; only what differs is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials
from kausa.cluster.errors import ClusterError
from kausa.cluster.owners import OwnerResolver
from kausa.controller.lessons import TargetFinder
from kausa.controller.store import FAILURE_DIAGNOSES, RESOURCES_A_PAGE, parse_body
from kausa.learning.lessons import record_of
from kausa.memory.errors import MemoryError_, MemoryUnavailableError
from kausa.memory.ingest import Ingest
from kausa.memory.metrics import MemoryMetrics
from kausa.memory.opening import open_memory
from kausa.memory.records import FailureRecord
from kausa.memory.service import FailureMemory
from kausa.memory.sync import MISMATCHES, SyncReport, rebuild_failures, sync_failures
from kausa.memory.waiting import OnWaiting, nobody
from kausa.resources.group import API_VERSION, FAILURE_DIAGNOSIS_KIND
from kausa.settings import Settings
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["MemorySync", "records_of_resources", "sync_by_command", "sync_memory"]

START_SECONDS = 60.0
LOOK_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
_logger = get_logger("kausa.controller.memory_sync")
Upkeep = Callable[[FailureMemory], Awaitable[None]]


async def records_of_resources(
    client: KubernetesClient, *, cluster: str, namespace: str | None
) -> AsyncIterator[FailureRecord]:
    """A record of every FailureDiagnosis that tells of one.

    Raises:
        ClusterError: they cannot be listed.
    """
    parameters = {"limit": str(RESOURCES_A_PAGE)}
    path = FAILURE_DIAGNOSES.collection(namespace=namespace)
    while True:
        page = await client.list_page(path, parameters=parameters)
        for item in page.items:
            body = msgspec.json.decode(item, type=dict[str, Any])
            # A list's items come without these two.
            resource = parse_body(
                {"apiVersion": API_VERSION, "kind": FAILURE_DIAGNOSIS_KIND, **body}
            )
            record = record_of(resource, cluster=cluster) if resource is not None else None
            if record is not None:
                yield record
        if not page.metadata.continue_:
            return
        parameters["continue"] = page.metadata.continue_


async def sync_memory(
    *,
    client: KubernetesClient,
    memory: FailureMemory,
    targets: TargetFinder,
    cluster: str,
    namespace: str | None,
    rebuild: bool = False,
    progress: Callable[[SyncReport], None] = lambda _: None,
) -> SyncReport:
    """Bring the memory in line with the resources once; `kausa memory sync [--rebuild]`.

    Raises:
        ClusterError: the resources cannot be listed.
        MemoryUnavailableError: the memory is away, or was made by another model and nothing is to
            be rebuilt.
    """
    records = records_of_resources(client, cluster=cluster, namespace=namespace)
    walk = rebuild_failures if rebuild else sync_failures
    return await walk(
        memory,
        records,
        cluster=cluster,
        namespace=namespace,
        ended=targets.ended,
        progress=progress,
    )


async def sync_by_command(
    *,
    settings: Settings,
    credentials: Credentials,
    rebuild: bool,
    progress: Callable[[SyncReport], None] = lambda _: None,
    on_waiting: OnWaiting = nobody,
) -> SyncReport:
    """What `kausa memory sync` does: the memory that the settings name, the cluster's resources.

    `on_waiting` is told while an embedder or a server that is away is waited for.

    Raises:
        KausaError: a setting, the API server or the memory is in the way; the message says which.
    """
    memory = open_memory(settings, on_waiting=on_waiting)
    try:
        async with KubernetesClient(credentials) as client:
            owners = OwnerResolver(client=client, home_namespace=settings.home_namespace)
            report = await sync_memory(
                client=client,
                memory=memory,
                targets=TargetFinder(owners=owners),
                cluster=settings.cluster_name,
                namespace=settings.namespace,
                rebuild=rebuild,
                progress=progress,
            )
            await memory.flush(deadline_seconds=START_SECONDS)
            return report
    finally:
        await memory.close()


class MemorySync:
    """Has it done by itself while the operator leads."""

    def __init__(
        self,
        *,
        client: KubernetesClient,
        memory: FailureMemory,
        ingest: Ingest,
        targets: TargetFinder,
        metrics: MemoryMetrics,
        cluster: str,
        namespace: str | None,
        migrate: Upkeep | None = None,
    ) -> None:
        """`migrate` is asked where the memory was made by another model; None leaves it alone.

        Only until the memory was open once in this process: a memory that has another model later
        was migrated by another operator, and two would migrate it back and forth.
        """
        self._client = client
        self._memory = memory
        self._ingest = ingest
        self._targets = targets
        self._metrics = metrics
        self._cluster = cluster
        self._namespace = namespace
        self._migrate = migrate
        self._asked = False
        self._trouble = Trouble(
            _logger,
            failed="Memory is not available, diagnosing without it",
            recovered="Memory is available again",
        )
        self._migrating = Trouble(
            _logger,
            failed="The memory could not be migrated",
            recovered="The memory is migrated",
        )

    def ask(self) -> None:
        """Walk over the resources soon: something of them was not told to the memory."""
        self._asked = True

    async def run(self) -> None:
        """Until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            await self._until_available()
            # Before the walk: what is lost while it goes on may be behind it.
            lost, self._asked = self._ingest.lost, False
            if await self._synced():
                pause = FIRST_PAUSE_SECONDS
                await self._until_needed(lost=lost)
            else:
                # It answers, and takes nothing: a full disk, say.
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)

    async def _until_available(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._memory.start(deadline_seconds=START_SECONDS)
            except MemoryUnavailableError as error:
                self._metrics.fails(error.reason)
                self._trouble.happened(error, reason=error.reason)
                if error.reason in MISMATCHES and await self._migrated():
                    continue
            else:
                self._migrate = None
                self._metrics.works()
                self._trouble.over()
                return
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)

    async def _migrated(self) -> bool:
        if self._migrate is None:
            return False
        _logger.info("The memory was made by another model, embedding it anew")
        try:
            await self._migrate(self._memory)
        except MemoryError_ as error:
            self._migrating.happened(error)
            return False
        self._migrating.over()
        return True

    async def _synced(self) -> bool:
        """Whether a walk came to its end; False where the memory went away meanwhile."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                report = await sync_memory(
                    client=self._client,
                    memory=self._memory,
                    targets=self._targets,
                    cluster=self._cluster,
                    namespace=self._namespace,
                )
            except (ClusterError, MemoryError_) as error:
                self._metrics.synced("failed")
                self._trouble.happened(error, key="sync")
                if isinstance(error, MemoryUnavailableError):
                    return False
            else:
                self._metrics.synced("complete")
                self._trouble.over(key="sync")
                _logger.info(
                    "The memory is in line with the resources",
                    read=report.read,
                    written=report.written,
                    ended=report.ended,
                )
                return True
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)

    async def _until_needed(self, *, lost: int) -> None:
        """Something was dropped, or the memory was away at two looks in a row."""
        away = 0
        while True:
            # First of all: who drops much asks often, and walks are not to follow each other.
            await asyncio.sleep(LOOK_SECONDS)
            away = away + 1 if self._memory.error is not None else 0
            if away >= 2 or self._asked or self._ingest.lost != lost:
                return
