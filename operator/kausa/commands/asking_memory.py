"""What `kausa ask` asks the memory; nothing of it is loaded for an empty one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kausa.commands.empty_memory import holds_nothing
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.opening import open_memory
from kausa.offline.plain_errors import in_words
from kausa.recall.ask import Asked
from kausa.recall.query import analyse
from kausa.settings import Settings
from kausa.telemetry.clock import utc_now

if TYPE_CHECKING:
    from kausa.memory.service import FailureMemory
    from kausa.recall.recall import Recall

__all__ = ["AskedMemory"]

MOST_REMEMBERED = 3
START_SECONDS = 60.0
SEARCH_SECONDS = 30.0


class AskedMemory:
    """The memory that the settings name, opened for one question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._memory: FailureMemory | None = None
        self._recall: Recall | None = None

    async def ask(self, question: str, *, namespaces: tuple[str, ...]) -> Asked:
        """Raises `MemoryError_`."""
        from kausa.memory.audit import acting_as, this_user

        try:
            with acting_as(f"kausa ask ({this_user()})"):
                return await self._ask(question, namespaces=namespaces)
        except MemoryUnavailableError as error:
            raise MemoryUnavailableError(in_words(str(error)), reason=error.reason) from error

    async def _ask(self, question: str, *, namespaces: tuple[str, ...]) -> Asked:
        settings = self._settings
        if self._memory is None:
            self._memory = open_memory(settings)
        memory = self._memory
        if await holds_nothing(memory, settings, deadline_seconds=START_SECONDS):
            return self._nothing(question)
        recall = self._recall or self._recall_of(memory)
        await memory.start(deadline_seconds=START_SECONDS)
        asked = await self._searched(recall, question, namespaces=namespaces)
        if asked.failures or asked.runbooks or asked.weak or await self._has_some(memory):
            return asked
        return replace(asked, notes=(self._empty(), *asked.notes))

    def _recall_of(self, memory: FailureMemory) -> Recall:
        from kausa.controller.memory_parts import recall_options
        from kausa.recall.recall import Recall

        # A person waits for a second reading; a diagnosis would not.
        options = replace(recall_options(self._settings), rerank_seconds=SEARCH_SECONDS)
        self._recall = Recall(memory=memory, options=options)
        return self._recall

    async def _searched(
        self, recall: Recall, question: str, *, namespaces: tuple[str, ...]
    ) -> Asked:
        from kausa.recall.requests import RecallFilters

        return await recall.ask(
            question,
            filters=RecallFilters(
                cluster=self._settings.cluster_name,
                namespaces=namespaces,
                everywhere=self._settings.runbooks_of_everybody,
            ),
            limit=MOST_REMEMBERED,
            rerank=True,
            deadline_seconds=SEARCH_SECONDS,
        )

    async def _has_some(self, memory: FailureMemory) -> bool:
        """Whether there is anything of this cluster."""
        from kausa.memory.filters import Filter, OneOf
        from kausa.memory.store import COLLECTIONS

        where = Filter(must=(OneOf("cluster", (self._settings.cluster_name,)),))
        for each in COLLECTIONS:
            if await memory.count(each, where=where, deadline_seconds=SEARCH_SECONDS):
                return True
        return False

    def _nothing(self, question: str) -> Asked:
        return Asked(
            analysis=analyse(question, now=utc_now()),
            parts=(),
            failures=(),
            runbooks=(),
            notes=(self._empty(),),
        )

    def _empty(self) -> str:
        return (
            f"The memory holds nothing of the cluster {self._settings.cluster_name!r} "
            "(KAUSA_CLUSTER_NAME): it is empty."
        )

    async def close(self) -> None:
        """Let it go."""
        if self._recall is not None:
            await self._recall.close()
        if self._memory is not None:
            await self._memory.close()
