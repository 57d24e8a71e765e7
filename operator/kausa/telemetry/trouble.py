"""Saying a trouble once: the first of a row of failures is a log line, the others are counted.

Many things may be in the same trouble at once (a thousand Pods while the API server is away). It is
over when none of them is in it any more, so that one that works between two that do not says
nothing.
"""

from __future__ import annotations

from collections import OrderedDict

from kausa.telemetry.logs import Logger

__all__ = ["Trouble"]

MOST_KEYS = 10_000


class Trouble:
    """One kind of thing that may fail again and again until it works."""

    def __init__(self, logger: Logger, *, failed: str, recovered: str) -> None:
        self._logger = logger
        self._failed = failed
        self._recovered = recovered
        self._keys: OrderedDict[str, None] = OrderedDict()
        self.failures = 0
        """How often it has failed in a row."""

    def happened(self, error: Exception, *, key: str = "", **context: object) -> None:
        """It failed (again), for the thing that `key` names."""
        self._keys[key] = None
        if len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)
        self.failures += 1
        if self.failures == 1:
            self._logger.warning(self._failed, why=str(error), **context)

    def over(self, *, key: str = "", **context: object) -> None:
        """It works (again), for the thing that `key` names."""
        self._keys.pop(key, None)
        if self.failures and not self._keys:
            self._logger.info(self._recovered, failed_attempts=self.failures, **context)
            self.failures = 0

    def forget(self, key: str) -> None:
        """The thing is gone: it is in no trouble any more, and nobody can say that it works."""
        self._keys.pop(key, None)
        if not self._keys:
            self.failures = 0
