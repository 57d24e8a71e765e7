"""Workloads that are made to fail, each in one way that is known, while something goes wrong."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.faults.counting import Failure
from kubernetes.client.exceptions import ApiException
from support.namespace import Namespace
from support.workloads import (
    cannot_be_scheduled,
    crashes,
    image_cannot_be_pulled,
    lacks_its_configmap,
    pod_cannot_be_scheduled,
    pod_lacks_its_configmap,
    pod_may_not_pull_its_image,
    runs_out_of_memory,
)
from urllib3.exceptions import HTTPError

__all__ = ["CHEAP", "KINDS", "Breaker", "Way"]

Way = tuple[Callable[[str], dict[str, Any]], str, str]
"""How to break something: its manifest by its name, the container that fails, the category."""

KINDS: tuple[Way, ...] = (
    (crashes, "api", "CrashLoop"),
    (runs_out_of_memory, "worker", "OOMKilled"),
    (image_cannot_be_pulled, "mailer", "ImagePull"),
    (cannot_be_scheduled, "", "Scheduling"),
    (lacks_its_configmap, "cart", "Config"),
)
"""Deployments on a real kubelet."""

CHEAP: tuple[Way, ...] = (
    (pod_cannot_be_scheduled, "", "Scheduling"),
    (pod_lacks_its_configmap, "main", "Config"),
    (pod_may_not_pull_its_image, "main", "ImagePull"),
)
"""Pods that nobody owns and that run nothing."""

RETRY_SECONDS = 0.5
GIVE_UP_SECONDS = 120.0


class Breaker:
    """Makes failures in one namespace and remembers them."""

    def __init__(self, namespace: Namespace, *, seed: int = 20260102) -> None:
        self._namespace = namespace
        self._dice = random.Random(seed)
        self._made: dict[str, Failure] = {}
        self._lock = threading.Lock()

    @property
    def failures(self) -> frozenset[Failure]:
        """What fails, as far as it was made and not taken away."""
        with self._lock:
            return frozenset(self._made.values())

    def make(self, prefix: str, ways: Sequence[Way] = KINDS + CHEAP) -> tuple[str, ...]:
        """One of each way at once; the names of the workloads."""
        return tuple(self._make(f"{prefix}-{number}", way) for number, way in enumerate(ways))

    @contextmanager
    def making(self, prefix: str, *, total: int, seconds: float) -> Iterator[None]:
        """Meanwhile some of every way come in random order, spread evenly over some seconds; at the
        end all of them are there.
        """
        ways = [(KINDS + CHEAP)[number % len(KINDS + CHEAP)] for number in range(total)]
        self._dice.shuffle(ways)
        troubles: list[BaseException] = []

        def work() -> None:
            try:
                for number, way in enumerate(ways):
                    self._make(f"{prefix}-{number}", way)
                    time.sleep(seconds / total)
            except BaseException as error:
                troubles.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            thread.join(timeout=seconds + GIVE_UP_SECONDS)
        if troubles:
            raise troubles[0]
        assert not thread.is_alive(), "could not make all that should fail"

    def take_away(self, name: str) -> None:
        """Delete a workload: its failure is over, and its resource must go with it."""
        with self._lock:
            kind = self._made.pop(name).kind
        if kind == "Deployment":
            self._namespace.apps.delete_namespaced_deployment(name, self._namespace.name)
        else:
            self._namespace.core.delete_namespaced_pod(
                name, self._namespace.name, grace_period_seconds=0
            )

    def _make(self, name: str, way: Way) -> str:
        manifest, container, category = way
        document = manifest(name)
        self._create(document)
        with self._lock:
            self._made[name] = Failure(
                namespace=self._namespace.name,
                kind=document["kind"],
                name=name,
                container=container,
                category=category,
            )
        return name

    def _create(self, document: dict[str, Any]) -> None:
        """Until it is there: the API server may be away just now."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                if document["kind"] == "Deployment":
                    self._namespace.apply(document)
                else:
                    self._namespace.core.create_namespaced_pod(self._namespace.name, document)
                return
            except ApiException as error:
                if error.status == 409:  # an attempt before went through after all
                    return
                last: Exception = error
            except (HTTPError, OSError) as error:
                last = error
            if time.monotonic() > deadline:
                raise last
            time.sleep(RETRY_SECONDS)
