"""Where a Pod may run and with what, in words: the settings of the Pod as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kausa.evidence.container_words import security_in_words
from kausa.evidence.fields import flag, number, rows, table, text
from kausa.evidence.selecting import in_words

__all__ = ["placement_in_words", "volumes_in_words"]

MOST_VOLUMES = 12
_DEFAULT_TOLERATIONS = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})


def placement_in_words(pod: object) -> str:
    """Node, selectors, affinity, tolerations, service account and the like; empty for none."""
    return "; ".join((*_where(pod), *_manner(pod)))


def _where(pod: object) -> Iterator[str]:
    node = text(pod, "spec", "nodeName")
    if node:
        yield f"node {node}"
    selector = table(pod, "spec", "nodeSelector")
    if selector:
        yield f"nodeSelector {in_words(selector)}"
    yield from _affinity(table(pod, "spec", "affinity"))
    tolerations = [
        _toleration(each)
        for each in rows(pod, "spec", "tolerations")
        if text(each, "key") not in _DEFAULT_TOLERATIONS
    ]
    if tolerations:
        yield f"tolerates {', '.join(tolerations[:10])}"
    for spread in rows(pod, "spec", "topologySpreadConstraints")[:5]:
        among = in_words(spread.get("labelSelector"))
        yield (
            f"spread over {text(spread, 'topologyKey')} by at most {text(spread, 'maxSkew')} "
            f"({text(spread, 'whenUnsatisfiable')}) among Pods {among}"
        )
    gates = [text(each, "name") for each in rows(pod, "spec", "schedulingGates")]
    if gates:
        yield f"schedulingGates {', '.join(gates[:5])}"
    scheduler = text(pod, "spec", "schedulerName")
    if scheduler and scheduler != "default-scheduler":
        yield f"schedulerName {scheduler}"


def _affinity(affinity: Mapping[str, Any]) -> Iterator[str]:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = rows(affinity, "nodeAffinity", required, "nodeSelectorTerms")
    if terms:
        yield f"node affinity requires {' or '.join(in_words(each) for each in terms[:4])}"
    for field, word in (("podAffinity", "affinity"), ("podAntiAffinity", "anti-affinity")):
        for term in rows(affinity, field, required)[:3]:
            yield (
                f"Pod {word} requires {in_words(term.get('labelSelector'))} "
                f"within {text(term, 'topologyKey')}"
            )


def _toleration(toleration: Mapping[str, Any]) -> str:
    key, value, effect = (text(toleration, each) for each in ("key", "value", "effect"))
    shown = f"{key or 'everything'}{f'={value}' if value else ''}"
    return f"{shown}:{effect}" if effect else shown


def _manner(pod: object) -> Iterator[str]:
    for field in (
        "serviceAccountName",
        "priorityClassName",
        "runtimeClassName",
        "dnsPolicy",
        "restartPolicy",
        "preemptionPolicy",
        "hostname",
    ):
        found = text(pod, "spec", field)
        if found and (field, found) not in (
            ("dnsPolicy", "ClusterFirst"),
            ("preemptionPolicy", "PreemptLowerPriority"),
            ("restartPolicy", "Always"),
        ):
            yield f"{field} {found}"
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if flag(pod, "spec", field):
            yield field
    for field in ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "priority"):
        seconds = number(pod, "spec", field)
        if seconds is not None and (field, seconds) not in (
            ("terminationGracePeriodSeconds", 30),
            ("priority", 0),
        ):
            yield f"{field} {seconds}"
    secrets = [text(each, "name") for each in rows(pod, "spec", "imagePullSecrets")]
    if secrets:
        yield f"imagePullSecrets {', '.join(secrets[:5])}"
    security = security_in_words(table(pod, "spec", "securityContext"))
    if security:
        yield f"securityContext {security}"
    overhead = table(pod, "spec", "overhead")
    if overhead:
        yield f"overhead {', '.join(f'{key}={overhead[key]}' for key in list(overhead)[:4])}"


def volumes_in_words(pod: object) -> str:
    """What each volume is made of; empty where there are none that a person wrote."""
    told = [
        f"{text(each, 'name')} is {_volume(each)}"
        for each in rows(pod, "spec", "volumes")
        if not text(each, "name").startswith("kube-api-access-")
    ]
    return ", ".join(told[:MOST_VOLUMES])


def _volume(volume: Mapping[str, Any]) -> str:
    optional = " (optional)"
    for field, kind, key in (
        ("configMap", "ConfigMap", "name"),
        ("secret", "Secret", "secretName"),
        ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
        ("hostPath", "hostPath", "path"),
        ("csi", "CSI driver", "driver"),
    ):
        found = table(volume, field)
        if found:
            said = optional if flag(found, "optional") else ""
            return f"{kind} {text(found, key)}{said}"
    share = table(volume, "nfs")
    if share:
        return f"NFS {text(share, 'server')}:{text(share, 'path')}"
    scratch = volume.get("emptyDir")
    if isinstance(scratch, Mapping):
        limit = text(scratch, "sizeLimit")
        medium = " in memory" if text(scratch, "medium") == "Memory" else ""
        return f"emptyDir{medium}{f' of at most {limit}' if limit else ''}"
    kinds = [str(key) for key in volume if key != "name"]
    return kinds[0] if kinds else "nothing"
