"""Workloads for a real node, broken and healthy, as manifests."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BUSYBOX",
    "cannot_be_scheduled",
    "crashes",
    "deployment",
    "healthy",
    "image_cannot_be_pulled",
    "lacks_its_configmap",
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
) -> dict[str, Any]:
    """Ends with an exit code after a last word."""
    return deployment(
        name,
        {"name": "api", **shell(f"echo starting; echo '{words}'; exit {exit_code}")},
        replicas=replicas,
    )


def runs_out_of_memory(name: str = "indexer") -> dict[str, Any]:
    """Takes more memory than its limit of 24Mi."""
    limits = {"limits": {"memory": "24Mi"}}
    return deployment(
        name, {"name": "worker", "command": ["tail", "/dev/zero"], "resources": limits}
    )


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
