"""Everything that a Pod (or a Pod template) names, and in which field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kausa.evidence.fields import at, flag, name_of, rows, table, text

__all__ = ["Named", "names_of_pod"]

LONGEST_ANNOTATION = 4096
_NETWORKS = "k8s.v1.cni.cncf.io/networks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One name in one field; `key` where a single key of it is wanted."""

    kind: str
    name: str
    field_path: str
    key: str = ""
    namespace: str = ""
    """Where it is looked for, if not where the Pod is."""
    optional: bool = False
    """Whether the Pod does without."""


def names_of_pod(pod: object) -> tuple[Named, ...]:
    """What the Pod cannot do without, and what it may do without, in the order of the spec."""
    found = (
        *_containers(pod),
        *_volumes(pod),
        *_whole(pod),
        *_networks(pod),
    )
    return tuple(dict.fromkeys(each for each in found if each.name))


def _containers(pod: object) -> Iterator[Named]:
    for field in ("initContainers", "containers"):
        for container in rows(pod, "spec", field):
            where = f"spec.{field}[{text(container, 'name')}]"
            for source in rows(container, "envFrom"):
                for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                    yield _named(kind, table(source, key), path=f"{where}.envFrom")
            for variable in rows(container, "env"):
                path = f"{where}.env[{text(variable, 'name')}]"
                for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                    reference = table(variable, "valueFrom", key)
                    yield _named(kind, reference, path=path, key=text(reference, "key"))


def _volumes(pod: object) -> Iterator[Named]:
    for volume in rows(pod, "spec", "volumes"):
        name = text(volume, "name")
        # Every Pod has this one; what it holds is made by Kubernetes itself.
        if name.startswith("kube-api-access-"):
            continue
        path = f"spec.volumes[{name}]"
        yield from _files("ConfigMap", table(volume, "configMap"), path=path)
        yield from _files("Secret", table(volume, "secret"), path=path, name="secretName")
        for source in rows(volume, "projected", "sources"):
            yield from _files("ConfigMap", table(source, "configMap"), path=path)
            yield from _files("Secret", table(source, "secret"), path=path)
        claim = table(volume, "persistentVolumeClaim")
        yield _named("PersistentVolumeClaim", claim, path=path, name="claimName")
        if isinstance(volume.get("ephemeral"), Mapping) and name_of(pod):
            yield Named(
                kind="PersistentVolumeClaim", name=f"{name_of(pod)}-{name}", field_path=path
            )


def _files(
    kind: str, source: Mapping[str, Any], *, path: str, name: str = "name"
) -> Iterator[Named]:
    yield _named(kind, source, path=path, name=name)
    for item in rows(source, "items"):
        yield _named(kind, source, path=path, name=name, key=text(item, "key"))


def _whole(pod: object) -> Iterator[Named]:
    for field, kind in (
        ("serviceAccountName", "ServiceAccount"),
        ("runtimeClassName", "RuntimeClass"),
        ("nodeName", "Node"),
    ):
        yield Named(kind=kind, name=text(pod, "spec", field), field_path=f"spec.{field}")
    priority = text(pod, "spec", "priorityClassName")
    if not priority.startswith("system-"):
        yield Named(kind="PriorityClass", name=priority, field_path="spec.priorityClassName")
    for secret in rows(pod, "spec", "imagePullSecrets"):
        yield Named(kind="Secret", name=text(secret, "name"), field_path="spec.imagePullSecrets")


def _named(
    kind: str, source: Mapping[str, Any], *, path: str, name: str = "name", key: str = ""
) -> Named:
    return Named(
        kind=kind,
        name=text(source, name),
        field_path=path,
        key=key,
        optional=flag(source, "optional"),
    )


def _networks(pod: object) -> Iterator[Named]:
    """Further networks that Multus attaches: `a, other/b@eth1`, or a list of maps as JSON."""
    written = text(at(pod, "metadata", "annotations"), _NETWORKS)[:LONGEST_ANNOTATION].strip()
    if not written:
        return
    field = f"metadata.annotations[{_NETWORKS}]"
    kind = "NetworkAttachmentDefinition"
    if written.startswith("["):
        try:
            listed = json.loads(written)
        except (ValueError, RecursionError):
            return
        for each in rows({"networks": listed}, "networks"):
            namespace = text(each, "namespace")
            yield Named(kind=kind, name=text(each, "name"), namespace=namespace, field_path=field)
        return
    for part in written.split(",")[:20]:
        namespace, _, name = part.strip().partition("@")[0].rpartition("/")
        yield Named(kind=kind, name=name, namespace=namespace, field_path=field)
