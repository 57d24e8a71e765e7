"""Fetching a model that the server lacks, in the background: gigabytes take longer than a check.

Each check meanwhile says how far it is. One pull at a time; one that failed, or fell silent, is
begun again by the first check after a pause, so that a name that exists nowhere is not asked for
every second. The server keeps what it has of it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import httpx
import ollama

from kausa.diagnosis.errors import ModelMissing
from kausa.diagnosis.model.asked_to_wait import AskedToWait
from kausa.telemetry.logs import get_logger

__all__ = ["SILENCE_SECONDS", "Pull", "PullProgress"]

_PAUSE_SECONDS: Final = 60.0
SILENCE_SECONDS: Final = 900.0
"""A server reports several times a second while it loads, and nothing while it reads all of it once
more to verify it: 100 GB in that time from a slow disk."""
_SAID_EVERY_PERCENT: Final = 10
_LAYERS: Final = 100
"""A model has fewer; a server that names more has no end."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """How much is there, in bytes; 0 of 0 before the server knows."""

    completed: int = 0
    total: int = 0

    @property
    def percent(self) -> int:
        """Whole percent, rounded down: 100 is all of it."""
        return min(100, self.completed * 100 // self.total) if self.total > 0 else 0


class Pull:
    """The pull of one model; nothing happens before `begin`."""

    def __init__(
        self,
        client: ollama.AsyncClient,
        *,
        model: str,
        where: str,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """`silence_seconds`: a server that reports nothing for longer does not pull any more."""
        self._client = client
        self._silence_seconds = silence_seconds
        self._model = model
        self._where = where
        self._task: asyncio.Task[None] | None = None
        self._failed_at: float | None = None
        self._layers: dict[str, PullProgress] = {}

    @property
    def progress(self) -> PullProgress:
        """All layers together."""
        layers = self._layers.values()
        return PullProgress(
            completed=sum(each.completed for each in layers),
            total=sum(each.total for each in layers),
        )

    def begin(self) -> ModelMissing:
        """Pull unless that is under way or has just failed; return what a person is told."""
        if self._task is not None and not self._task.done():
            progress = self.progress
            return ModelMissing(
                f"The server at {self._where} is pulling the model {self._model}: "
                f"{progress.percent} % of {progress.total / 1e6:,.0f} MB."
            )
        since = None if self._failed_at is None else time.monotonic() - self._failed_at
        if since is not None and since < _PAUSE_SECONDS:
            return ModelMissing(
                f"The server at {self._where} could not pull the model {self._model} and tries "
                f"again in {_PAUSE_SECONDS - since:.0f} seconds; its own log says why."
            )
        self._layers.clear()
        self._task = asyncio.create_task(self._run(), name=f"pull-{self._model}")
        return ModelMissing(
            f"The server at {self._where} does not have the model {self._model} and begins to "
            "pull it."
        )

    async def cancel(self) -> None:
        """End it, if it is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        _log.info("pulling the model", model=self._model, server=self._where)
        try:
            await self._follow()
        except (
            ollama.ResponseError,
            OSError,
            httpx.HTTPError,
            httpx.StreamError,
            AskedToWait,
            ValueError,
            TypeError,
            AttributeError,
            LookupError,
            RecursionError,
        ) as error:
            self._failed_at = time.monotonic()
            _log.warning(
                "the model could not be pulled",
                model=self._model,
                server=self._where,
                error=type(error).__name__,
            )
        else:
            self._failed_at = None
            _log.info("the model is there", model=self._model, server=self._where)

    async def _follow(self) -> None:
        said = 0
        stream = await self._client.pull(self._model, stream=True)
        async with (
            asyncio.timeout(self._silence_seconds) as silence,
            aclosing(stream) as reports,  # type: ignore[type-var]
        ):
            async for report in reports:
                silence.reschedule(asyncio.get_running_loop().time() + self._silence_seconds)
                if report.status == "success":
                    return
                if not report.digest or not report.total:
                    continue
                if len(self._layers) >= _LAYERS and report.digest not in self._layers:
                    raise ValueError("more layers than a model has")
                self._layers[report.digest] = PullProgress(
                    completed=report.completed or 0, total=report.total
                )
                if (percent := self.progress.percent) >= said + _SAID_EVERY_PERCENT:
                    said = percent
                    _log.info("pulling the model", model=self._model, percent=percent)
        raise ConnectionError("the stream ended before the pull did")
