"""Short ways to write the manifests of scenarios."""

from __future__ import annotations

from typing import Any

from hack.record_cases.scenario import Manifest

IMAGE = "localhost/busybox:1.36"
SLEEP = "trap 'exit 0' TERM; while true; do sleep 1; done"


def container(name: str = "main", script: str = SLEEP, **fields: Any) -> dict[str, Any]:
    """A container that runs a shell script, unless another `command` is named."""
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script], **fields}


def prints(*lines: str, exit_code: int = 1, name: str = "main", **fields: Any) -> dict[str, Any]:
    """A program that writes these lines and ends."""
    said = "\n".join(lines)
    script = f"cat <<'SAID'\n{said}\nSAID\nsleep 1\nexit {exit_code}"
    return container(name, script, **fields)


def pod_spec(*containers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The spec of a Pod that goes quickly."""
    return {"terminationGracePeriodSeconds": 1, "containers": list(containers), **fields}


def template(name: str, *containers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A Pod template labelled `app: NAME`."""
    return {"metadata": {"labels": {"app": name}}, "spec": pod_spec(*containers, **fields)}


def pod(name: str, *containers: dict[str, Any], **fields: Any) -> Manifest:
    """A Pod that nobody owns."""
    made = template(name, *containers, **fields)
    made["metadata"]["name"] = name
    return {"apiVersion": "v1", "kind": "Pod", **made}


def deployment(
    name: str,
    *containers: dict[str, Any],
    replicas: int = 1,
    spec: dict[str, Any] | None = None,
    **fields: Any,
) -> Manifest:
    """A Deployment; `fields` belong to the Pods, `spec` to the Deployment."""
    return _workload("Deployment", name, containers, fields, {"replicas": replicas, **(spec or {})})


def stateful_set(
    name: str, *containers: dict[str, Any], spec: dict[str, Any] | None = None, **fields: Any
) -> Manifest:
    """A StatefulSet of one replica."""
    more = {"replicas": 1, "serviceName": name, **(spec or {})}
    return _workload("StatefulSet", name, containers, fields, more)


def daemon_set(name: str, *containers: dict[str, Any], **fields: Any) -> Manifest:
    """A DaemonSet."""
    return _workload("DaemonSet", name, containers, fields, {})


def _workload(
    kind: str,
    name: str,
    containers: tuple[dict[str, Any], ...],
    fields: dict[str, Any],
    spec: dict[str, Any],
) -> Manifest:
    selector = {"matchLabels": {"app": name}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"selector": selector, "template": template(name, *containers, **fields), **spec},
    }


def job(name: str, *containers: dict[str, Any], **spec: Any) -> Manifest:
    """A Job whose Pods are not restarted in place."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": template(name, *containers, restartPolicy="Never"), **spec},
    }


def cron_job(name: str, *containers: dict[str, Any], schedule: str, **spec: Any) -> Manifest:
    """A CronJob; `spec` is its own."""
    inside = {"template": template(name, *containers, restartPolicy="Never"), "backoffLimit": 0}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": inside}, **spec},
    }


def service(name: str, *, selects: str, port: int = 80, target_port: Any = 8080) -> Manifest:
    """A Service in front of `app: SELECTS`."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": {"app": selects},
            "ports": [{"port": port, "targetPort": target_port}],
        },
    }


def config_map(name: str, **data: str) -> Manifest:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def claim(name: str, *, storage_class: str | None = None, size: str = "1Gi") -> Manifest:
    """A PersistentVolumeClaim."""
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    if storage_class is not None:
        spec["storageClassName"] = storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": spec,
    }


def env(**values: str) -> list[dict[str, Any]]:
    """Environment variables with plain values."""
    return [{"name": name, "value": value} for name, value in values.items()]


def from_config_map(variable: str, *, name: str, key: str) -> dict[str, Any]:
    """A variable from a key of a ConfigMap."""
    return {"name": variable, "valueFrom": {"configMapKeyRef": {"name": name, "key": key}}}


def memory(limit: str) -> dict[str, Any]:
    """A memory limit."""
    return {"limits": {"memory": limit}}


def http_probe(port: Any, path: str = "/", **fields: Any) -> dict[str, Any]:
    """A probe over HTTP, every 2 s."""
    return {"httpGet": {"port": port, "path": path}, "periodSeconds": 2, **fields}


def exec_probe(script: str, **fields: Any) -> dict[str, Any]:
    """A probe by a shell script, every 2 s."""
    return {"exec": {"command": ["sh", "-c", script]}, "periodSeconds": 2, **fields}
