"""Renders the chart with the real Helm, and finds things in what comes out."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = [
    "CHART",
    "EVERYTHING",
    "KUBERNETES",
    "NAMESPACE",
    "REPOSITORY",
    "Helm",
    "Rendered",
    "merged",
    "nested",
]

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = REPOSITORY / "charts" / "kausa"
NAMESPACE = "kausa-system"
KUBERNETES = "1.36.3"
"""What Helm renders for without a cluster; else that depends on how it was built."""

EVERYTHING: dict[str, Any] = {
    "clusterName": "prod-eu",
    "priorityClassName": "system-cluster-critical",
    "imagePullSecrets": [{"name": "pull"}],
    "commonLabels": {"team": "platform"},
    "memory": {
        "mode": "external",
        "external": {
            "url": "https://qdrant.example:6333",
            "existingSecret": {"name": "qdrant"},
            "grpc": {"enabled": True},
            "tls": {"existingSecret": "qdrant-tls", "clientCertificate": True},
        },
    },
    "backup": {"enabled": True},
    "embedder": {
        "autoscaling": {"enabled": True, "queueWait": {"enabled": True}},
        "tls": {"existingSecret": "embedder-tls"},
    },
    "model": {
        "provider": "openai",
        "url": "https://models.example/v1",
        "simple": "small-model",
        "existingSecret": {"name": "model"},
    },
    "rbac": {"dryRun": True},
    "runbooks": [{"name": "mirror", "title": "The mirror is away", "content": "Ask for help."}],
    "tracing": {"endpoint": "http://collector.observability.svc:4318"},
    "debug": {"endpoints": True},
}
"""Every part that can be had together, less what needs Prometheus' own kinds."""


def nested(path: str, value: Any) -> dict[str, Any]:
    """`a.b` and a value as a map of maps."""
    for key in reversed(path.split(".")):
        value = {key: value}
    found: dict[str, Any] = value
    return found


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Two maps of maps as Helm merges them: the second goes before."""
    found = dict(below)
    for key, value in above.items():
        under = found.get(key)
        both = isinstance(under, dict) and isinstance(value, dict)
        found[key] = merged(under, value) if both else value  # type: ignore[arg-type]
    return found


@dataclass(frozen=True, slots=True)
class Rendered:
    """The manifests of one rendering, hooks included."""

    manifests: tuple[dict[str, Any], ...]

    def all(self, kind: str) -> list[dict[str, Any]]:
        """All of a kind."""
        return [each for each in self.manifests if each["kind"] == kind]

    def names(self, kind: str) -> list[str]:
        """Their names, sorted."""
        return sorted(each["metadata"]["name"] for each in self.all(kind))

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """The one of that kind and name."""
        found = [each for each in self.all(kind) if each["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} of {kind}/{name}; there are {self.names(kind)}"
        return found[0]

    def pod(self, name: str = "kausa") -> dict[str, Any]:
        """The Pod's spec of a Deployment."""
        spec: dict[str, Any] = self.one("Deployment", name)["spec"]["template"]["spec"]
        return spec

    def container(self, name: str = "kausa") -> dict[str, Any]:
        """The only container of a Deployment."""
        (container,) = self.pod(name)["containers"]
        found: dict[str, Any] = container
        return found

    def environment(self, name: str = "kausa") -> dict[str, Any]:
        """Its variables: their values, or what they come from."""
        return environment(self.container(name))

    def pods(self) -> dict[str, dict[str, Any]]:
        """Every Pod that may come of it: its metadata and spec, by what makes it."""
        found: dict[str, dict[str, Any]] = {}
        for each in self.manifests:
            name = f"{each['kind']}/{each['metadata']['name']}"
            if each["kind"] == "Pod":
                found[name] = {"metadata": each["metadata"], "spec": each["spec"]}
            elif each["kind"] == "Deployment":
                found[name] = each["spec"]["template"]
            elif each["kind"] == "CronJob":
                found[name] = each["spec"]["jobTemplate"]["spec"]["template"]
        return found


def environment(container: dict[str, Any]) -> dict[str, Any]:
    """A container's variables: their values, or what they come from. No name may be there twice."""
    entries = container.get("env", [])
    names = [each["name"] for each in entries]
    assert len(names) == len(set(names)), f"twice: {sorted(names)}"
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in entries}


class Helm:
    """The real Helm, in a home of its own."""

    def __init__(self, path: Path, *, home: Path, kubeconfig: str | None = None) -> None:
        self.path = path
        self._home = home
        self._kubeconfig = kubeconfig

    def at(self, kubeconfig: str, *, home: Path) -> Helm:
        """The same for a cluster."""
        return Helm(self.path, home=home, kubeconfig=kubeconfig)

    def run(
        self, *arguments: str, values: dict[str, Any] | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run it, with values on its standard input."""
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self._home),
            "KUBECONFIG": self._kubeconfig or str(self._home / "no-cluster"),
        }
        more = () if values is None else ("--values", "-")
        return subprocess.run(
            [str(self.path), *arguments, *more],
            input=None if values is None else json.dumps(values),
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def template(
        self,
        chart: Path,
        values: dict[str, Any],
        *,
        release: str = "kausa",
        namespace: str = NAMESPACE,
        api_versions: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> Rendered:
        """What `helm template` makes of the chart."""
        known = [f"--api-versions={each}" for each in api_versions]
        done = self.run(
            *("template", release, str(chart), "-n", namespace, "--kube-version", KUBERNETES),
            *known,
            *options,
            values=values,
        )
        assert done.returncode == 0, done.stderr
        return Rendered(tuple(each for each in yaml.safe_load_all(done.stdout) if each))

    def refusal(self, chart: Path, values: dict[str, Any]) -> str:
        """What `helm template` says of values that it does not take."""
        done = self.run(
            *("template", "kausa", str(chart), "-n", NAMESPACE, "--kube-version", KUBERNETES),
            values=values,
        )
        assert done.returncode != 0, "these values were taken"
        return done.stderr
