"""Saying a trouble once: the first of a row of failures is a log line, the others are counted."""

from __future__ import annotations

from kausa.telemetry.logs import Logger

__all__ = ["Trouble"]


class Trouble:
    """One thing that may fail again and again until it works."""

    def __init__(self, logger: Logger, *, failed: str, recovered: str) -> None:
        self._logger = logger
        self._failed = failed
        self._recovered = recovered
        self.failures = 0
        """How often it has failed in a row."""

    def happened(self, error: Exception, **context: object) -> None:
        """It failed (again)."""
        self.failures += 1
        if self.failures == 1:
            self._logger.warning(self._failed, why=str(error), **context)

    def over(self, **context: object) -> None:
        """It works (again)."""
        if self.failures:
            self._logger.info(self._recovered, failed_attempts=self.failures, **context)
            self.failures = 0
