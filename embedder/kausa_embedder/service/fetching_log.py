"""Lines in the log while a model is fetched: two gigabytes in silence look like a hang."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from kausa_embedder.fetching import Progress
from kausa_embedder.service.logs import log_event

__all__ = ["EVERY_SECONDS", "FetchingLog"]

EVERY_SECONDS = 5.0
_log = logging.getLogger(__name__)


class FetchingLog:
    """A line when a file begins, every few seconds of it, and when it is there."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._file = ""
        self._said_at = 0.0

    def report(self, progress: Progress) -> None:
        """For `fetching.fetch`."""
        now = self._now()
        begins = progress.file != self._file
        ends = progress.done_bytes == progress.total_bytes
        if not (begins or ends) and now - self._said_at < EVERY_SECONDS:
            return
        self._file, self._said_at = progress.file, now
        total = progress.total_bytes
        log_event(
            _log,
            logging.INFO,
            "Fetching the model",
            file=progress.file,
            mib=progress.done_bytes >> 20,
            of_mib=total >> 20 if total else "unknown",
            percent=100 * progress.done_bytes // total if total else "unknown",
        )
