"""The few requests that the commands have for the API server, without a client library."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

TIMEOUT_S = 5.0


def context(pki: Path, *, user: str = "admin") -> ssl.SSLContext:
    tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    tls.load_cert_chain(pki / f"{user}.crt", pki / f"{user}.key")
    return tls


def get(url: str, tls: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """The status and the body; status 0 where nobody answered."""
    return send("GET", url, tls)


def send(
    method: str,
    url: str,
    tls: ssl.SSLContext | None = None,
    body: bytes | None = None,
    *,
    accept: str = "application/json",
    timeout_s: float = TIMEOUT_S,
) -> tuple[int, bytes]:
    """One request, with JSON for a body; the status (0 where nobody answered) and the answer."""
    headers = {"Accept": accept, "Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers, method=method)
    # No proxy: everything that is asked here is on this machine.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if tls is not None:
        handlers.append(urllib.request.HTTPSHandler(context=tls))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout_s) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except (OSError, http.client.HTTPException):
        return 0, b""


def is_ok(url: str, tls: ssl.SSLContext | None = None) -> bool:
    return get(url, tls)[0] == 200


def node_is_ready(body: bytes) -> bool:
    """Ready, and open to pods: a new node is tainted for a moment after it says so."""
    try:
        node: Any = json.loads(body)
    except ValueError:
        return False
    # In its first seconds a server may say in a sentence that it cannot answer yet, or that the
    # node is not there: a Status, whose `status` is a word.
    if not isinstance(node, dict) or node.get("kind") == "Status":
        return False
    conditions = node.get("status", {}).get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and not node.get("spec", {}).get("taints")
