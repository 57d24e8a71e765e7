"""The workload that a patch is for: an owner with a Pod template that people change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kausa.diagnosis.finding import Patch
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import rows, table, text

__all__ = ["Workload", "workload_of"]

_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Not Jobs and bare Pods: their templates cannot be changed. Not ReplicaSets: their Pods stay."""

_KEEPERS = (
    ("labels", "app.kubernetes.io/managed-by", ""),
    ("annotations", "argocd.argoproj.io/tracking-id", "Argo CD"),
    ("labels", "argocd.argoproj.io/instance", "Argo CD"),
    ("labels", "kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("labels", "helm.toolkit.fluxcd.io/name", "Flux"),
    ("annotations", "meta.helm.sh/release-name", "Helm"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """An owner as it was read, and the way to its Pod template."""

    manifest: Mapping[str, Any]
    kind: str
    name: str
    namespace: str
    api_version: str

    @property
    def template(self) -> Mapping[str, Any]:
        """Its Pod template."""
        return table(self.manifest, *_TEMPLATES[self.kind])

    @property
    def template_path(self) -> str:
        """As the paths of changes begin."""
        return ".".join(_TEMPLATES[self.kind])

    def container(self, name: str | None) -> tuple[str, Mapping[str, Any]] | None:
        """`containers` or `initContainers`, and the container; None for one that it does not have:
        something else put it into the Pod.
        """
        for field in ("containers", "initContainers"):
            for each in rows(self.template, "spec", field):
                if name and text(each, "name") == name:
                    return field, each
        return None

    def patch(self, in_template: Mapping[str, Any]) -> Patch:
        """A patch of its template."""
        body: Mapping[str, Any] = in_template
        for field in reversed(_TEMPLATES[self.kind]):
            body = {field: body}
        return Patch(
            api_version=self.api_version,
            kind=self.kind,
            name=self.name,
            namespace=self.namespace,
            body=body,
        )

    def container_patch(self, name: str, fields: Mapping[str, Any]) -> Patch | None:
        """A patch of one of its containers."""
        found = self.container(name)
        if found is None:
            return None
        return self.patch({"spec": {found[0]: [{"name": name, **fields}]}})

    @property
    def kept_by(self) -> str:
        """What writes it from somewhere else and would write it again, such as Helm; or nothing."""
        for field, key, who in _KEEPERS:
            found = text(self.manifest, "metadata", field, key)
            if found:
                return who or found
        return ""


def workload_of(dossier: Dossier) -> Workload | None:
    """The top owner, where it was read and has a template that can be changed."""
    owner = dossier.owner
    manifest = dossier.object(owner.kind, owner.name) if owner.kind in _TEMPLATES else None
    if manifest is None:
        return None
    return Workload(
        manifest=manifest,
        kind=owner.kind,
        name=owner.name,
        namespace=owner.namespace,
        api_version=owner.api_version,
    )
