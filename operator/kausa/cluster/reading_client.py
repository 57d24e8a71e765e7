"""What reading needs of a client, so that an API server and a folder of files are one thing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol, TypeVar

from kausa.cluster.client import REQUEST_TIMEOUT_SECONDS, Page

__all__ = ["ReadingClient"]

T = TypeVar("T")


class ReadingClient(Protocol):
    """GET and LIST by path, as an API server answers them; every method raises a ClusterError."""

    async def get(
        self, path: str, *, kind: type[T], timeout_seconds: float = REQUEST_TIMEOUT_SECONDS
    ) -> T:
        """One object, decoded as `kind`; NotFoundError where there is none."""

    async def list_page(
        self,
        path: str,
        *,
        parameters: Mapping[str, str],
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> Page:
        """One page of a collection; `fieldSelector`, `labelSelector`, `limit`, `continue`."""

    def pod_log(
        self,
        *,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> AsyncGenerator[bytes, None]:
        """The chunks of a container's log, oldest first, of its last lines only where asked."""
