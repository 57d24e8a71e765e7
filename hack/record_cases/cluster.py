"""The cluster that scenarios run on: apply, read everything, delete."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hack.record_cases.scenario import Manifest
from kubernetes import client, config, dynamic
from kubernetes.client.exceptions import ApiException

MANAGER = "record-cases"
OF_A_NAMESPACE = (
    ("v1", "Pod"),
    ("v1", "Event"),
    ("v1", "ConfigMap"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ControllerRevision"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
)
OF_THE_CLUSTER = (("v1", "Node"), ("storage.k8s.io/v1", "StorageClass"))
"""Read for every case; of other kinds only what the scenario made."""
LOG_TAIL_LINES = 3_000


class Cluster:
    """One real cluster, through the official client; may be used by several threads."""

    def __init__(self, *, kubeconfig: str) -> None:
        self._api = config.new_client_from_config(kubeconfig)
        self._core = client.CoreV1Api(self._api)
        # It keeps what it discovers in a file, which others may write at the same time.
        self._discovered = tempfile.TemporaryDirectory(prefix="record-cases-")
        cache = str(Path(self._discovered.name) / "discovery.json")
        self._dynamic = dynamic.DynamicClient(self._api, cache_file=cache)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._api.close()
        self._discovered.cleanup()

    @property
    def version(self) -> str:
        """Such as `1.36.3`."""
        found: str = client.VersionApi(self._api).get_code().git_version
        return found.removeprefix("v")

    def make_namespace(self, name: str, *, labels: Mapping[str, str]) -> None:
        """A namespace whose default ServiceAccount is there."""
        self._core.create_namespace({"metadata": {"name": name, "labels": dict(labels)}})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(ApiException):
                self._core.read_namespaced_service_account("default", name)
                return
            time.sleep(0.2)
        raise TimeoutError(f"The default ServiceAccount of {name} did not come within 60 s.")

    def delete_namespace(self, name: str) -> None:
        """Ask for it; it goes by itself."""
        with contextlib.suppress(ApiException):
            self._core.delete_namespace(name, grace_period_seconds=0)

    def make_secret(self, name: str, *, namespace: str, data: Mapping[str, str]) -> None:
        """A Secret of plain values."""
        body = {"metadata": {"name": name}, "stringData": dict(data)}
        self._core.create_namespaced_secret(namespace, body)

    def apply(self, manifest: Manifest, *, namespace: str | None) -> None:
        """Server-side apply, so that managedFields tell what was changed when."""
        resource = self._resource(manifest["apiVersion"], manifest["kind"])
        resource.server_side_apply(
            body=manifest,
            name=manifest["metadata"]["name"],
            namespace=namespace,
            field_manager=MANAGER,
            force_conflicts=True,
        )

    def scale(self, name: str, *, namespace: str, replicas: int) -> None:
        """A Deployment to so many replicas, as `kubectl scale` does it."""
        body = {"spec": {"replicas": replicas}}
        client.AppsV1Api(self._api).patch_namespaced_deployment_scale(name, namespace, body)

    def delete(self, manifest: Manifest) -> None:
        """One object of no namespace."""
        resource = self._resource(manifest["apiVersion"], manifest["kind"])
        with contextlib.suppress(ApiException):
            resource.delete(name=manifest["metadata"]["name"])

    def objects(self, *, namespace: str, made: Sequence[Manifest]) -> Iterator[Manifest]:
        """All that is in the namespace, and of the whole cluster what matters to it."""
        for api_version, kind in OF_A_NAMESPACE:
            yield from self._list(api_version, kind, namespace=namespace)
        for api_version, kind in OF_THE_CLUSTER:
            yield from self._list(api_version, kind, namespace=None)
        for each in made:
            if (each["apiVersion"], each["kind"]) not in OF_THE_CLUSTER:
                resource = self._resource(each["apiVersion"], each["kind"])
                yield _plain(resource.get(name=each["metadata"]["name"]), each)

    def log(self, pod: str, container: str, *, namespace: str, previous: bool) -> str:
        """The end of a log; empty where there is none."""
        try:
            response = self._core.read_namespaced_pod_log(
                pod,
                namespace,
                container=container,
                previous=previous,
                tail_lines=LOG_TAIL_LINES,
                _preload_content=False,
            )
        except ApiException:
            return ""
        text: str = response.data.decode(errors="replace")
        return "" if text.startswith("unable to retrieve container logs") else text

    def _list(self, api_version: str, kind: str, *, namespace: str | None) -> Iterator[Manifest]:
        resource = self._resource(api_version, kind)
        for item in resource.get(namespace=namespace).items:
            yield _plain(item, {"apiVersion": api_version, "kind": kind})

    def _resource(self, api_version: str, kind: str) -> Any:
        return self._dynamic.resources.get(api_version=api_version, kind=kind)


def _plain(found: Any, named: Manifest) -> Manifest:
    return {"apiVersion": named["apiVersion"], "kind": named["kind"], **found.to_dict()}
