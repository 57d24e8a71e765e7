"""What the kubelet says when it could not ask the API server: nothing about the Pod itself.

While the API server is away, every Pod that is just starting fails to mount its token and to read
its ConfigMaps, whatever else ails it. That passes, and is no failure of any workload.
"""

from __future__ import annotations

import re

__all__ = ["kubelet_could_not_ask"]

_COULD_NOT_ASK = re.compile(
    r"failed to sync (?:configmap|secret) cache|failed to fetch token|"
    r'"https?://[^\s"]{1,300}/api/v1/[^\s"]{1,300}": '
    r"(?:dial|read|write|net/http|context|EOF|http2)",
    re.I,
)


def kubelet_could_not_ask(message: str) -> bool:
    """Whether these words of the kubelet say that the API server did not answer it."""
    return _COULD_NOT_ASK.search(message) is not None
