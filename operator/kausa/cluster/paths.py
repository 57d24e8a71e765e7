"""Where objects live on an API server: from apiVersion and plural to a URL path."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["EVENTS", "PODS", "ResourcePath"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePath:
    """One kind of object, as the API server's URLs spell it."""

    api_version: str
    plural: str
    kind: str
    namespaced: bool = True

    def collection(self, *, namespace: str | None = None) -> str:
        """The path of all objects of this kind, or of those in one namespace."""
        root = "/api/v1" if self.api_version == "v1" else f"/apis/{self.api_version}"
        where = f"/namespaces/{quote(namespace)}" if namespace and self.namespaced else ""
        return f"{root}{where}/{self.plural}"

    def object(self, *, name: str, namespace: str | None = None) -> str:
        """The path of one object."""
        return f"{self.collection(namespace=namespace)}/{quote(name)}"


PODS = ResourcePath(api_version="v1", plural="pods", kind="Pod")
EVENTS = ResourcePath(api_version="v1", plural="events", kind="Event")
