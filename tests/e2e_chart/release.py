"""The chart as a release on a real cluster: installed, changed and removed by the real Helm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from support.cluster import REPOSITORY
from support.operator_process import wait_for

__all__ = [
    "CHART",
    "EMBEDDER",
    "INSTANCE",
    "NAME",
    "NAMESPACE",
    "OPERATOR",
    "OTHER_MODEL",
    "Release",
    "archives",
    "helm_path",
]

CHART = REPOSITORY / "charts" / "kausa"
NAME = "kausa"
NAMESPACE = "kausa-system"
OPERATOR = "app.kubernetes.io/component=operator"
EMBEDDER = "app.kubernetes.io/component=embedder"
OTHER_MODEL = "all-MiniLM-L6-v2-int8"
"""Baked into a second image of the embedder, whose tag is its name."""
INSTANCE = f"app.kubernetes.io/instance={NAME}"
PATIENCE_SECONDS = 300
BUILD_SECONDS = 1800


def helm_path() -> str:
    """The real Helm: the machine's own, or the one that is built here."""
    tool = [sys.executable, str(REPOSITORY / "hack" / "tools" / "tools.py"), "helm"]
    done = subprocess.run(
        tool, check=True, stdout=subprocess.PIPE, text=True, timeout=BUILD_SECONDS
    )
    return done.stdout.strip()


class Release:
    """One release of the chart, under the name and in the namespace that the docs use."""

    def __init__(self, api: Any, *, kubeconfig: str, helm: str) -> None:
        self.api = api
        self.core = client.CoreV1Api(api)
        self.apps = client.AppsV1Api(api)
        self._kubeconfig = kubeconfig
        self._helm = helm

    # -- Helm ------------------------------------------------------------------------------------

    def install(self, *values: str) -> None:
        """Install or upgrade, and return when all of it is ready.

        The CRDs may be there from elsewhere, so Helm is told to take them over.
        """
        settings = [word for value in values for word in ("--set", value)]
        self.helm(
            *("upgrade", "--install", NAME, str(CHART), "--take-ownership", "--wait"),
            *("--timeout", f"{PATIENCE_SECONDS}s", *settings),
        )

    def test(self) -> str:
        """`helm test`; what it said."""
        return self.helm("test", NAME, "--timeout", "180s")

    def uninstall(self) -> None:
        """`helm uninstall`, and return when the Pods are gone."""
        self.helm("uninstall", NAME, "--wait", "--timeout", f"{PATIENCE_SECONDS}s")

    def manifest(self) -> list[dict[str, Any]]:
        """What the release is made of, as Helm keeps it."""
        return [each for each in yaml.safe_load_all(self.helm("get", "manifest", NAME)) if each]

    def helm(self, *arguments: str) -> str:
        """One command of Helm's; its words, and what the Pods look like where it fails."""
        command = [self._helm, "--kubeconfig", self._kubeconfig, "-n", NAMESPACE, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS + 60, check=False
        )
        assert done.returncode == 0, f"{done.stderr}\n{done.stdout}\n{self.describe()}"
        return done.stdout

    # -- what runs -------------------------------------------------------------------------------

    def pods(self, selector: str) -> list[Any]:
        """The release's Pods of one component that are not going."""
        found = self.core.list_namespaced_pod(NAMESPACE, label_selector=f"{INSTANCE},{selector}")
        return [pod for pod in found.items if pod.metadata.deletion_timestamp is None]

    def pod(self, selector: str) -> Any:
        """The one Pod of a component, once it is ready."""
        return wait_for(lambda: self._ready(selector), what=f"a ready Pod of {selector}")

    def _ready(self, selector: str) -> Any:
        pods = self.pods(selector)
        if len(pods) != 1:
            return None
        states = pods[0].status.container_statuses or []
        return pods[0] if states and all(state.ready for state in states) else None

    def kill(self, selector: str) -> str:
        """End a Pod without any grace, as a node that dies would; its name."""
        name: str = self.pod(selector).metadata.name
        self.core.delete_namespaced_pod(name, NAMESPACE, grace_period_seconds=0)
        return name

    def log(self, selector: str) -> str:
        """What the Pods of a component have said."""
        said = []
        for pod in self.pods(selector):
            try:
                answer = self.core.read_namespaced_pod_log(
                    pod.metadata.name, NAMESPACE, _preload_content=False
                )
                said.append(answer.data.decode())
            except ApiException as error:
                said.append(f"({pod.metadata.name}: {error.reason})")
        return "\n".join(said)

    def says(self, words: str, *, seconds: float = 120) -> None:
        """Wait until the operator has said something."""
        wait_for(
            lambda: words in self.log(OPERATOR), what=f"the log to say {words}", seconds=seconds
        )

    def describe(self) -> str:
        """Pods, their last events and words, for whoever reads a failed test."""
        lines = []
        for pod in self.core.list_namespaced_pod(NAMESPACE).items:
            states = [state.state.to_str() for state in pod.status.container_statuses or []]
            lines.append(f"{pod.metadata.name} {pod.status.phase} {' '.join(states)}")
        for event in self.core.list_namespaced_event(NAMESPACE).items[-20:]:
            lines.append(f"{event.involved_object.name}: {event.reason}: {event.message}")
        for selector in (OPERATOR, EMBEDDER):
            lines.append(self.log(selector)[-3000:])
        return "\n".join(lines)


def archives(*arguments: str) -> list[Path]:
    """Build the images, where anything changed; their archives."""
    tool = [sys.executable, str(REPOSITORY / "hack" / "images" / "build.py"), *arguments]
    done = subprocess.run(
        tool, check=True, stdout=subprocess.PIPE, text=True, timeout=BUILD_SECONDS
    )
    return [Path(line.split()[1]) for line in done.stdout.splitlines()]
