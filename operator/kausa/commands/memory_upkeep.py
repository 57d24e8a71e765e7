"""What `kausa memory` does, apart from its options: asking for help imports none of this."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from kausa.commands.given_settings import given_settings
from kausa.commands.waiting import WaitingTeller
from kausa.errors import KausaError
from kausa.memory.audit import acting_as, this_user
from kausa.memory.backup import back_up, put_back
from kausa.memory.embedding.choosing import choose_embedder
from kausa.memory.errors import InvalidBackupError, MemoryUnavailableError, unwritable
from kausa.memory.migration import Progress, migrate
from kausa.memory.opening import audited, embedder_choice, open_store
from kausa.memory.retention import RetentionPolicy, prune
from kausa.memory.store import Schema, VectorStore
from kausa.memory.sync import SyncReport
from kausa.settings import Settings
from kausa.telemetry.logs import configure_logs

__all__ = ["Upkeep"]

T = TypeVar("T")
SHORT_SECONDS = 30.0
SCRATCH = "kausa-check-"
SCRATCH_OLD_SECONDS = 86_400
"""No check takes so long."""
_SCRATCH = re.compile(rf"(?P<prefix>{SCRATCH}(?P<made>[0-9a-f]{{8}})-[0-9a-f]{{8}})_")
MIGRATION_SECONDS = 120.0
"""Of one call of a migration, which may be of 64 long passages."""
LONG_SECONDS = 3600.0
"""Of one call of a backup: a large memory is packed in minutes."""


class Upkeep:
    """Works on the memory that settings name; each method opens and closes it."""

    def __init__(
        self,
        *,
        settings: Settings,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        store: Callable[[Settings], VectorStore] | None = None,
    ) -> None:
        """`warn` is told what is waited for; without `store` it is the one that settings name."""
        self._settings = settings
        self._say = say
        self._waiting = WaitingTeller(command="kausa memory", say=warn)
        self._make = store or partial(open_store, on_waiting=self._waiting)

    @classmethod
    def from_environment(cls, *, say: Callable[[str], None], warn: Callable[[str], None]) -> Upkeep:
        """As the environment says. Raises `SettingsError`."""
        settings = given_settings("kausa memory")
        configure_logs(style=settings.log_format, level="warning")
        return cls(settings=settings, say=say, warn=warn)

    def status(self, *, as_json: bool = False) -> None:
        """Print what the memory is. Raises `MemoryUnavailableError`."""
        asyncio.run(self._with(lambda store: self._status(store, as_json=as_json)))

    def migrate(self) -> None:
        """Bring the memory to the configured model. Raises `MemoryUnavailableError`."""
        asyncio.run(self._with(self._migrate))

    def back_up(self, folder: Path, *, check: bool) -> None:
        """Write a backup. Raises `InvalidBackupError`, `MemoryUnavailableError`."""
        own = self._settings.memory_path.resolve()
        if self._settings.memory_store == "embedded" and folder.resolve().is_relative_to(own):
            raise InvalidBackupError(
                f"{folder} is inside of the memory's own folder {own}, and would be lost with it. "
                "Name a folder elsewhere, best on another disk"
            )
        asyncio.run(self._with(lambda store: self._back_up(store, folder, check=check)))

    def restore(self, folder: Path) -> None:
        """Put a backup back. Raises `InvalidBackupError`, `MemoryUnavailableError`."""
        asyncio.run(self._with(lambda store: self._restore(store, folder)))

    def prune(self, *, dry_run: bool, all_clusters: bool, most: int) -> None:
        """Forget what is old. Raises `MemoryUnavailableError`."""
        asyncio.run(
            self._with(
                lambda store: self._prune(
                    store, dry_run=dry_run, all_clusters=all_clusters, most=most
                )
            )
        )

    def sync(self, *, rebuild: bool, kubeconfig: Path | None, context: str | None) -> None:
        """Catch up with the cluster's resources. Raises `KausaError`."""
        # Kopf and the cluster's clients are needed by this one alone.
        from kausa.commands.run import credentials_of
        from kausa.controller.memory_sync import sync_by_command

        said: list[str] = []

        def say(report: SyncReport) -> None:
            if [str(report)] != said:
                said[:] = [str(report)]
                self._say(str(report))

        report = asyncio.run(
            sync_by_command(
                settings=self._settings,
                credentials=credentials_of(kubeconfig, context=context),
                rebuild=rebuild,
                progress=say,
                on_waiting=self._waiting,
            )
        )
        say(report)

    async def _with(self, work: Callable[[VectorStore], Awaitable[T]]) -> T:
        store = audited(self._make(self._settings), self._settings)
        with acting_as(f"kausa memory ({this_user()})"):
            try:
                return await work(store)
            finally:
                await store.close()

    async def _status(self, store: VectorStore, *, as_json: bool) -> None:
        health = await store.health(deadline_seconds=SHORT_SECONDS)
        generations = await store.generations(deadline_seconds=SHORT_SECONDS)
        if as_json:
            document = {"health": health, "generations": generations}
            self._say(msgspec.json.format(msgspec.json.encode(document).decode()))
            return
        self._say(f"{health.backend} {health.version}")
        if health.bytes_on_disk is not None:
            self._say(f"{health.bytes_on_disk / 1024 / 1024:.1f} MiB on disk")
        for each in generations:
            use = "in use" if each.active else "not in use: kausa memory migrate goes on with it"
            self._say(f"{_shown(each.schema)}: {_held(each.points)} ({use})")
        if not generations:
            self._say("Nothing is kept yet: the operator makes the memory when it starts.")

    async def _migrate(self, store: VectorStore) -> None:
        choice = embedder_choice(self._settings, on_waiting=self._waiting)
        embedder = choose_embedder(choice)
        try:
            done = await migrate(
                store,
                embedder=embedder,
                report=self._progress,
                back=True,
                call_seconds=MIGRATION_SECONDS,
            )
        finally:
            await embedder.close()
        if not done.sources:
            self._say(f"The memory is of {_shown(done.target)}: there is nothing to do.")
            return
        self._say(
            f"{done.points} passages are of {_shown(done.target)} now: {done.embedded} embedded, "
            f"{done.carried} carried over."
        )
        if done.unreadable:
            self._say(
                f"{len(done.unreadable)} points had no passage and were left behind, such as "
                f"{done.unreadable[0]}."
            )
        if done.refused:
            id_, why = next(iter(done.refused.items()))
            self._say(
                f"{len(done.refused)} passages are not taken by {done.target.model} and were left "
                f"behind, such as {id_}: {why}."
            )

    def _progress(self, progress: Progress) -> None:
        share = 100 * progress.seen / progress.total if progress.total else 100.0
        self._say(
            f"walk {progress.walk or 'last'}: {progress.seen}/{progress.total} ({share:.0f} %), "
            f"{progress.embedded} embedded"
        )

    async def _back_up(self, store: VectorStore, folder: Path, *, check: bool) -> None:
        await _open(store)
        async with self._scratch(folder, wanted=check) as scratch:
            report = await back_up(
                store,
                folder,
                scratch=scratch,
                scratch_is_beside=self._settings.memory_store == "embedded",
                deadline_seconds=LONG_SECONDS,
            )
        checked = "checked by putting it back" if report.checked else "not checked"
        self._say(f"{report.folder}: {_held(report.points)}, {checked}")

    async def _restore(self, store: VectorStore, folder: Path) -> None:
        report = await put_back(store, folder, deadline_seconds=LONG_SECONDS)
        self._say(f"The memory holds {_held(report.points)} again.")
        for each in await store.generations(deadline_seconds=SHORT_SECONDS):
            if each.active:
                self._say(
                    f"Its vectors are of {_shown(each.schema)}; where another model is configured, "
                    "run `kausa memory migrate`."
                )

    async def _prune(
        self, store: VectorStore, *, dry_run: bool, all_clusters: bool, most: int
    ) -> None:
        await _open(store)
        settings = self._settings
        pruned = await prune(
            store,
            RetentionPolicy(
                days=settings.memory_keep_days,
                by_outcome={"Open": settings.memory_keep_open_days},
            ),
            now=datetime.now(UTC),
            cluster=None if all_clusters else settings.cluster_name,
            namespace=settings.namespace,
            most_points=most,
            dry_run=dry_run,
        )
        what = "would be forgotten" if dry_run else "forgotten"
        self._say(f"{pruned.total} passages {what}{': ' if pruned.points else ''}"
                  f"{_counts(pruned.points)}")  # fmt: skip
        if pruned.more:
            self._say("There is more: ask again.")

    async def _erase_old(self, names: Iterable[str]) -> None:
        """Nothing else removes what a check left that was killed."""
        from kausa.memory.server.store import ServerStore

        for prefix in sorted(old_scratch(names, now=time.time())):
            left = self._make(self._settings.model_copy(update={"memory_prefix": prefix}))
            try:
                if isinstance(left, ServerStore):
                    await left.erase(deadline_seconds=SHORT_SECONDS)
            finally:
                await left.close()

    @asynccontextmanager
    async def _scratch(self, folder: Path, *, wanted: bool) -> AsyncIterator[VectorStore | None]:
        """An empty place of the same backend, which is removed afterwards."""
        if not wanted:
            yield None
            return
        if self._settings.memory_store == "server":
            from kausa.memory.server.store import ServerStore

            prefix = f"{SCRATCH}{int(time.time()):08x}-{secrets.token_hex(4)}"
            server = self._make(self._settings.model_copy(update={"memory_prefix": prefix}))
            if not isinstance(server, ServerStore):
                raise KausaError("The settings name a server, and the memory is in none.")
            try:
                await self._erase_old(await server.every_name(deadline_seconds=SHORT_SECONDS))
                yield server
            finally:
                await server.erase(deadline_seconds=SHORT_SECONDS)
                await server.close()
            return
        beside = await asyncio.to_thread(_scratch_folder, folder)
        store = self._make(self._settings.model_copy(update={"memory_path": beside / "memory"}))
        try:
            yield store
        finally:
            await store.close()
            await asyncio.to_thread(shutil.rmtree, beside, ignore_errors=True)


def old_scratch(names: Iterable[str], *, now: float) -> set[str]:
    """Of all collections of a server, the prefixes of scratch that a killed check left behind."""
    marks = (_SCRATCH.match(each) for each in names)
    return {
        found["prefix"]
        for found in marks
        if found is not None and now - int(found["made"], 16) > SCRATCH_OLD_SECONDS
    }


def _scratch_folder(folder: Path) -> Path:
    """On the disk of the backup, which must have room for it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".kausa-check-", dir=folder.parent))
    except OSError as error:
        raise unwritable(folder.parent, error) from error


async def _open(store: VectorStore) -> None:
    """Open what is there, whatever model it is of."""
    generations = await store.generations(deadline_seconds=SHORT_SECONDS)
    active = next((each.schema for each in generations if each.active), None)
    if active is None:
        raise MemoryUnavailableError(
            "nothing is kept yet: the operator makes the memory when it starts",
            reason="StoreUnavailable",
        )
    await store.open(active, deadline_seconds=SHORT_SECONDS)


def _shown(schema: Schema) -> str:
    return f"{schema.model}, {schema.dimensions} dimensions, layout {schema.version}"


def _held(points: Mapping[str, int]) -> str:
    """Both collections keep more than what they are called."""
    return (
        f"{points.get('failures', 0)} passages of failures and rollouts, "
        f"{points.get('runbooks', 0)} of runbooks and other documents"
    )


def _counts(points: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in points.items())
