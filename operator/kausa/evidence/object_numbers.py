"""The numbers and settings of an object that tell how far it is, in words, for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kausa.cluster.reader import Manifest
from kausa.evidence.fields import at, flag, listed, number, rows, strings, table, text
from kausa.evidence.selecting import in_words

__all__ = ["numbers_in_words"]

MOST_PARTS = 12


def numbers_in_words(manifest: Manifest) -> tuple[str, ...]:
    """`wants 3 replicas; 1 updated; 0 ready` and the like; nothing for a kind not known here."""
    tell = _BY_KIND.get(text(manifest, "kind"))
    return tuple(list(tell(manifest))[:MOST_PARTS]) if tell is not None else ()


def _replicated(manifest: Manifest) -> Iterator[str]:
    wanted = number(manifest, "spec", "replicas")
    if wanted is not None or "status" in manifest:
        yield f"wants {1 if wanted is None else wanted} replicas"
    for field, word in (
        ("replicas", "there"),
        ("updatedReplicas", "updated"),
        ("readyReplicas", "ready"),
        ("availableReplicas", "available"),
        ("unavailableReplicas", "unavailable"),
    ):
        found = number(manifest, "status", field)
        if found is not None:
            yield f"{found} {word}"
    strategy = text(manifest, "spec", "strategy", "type")
    if strategy == "Recreate":
        yield "strategy Recreate"
    policy = text(manifest, "spec", "podManagementPolicy")
    if policy:
        yield f"podManagementPolicy {policy}"
    yield from _update_strategy(manifest)
    current, update = (
        text(manifest, "status", f"{each}Revision") for each in ("current", "update")
    )
    if current and update and current != update:
        yield f"revision {current} gives way to {update}"


def _update_strategy(manifest: Manifest) -> Iterator[str]:
    strategy = text(manifest, "spec", "updateStrategy", "type")
    if strategy == "OnDelete":
        yield "updateStrategy OnDelete: Pods change only when they are deleted"
    partition = number(manifest, "spec", "updateStrategy", "rollingUpdate", "partition")
    if partition:
        yield f"updateStrategy.rollingUpdate.partition {partition}: lower ordinals stay as they are"


def _daemon_set(manifest: Manifest) -> Iterator[str]:
    for field, word in (
        ("desiredNumberScheduled", "nodes want it"),
        ("currentNumberScheduled", "scheduled"),
        ("updatedNumberScheduled", "updated"),
        ("numberReady", "ready"),
        ("numberUnavailable", "unavailable"),
        ("numberMisscheduled", "on nodes that should not run it"),
    ):
        found = number(manifest, "status", field)
        if found is not None:
            yield f"{found} {word}"
    chosen = table(manifest, "spec", "template", "spec", "nodeSelector")
    if chosen:
        yield f"nodeSelector {in_words(chosen)}"
    yield from _update_strategy(manifest)


def _job(manifest: Manifest) -> Iterator[str]:
    for field in ("completions", "parallelism", "backoffLimit", "activeDeadlineSeconds"):
        found = number(manifest, "spec", field)
        if found is not None:
            yield f"{field} {found}"
    for field in ("active", "ready", "succeeded", "failed"):
        found = number(manifest, "status", field)
        if found is not None:
            yield f"{found} {field}"


def _cron_job(manifest: Manifest) -> Iterator[str]:
    schedule = text(manifest, "spec", "schedule")
    if schedule:
        zone = text(manifest, "spec", "timeZone")
        yield f"schedule {schedule}{f' in {zone}' if zone else ''}"
    policy = text(manifest, "spec", "concurrencyPolicy")
    if policy and policy != "Allow":
        yield f"concurrencyPolicy {policy}"
    deadline = number(manifest, "spec", "startingDeadlineSeconds")
    if deadline is not None:
        yield f"startingDeadlineSeconds {deadline}"
    if listed(manifest, "status", "active"):
        yield f"{len(at(manifest, 'status', 'active'))} active"
    for field in ("lastScheduleTime", "lastSuccessfulTime"):
        found = text(manifest, "status", field)
        if found:
            yield f"{field} {found}"


def _autoscaler(manifest: Manifest) -> Iterator[str]:
    target = table(manifest, "spec", "scaleTargetRef")
    yield f"scales {text(target, 'kind')} {text(target, 'name')}"
    low, high = (number(manifest, "spec", f"{each}Replicas") for each in ("min", "max"))
    yield f"between {1 if low is None else low} and {'?' if high is None else high} replicas"
    for field, word in (("currentReplicas", "there"), ("desiredReplicas", "desired")):
        found = number(manifest, "status", field)
        if found is not None:
            yield f"{found} {word}"
    for metric in rows(manifest, "spec", "metrics")[:4]:
        yield f"metric {_metric(metric)}"


def _metric(metric: Mapping[str, Any]) -> str:
    type_ = text(metric, "type")
    body = table(metric, type_[:1].lower() + type_[1:]) if type_ else {}
    name = text(body, "name") or text(body, "metric", "name")
    target = table(body, "target")
    wanted = next(
        (
            text(target, key)
            for key in ("averageUtilization", "averageValue", "value")
            if key in target
        ),
        "",
    )
    percent = "%" if "averageUtilization" in target else ""
    return f"{type_} {name}{f' at {wanted}{percent}' if wanted else ''}"


def _service(manifest: Manifest) -> Iterator[str]:
    type_ = text(manifest, "spec", "type") or "ClusterIP"
    yield f"type {type_}"
    external = text(manifest, "spec", "externalName")
    if external:
        yield f"externalName {external}"
    chosen = table(manifest, "spec", "selector")
    yield f"selects {in_words(chosen)}" if chosen else "has no selector"
    ports = [_port(each) for each in rows(manifest, "spec", "ports")[:6]]
    if ports:
        yield f"ports {', '.join(ports)}"
    if type_ == "LoadBalancer":
        given = rows(manifest, "status", "loadBalancer", "ingress")
        shown = [text(each, "ip") or text(each, "hostname") for each in given]
        yield f"load balancer {', '.join(shown)}" if shown else "no load balancer is given to it"


def _port(port: Mapping[str, Any]) -> str:
    name = text(port, "name")
    target = text(port, "targetPort")
    return f"{f'{name} ' if name else ''}{text(port, 'port')}{f' to {target}' if target else ''}"


def _ingress(manifest: Manifest) -> Iterator[str]:
    class_ = text(manifest, "spec", "ingressClassName")
    yield f"class {class_}" if class_ else "names no IngressClass"
    hosts = [text(each, "host") or "*" for each in rows(manifest, "spec", "rules")]
    if hosts:
        yield f"hosts {', '.join(hosts[:6])}"
    if not rows(manifest, "status", "loadBalancer", "ingress") and "status" in manifest:
        yield "no address is given to it"


def _network_policy(manifest: Manifest) -> Iterator[str]:
    chosen = at(manifest, "spec", "podSelector")
    yield f"selects {in_words(chosen)}"
    types = strings(manifest, "spec", "policyTypes") or ("Ingress",)
    for type_ in types[:2]:
        rules = at(manifest, "spec", type_.lower())
        count = len(rules) if isinstance(rules, list) else 0
        yield f"{type_}: {f'{count} rules allow' if count else 'nothing is allowed'}"


def _claim(manifest: Manifest) -> Iterator[str]:
    class_ = at(manifest, "spec", "storageClassName")
    yield (
        f"StorageClass {class_ or '(empty)'}"
        if isinstance(class_, str)
        else "names no StorageClass"
    )
    asked = text(manifest, "spec", "resources", "requests", "storage")
    if asked:
        yield f"asks for {asked}"
    modes = strings(manifest, "spec", "accessModes")
    if modes:
        yield f"access {', '.join(modes)}"
    volume = text(manifest, "spec", "volumeName")
    if volume:
        yield f"volume {volume}"
    capacity = text(manifest, "status", "capacity", "storage")
    if capacity:
        yield f"has {capacity}"


def _volume(manifest: Manifest) -> Iterator[str]:
    yield f"capacity {text(manifest, 'spec', 'capacity', 'storage') or 'not said'}"
    modes = strings(manifest, "spec", "accessModes")
    if modes:
        yield f"access {', '.join(modes)}"
    claim = table(manifest, "spec", "claimRef")
    if claim:
        yield f"claimed by {text(claim, 'namespace')}/{text(claim, 'name')}"
    for field in ("persistentVolumeReclaimPolicy", "storageClassName"):
        found = text(manifest, "spec", field)
        if found:
            yield f"{field} {found}"


def _disruption_budget(manifest: Manifest) -> Iterator[str]:
    for field in ("minAvailable", "maxUnavailable"):
        found = text(manifest, "spec", field)
        if found:
            yield f"{field} {found}"
    for field in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"):
        found_number = number(manifest, "status", field)
        if found_number is not None:
            yield f"{field} {found_number}"


def _quota(manifest: Manifest) -> Iterator[str]:
    hard, used = table(manifest, "status", "hard"), table(manifest, "status", "used")
    for name in hard or table(manifest, "spec", "hard"):
        limit = text(hard, name) or text(manifest, "spec", "hard", name)
        yield f"{name} {text(used, name) or '0'} of {limit} used"


def _data(manifest: Manifest) -> Iterator[str]:
    keys = [*table(manifest, "data"), *table(manifest, "binaryData")]
    yield f"keys {', '.join(str(each) for each in keys[:20])}" if keys else "has no keys"
    if flag(manifest, "immutable"):
        yield "is immutable"


def _webhooks(manifest: Manifest) -> Iterator[str]:
    for webhook in rows(manifest, "webhooks")[:4]:
        service = table(webhook, "clientConfig", "service")
        place = (
            f"Service {text(service, 'namespace')}/{text(service, 'name')}"
            if service
            else text(webhook, "clientConfig", "url")
        )
        yield (
            f"webhook {text(webhook, 'name')} asks {place}, failurePolicy "
            f"{text(webhook, 'failurePolicy') or 'Fail'}, "
            f"timeout {text(webhook, 'timeoutSeconds') or '10'} s"
        )


_BY_KIND: Mapping[str, Callable[[Manifest], Iterator[str]]] = {
    "ConfigMap": _data,
    "CronJob": _cron_job,
    "DaemonSet": _daemon_set,
    "Deployment": _replicated,
    "HorizontalPodAutoscaler": _autoscaler,
    "Ingress": _ingress,
    "Job": _job,
    "MutatingWebhookConfiguration": _webhooks,
    "NetworkPolicy": _network_policy,
    "PersistentVolume": _volume,
    "PersistentVolumeClaim": _claim,
    "PodDisruptionBudget": _disruption_budget,
    "ReplicaSet": _replicated,
    "ReplicationController": _replicated,
    "ResourceQuota": _quota,
    "Secret": _data,
    "Service": _service,
    "StatefulSet": _replicated,
    "ValidatingWebhookConfiguration": _webhooks,
}
