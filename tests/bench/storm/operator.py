"""The operator under the storm, and what its probes say of it."""

from __future__ import annotations

import socket
from pathlib import Path

import aiohttp
from bench.storm.metrics import Metrics, parse_metrics
from bench.storm.usage import Usage, usage_of
from support.operator_process import OperatorProcess

__all__ = ["MeasuredOperator"]


class MeasuredOperator(OperatorProcess):
    """`kausa run` without memory, with its probes on a free port."""

    def __init__(self, *, kubeconfig: str, folder: Path) -> None:
        self._port = _free_port()
        super().__init__(
            kubeconfig=kubeconfig,
            folder=folder,
            KAUSA_MEMORY_ENABLED="false",
            KAUSA_PROBE_PORT=str(self._port),
            # The interval of a real installation: the tests' one would be another operator.
            KAUSA_REPEAT_INTERVAL_SECONDS="10",
        )

    def usage(self) -> Usage:
        """Added up over its processes."""
        assert self._process is not None
        return usage_of(self._process.pid)

    async def is_ready(self) -> bool:
        """What its probe says; where it has none, whether it says that it watches."""
        answer = await self._get("/readyz")
        if answer is None:
            return '"Watching"' in self.log()
        return answer[0] == 200

    async def metrics(self) -> Metrics | None:
        """Its samples by name and labels; None where it serves none."""
        answer = await self._get("/metrics")
        return parse_metrics(answer[1]) if answer is not None and answer[0] == 200 else None

    async def _get(self, path: str) -> tuple[int, str] | None:
        url = f"http://127.0.0.1:{self._port}{path}"
        timeout = aiohttp.ClientTimeout(total=5)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as got:
                return got.status, await got.text()
        except (aiohttp.ClientError, TimeoutError):
            return None


def _free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
