"""Where objects live on an API server: from apiVersion and plural to a URL path.

Names come from objects that anybody in the cluster may have written (an ownerReference is checked
by nobody), so each must be one segment of a path. Escaping is not enough for that: the API server
unescapes a path before it cuts it, which is why Kubernetes refuses `/` and `%` in every name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from kausa.cluster.errors import UndecodableError

__all__ = ["EVENTS", "PODS", "ResourcePath", "api_root"]

_API_VERSION = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?v[a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePath:
    """One kind of object, as the API server's URLs spell it.

    Its methods raise an UndecodableError for what cannot be part of a URL of Kubernetes.
    """

    api_version: str
    plural: str
    kind: str
    namespaced: bool = True

    def collection(self, *, namespace: str | None = None) -> str:
        """The path of all objects of this kind, or of those in one namespace."""
        where = f"/namespaces/{_segment(namespace)}" if namespace and self.namespaced else ""
        return f"{api_root(self.api_version)}{where}/{_segment(self.plural)}"

    def object(self, *, name: str, namespace: str | None = None) -> str:
        """The path of one object."""
        if self.namespaced:
            _segment(namespace or "")
        return f"{self.collection(namespace=namespace)}/{_segment(name)}"


def api_root(api_version: str) -> str:
    """The path under which a group and version live.

    Raises:
        UndecodableError: this is no apiVersion.
    """
    if not _API_VERSION.fullmatch(api_version):
        raise UndecodableError(f"{api_version[:100]!r} is not an apiVersion of Kubernetes.")
    return "/api/v1" if api_version == "v1" else f"/apis/{api_version}"


def _segment(text: str) -> str:
    if text in ("", ".", "..") or "/" in text or "%" in text:
        raise UndecodableError(f"{text[:100]!r} cannot be the name of a Kubernetes object.")
    return quote(text, safe="", errors="replace")


PODS = ResourcePath(api_version="v1", plural="pods", kind="Pod")
EVENTS = ResourcePath(api_version="v1", plural="events", kind="Event")
