"""Eyes on our resources while things go wrong: no count may ever go back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.faults.counting import occurrences
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from support.namespace import GROUP, PLURAL, VERSION
from urllib3.exceptions import HTTPError

__all__ = ["Witness", "witness"]

LONGEST_LOOK_SECONDS = 5
RETRY_SECONDS = 0.3


class Witness:
    """Watches the resources of one namespace in a thread; made by `witness`."""

    def __init__(self, *, kubeconfig: str, namespace: str) -> None:
        self._kubeconfig = kubeconfig
        self._namespace = namespace
        self._last: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.went_back: list[str] = []
        """Each time that a resource said a smaller number than before, in words."""
        self.changes = 0
        """How many changes were seen."""

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join(timeout=4 * LONGEST_LOOK_SECONDS)

    def _run(self) -> None:
        with config.new_client_from_config(self._kubeconfig) as api:
            # Trying again is ours, and without a line in the log for each time.
            api.rest_client.pool_manager.connection_pool_kw["retries"] = False
            while not self._stop.is_set():
                try:
                    self._look(api)
                except (ApiException, HTTPError, OSError, ValueError):
                    # It was cut, or the API server is away: the next look begins with a list.
                    self._stop.wait(RETRY_SECONDS)

    def _look(self, api: Any) -> None:
        objects = client.CustomObjectsApi(api)
        stream = watch.Watch().stream(
            objects.list_namespaced_custom_object,
            GROUP,
            VERSION,
            self._namespace,
            PLURAL,
            timeout_seconds=LONGEST_LOOK_SECONDS,
            _request_timeout=2 * LONGEST_LOOK_SECONDS,
        )
        for change in stream:
            if change["type"] in ("ADDED", "MODIFIED"):
                self.saw(change["object"])
            if self._stop.is_set():
                return

    def saw(self, resource: dict[str, Any]) -> None:
        """One look at one resource. By name, not uid: one that is deleted and made anew forgets."""
        self.changes += 1
        name, now = resource["metadata"]["name"], occurrences(resource)
        before = self._last.get(name, 0)
        if now < before:
            self.went_back.append(f"{name}: {before} -> {now}")
        self._last[name] = now


@contextmanager
def witness(*, kubeconfig: str, namespace: str) -> Iterator[Witness]:
    """A witness who looks until the end of the block."""
    eyes = Witness(kubeconfig=kubeconfig, namespace=namespace)
    eyes.start()
    try:
        yield eyes
    finally:
        eyes.end()
