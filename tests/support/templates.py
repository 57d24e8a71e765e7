"""Pod templates as the API server stores them, and workloads with revisions of them."""

from __future__ import annotations

import copy
from typing import Any

from support.pods import stamp

__all__ = ["config_map", "deployment", "replica_set", "template", "with_container"]

Fields = dict[str, Any]

_TEMPLATE: Fields = {
    "metadata": {"labels": {"app": "checkout"}, "creationTimestamp": None},
    "spec": {
        "containers": [
            {
                "name": "api",
                "image": "registry.example/shop/api:1.2",
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/api"],
                "args": ["--listen", ":8080"],
                "env": [
                    {"name": "LOG_LEVEL", "value": "info"},
                    {
                        "name": "DB_HOST",
                        "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "db"}},
                    },
                ],
                "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                "resources": {
                    "limits": {"memory": "256Mi", "cpu": "1"},
                    "requests": {"memory": "64Mi"},
                },
                "readinessProbe": {
                    "httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"},
                    "periodSeconds": 10,
                    "timeoutSeconds": 1,
                    "successThreshold": 1,
                    "failureThreshold": 3,
                },
                "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}],
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "volumes": [
            {"name": "config", "configMap": {"name": "settings", "defaultMode": 420}},
            {"name": "scratch", "emptyDir": {}},
        ],
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "terminationGracePeriodSeconds": 30,
        "securityContext": {},
    },
}


def template(**spec: Any) -> Fields:
    """The template, with other fields of its Pod spec."""
    made = copy.deepcopy(_TEMPLATE)
    made["spec"].update(spec)
    return made


def with_container(**fields: Any) -> Fields:
    """The template, with other fields of its container; None takes one away."""
    made = copy.deepcopy(_TEMPLATE)
    container = made["spec"]["containers"][0]
    container.update(fields)
    for name, value in fields.items():
        if value is None:
            del container[name]
    return made


def deployment(pod_template: Fields, **fields: Any) -> Fields:
    """The Deployment `checkout` of the namespace `shop`, made when everything here begins."""
    made = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "checkout",
            "namespace": "shop",
            "uid": "owner-uid",
            "creationTimestamp": stamp(-86_400 * 30),
            "managedFields": [
                {
                    "manager": "kubectl-edit",
                    "operation": "Update",
                    "time": stamp(-60),
                    "fieldsV1": {"f:spec": {"f:template": {}}},
                }
            ],
        },
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "checkout"}},
            "template": pod_template,
        },
        "status": {},
    }
    return {**made, **fields}


def replica_set(
    number: int, pod_template: Fields, *, seconds: float, ready: int = 0, name: str = ""
) -> Fields:
    """A ReplicaSet of it, made so long after the beginning."""
    found = name or f"checkout-{number}"
    stored = copy.deepcopy(pod_template)
    stored.setdefault("metadata", {}).setdefault("labels", {})["pod-template-hash"] = str(number)
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": found,
            "namespace": "shop",
            "uid": f"uid-of-{found}",
            "labels": {"app": "checkout"},
            "creationTimestamp": stamp(seconds),
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": "checkout",
                    "uid": "owner-uid",
                    "controller": True,
                }
            ],
        },
        "spec": {"template": stored},
        "status": {"readyReplicas": ready} if ready else {"replicas": 0},
    }


def config_map(*entries: tuple[str, float, tuple[str, ...]], data: dict[str, str]) -> Fields:
    """The ConfigMap `settings`: who wrote which keys, so long after the beginning."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "settings",
            "namespace": "shop",
            "creationTimestamp": stamp(-86_400 * 30),
            "managedFields": [
                {
                    "manager": manager,
                    "operation": "Update",
                    "time": stamp(seconds),
                    "fieldsV1": {"f:data": {".": {}, **{f"f:{key}": {} for key in keys}}},
                }
                for manager, seconds, keys in entries
            ],
        },
        "data": data,
    }
