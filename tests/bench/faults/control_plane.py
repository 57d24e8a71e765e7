"""What is done to the API server: stopped, started, and its past made unreadable."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.cluster import cluster_tool

__all__ = ["api_server_stopped", "compact"]

ETCD = "http://127.0.0.1:2379"
TIMEOUT_SECONDS = 30


@contextmanager
def api_server_stopped(*, seconds: float = 0.0) -> Iterator[None]:
    """The API server is away during the block, and for so many seconds at least; it is started
    again whatever happens.
    """
    stopped = time.monotonic()
    cluster_tool("stop", "kube-apiserver")
    try:
        yield
        time.sleep(max(0.0, stopped + seconds - time.monotonic()))
    finally:
        cluster_tool("restart", "kube-apiserver")


def compact() -> int:
    """Make etcd of the local cluster forget all but the present; the revision of it."""
    newest = _ask("/v3/kv/range", {"key": base64.b64encode(b"/registry").decode()})
    revision = int(newest["header"]["revision"])
    _ask("/v3/kv/compaction", {"revision": revision, "physical": True})
    return revision


def _ask(path: str, question: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(ETCD + path, data=json.dumps(question).encode(), method="POST")
    # No proxy of the environment: it is this machine that is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found
