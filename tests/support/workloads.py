"""Workloads for a real node, broken and healthy, as manifests."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BUSYBOX",
    "bare_pod",
    "cannot_be_scheduled",
    "crashes",
    "deployment",
    "healthy",
    "image_cannot_be_pulled",
    "lacks_its_configmap",
    "pod_cannot_be_scheduled",
    "pod_lacks_its_configmap",
    "pod_may_not_pull_its_image",
    "runs_out_of_memory",
]

BUSYBOX = "localhost/busybox:1.36"


def deployment(
    name: str, container: dict[str, Any], *, replicas: int = 1, **pod_spec: Any
) -> dict[str, Any]:
    """A Deployment of one container."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{"name": "main", "image": BUSYBOX, **container}],
                    **pod_spec,
                },
            },
        },
    }


def shell(script: str) -> dict[str, Any]:
    """A container that runs a script."""
    return {"command": ["sh", "-c", script]}


def crashes(
    name: str = "checkout",
    *,
    words: str = "error: cannot open config /etc/checkout/app.yaml",
    exit_code: int = 3,
    replicas: int = 1,
    after_seconds: int = 0,
) -> dict[str, Any]:
    """Ends with an exit code after a last word; the first time after a while, where asked for."""
    script = f"echo starting; {_once(after_seconds)}echo '{words}'; exit {exit_code}"
    return deployment(name, {"name": "api", **shell(script)}, replicas=replicas)


def runs_out_of_memory(name: str = "indexer", *, after_seconds: int = 0) -> dict[str, Any]:
    """Takes more memory than its limit of 24Mi; the first time after a while, where asked for."""
    limits = {"limits": {"memory": "24Mi"}}
    command = {"command": ["tail", "/dev/zero"]}
    if after_seconds:
        # Its first process takes the memory, so that the kernel ends the whole container.
        command = shell(f"{_once(after_seconds)}exec tail /dev/zero")
    return deployment(name, {"name": "worker", **command, "resources": limits})


def _once(seconds: int) -> str:
    """Sleep in a container's first life only: a Pod keeps its /dev/shm from one to the next."""
    if not seconds:
        return ""
    return f"[ -e /dev/shm/lived ] || {{ touch /dev/shm/lived; sleep {seconds}; }}; "


def image_cannot_be_pulled(name: str = "mailer") -> dict[str, Any]:
    """Its registry does not exist."""
    image = "registry.invalid/shop/mailer:2.4.1"
    return deployment(name, {"name": "mailer", "image": image})


def cannot_be_scheduled(name: str = "trainer") -> dict[str, Any]:
    """Requests more processors than any node has."""
    return deployment(
        name, {"name": "trainer", "resources": {"requests": {"cpu": "640"}}, **shell("sleep 9999")}
    )


def lacks_its_configmap(name: str = "cart") -> dict[str, Any]:
    """Takes its environment from a ConfigMap that does not exist."""
    source = {"configMapRef": {"name": "cart-settings"}}
    return deployment(name, {"name": "cart", "envFrom": [source], **shell("sleep 9999")})


def healthy(name: str = "frontend") -> dict[str, Any]:
    """Runs and is ready."""
    return deployment(name, {"name": "web", **shell("echo serving; sleep 99999")})


def bare_pod(name: str, container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A Pod that nobody owns."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "main", "image": BUSYBOX, **container}],
            **spec,
        },
    }


def pod_cannot_be_scheduled(name: str) -> dict[str, Any]:
    """Selects a node that does not exist: no kubelet ever sees it."""
    return bare_pod(name, shell("sleep 9999"), nodeSelector={"kausa.dev/nowhere": "true"})


def pod_lacks_its_configmap(name: str) -> dict[str, Any]:
    """Takes its environment from a ConfigMap that does not exist."""
    return bare_pod(name, {"envFrom": [{"configMapRef": {"name": f"{name}-settings"}}]})


def pod_may_not_pull_its_image(name: str) -> dict[str, Any]:
    """Its image is not there, and it may not be pulled."""
    return bare_pod(name, {"image": f"localhost/{name}:1", "imagePullPolicy": "Never"})
