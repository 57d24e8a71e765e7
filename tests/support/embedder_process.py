"""The embedding worker as a process of its own, on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

__all__ = ["EmbedderProcess", "embedder_process", "free_port"]

READY_SECONDS = 180.0
"""Loading and warming take a second on an idle machine, and a minute on a busy one."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


class EmbedderProcess:
    """Started and stopped by name of signal; its log is a file."""

    def __init__(
        self, *, folder: Path, model_path: Path, port: int, settings: dict[str, str]
    ) -> None:
        self.port = port
        scheme = "https" if "tls_cert_file" in settings else "http"
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.log_path = folder / f"embedder-{port}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("KAUSA_")
        } | {
            "KAUSA_EMBEDDER_HOST": "127.0.0.1",
            "KAUSA_EMBEDDER_PORT": str(port),
            "KAUSA_EMBEDDER_MODEL_PATH": str(model_path),
            "KAUSA_EMBEDDER_LOG_FORMAT": "json",
            **{f"KAUSA_EMBEDDER_{name.upper()}": value for name, value in settings.items()},
        }

    @property
    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def rss_mib(self) -> float:
        """Resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ProcessLookupError(self.pid)

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kausa_embedder", "serve"],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> None:
        """Wait until it serves."""
        async with asyncio.timeout(READY_SECONDS):
            while await self.probe("/readyz") != 200:
                assert self._process is not None
                if self._process.poll() is not None:
                    raise AssertionError(f"the worker ended: {self.log}")
                await asyncio.sleep(0.02)

    async def probe(self, path: str) -> int | None:
        """The status of a GET; None where nobody answers."""
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        timeout = aiohttp.ClientTimeout(total=10)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as client,
                client.get(self.url + path, ssl=trust) as response,
            ):
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self, seconds: float = 60.0) -> int:
        """Wait for its end; the exit code."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, seconds)

    async def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.send(signal.SIGKILL)
            await self.ended()


@asynccontextmanager
async def embedder_process(
    folder: Path,
    *,
    model_path: Path,
    port: int | None = None,
    wait: bool = True,
    **settings: object,
) -> AsyncIterator[EmbedderProcess]:
    """A worker with these settings, ready unless told not to wait; killed at the end."""
    worker = EmbedderProcess(
        folder=folder,
        model_path=model_path,
        port=port or free_port(),
        settings={name: str(value) for name, value in settings.items()},
    )
    worker.start()
    try:
        if wait:
            await worker.ready()
        yield worker
    finally:
        await worker.stop()
