"""What a snapshot is complete in: where something is missing, does it not exist, or is it unknown?

A case folder is complete (its `objects.json` says so by its format): what is not there does not
exist, as long as anything of its kind or of its namespace was recorded. Of other files only a list
tells that there is nothing else, and only of its kind and in the namespaces that it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Coverage"]

Resource = tuple[str, str]
"""Group and plural."""


@dataclass(slots=True, kw_only=True)
class Coverage:
    """Collects what was recorded; `tells` answers."""

    whole: bool
    """The files say that they are complete."""
    kinds: set[Resource] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=set)
    """Those in which any object was recorded."""
    _listed: dict[Resource, set[str]] = field(default_factory=dict)

    def saw(self, resource: Resource, *, namespace: str) -> None:
        """An object was recorded."""
        self.kinds.add(resource)
        if namespace:
            self.namespaces.add(namespace)

    def listed(self, resource: Resource, *, namespaces: set[str]) -> None:
        """All objects of a kind were recorded, of these namespaces at least."""
        self.kinds.add(resource)
        self._listed.setdefault(resource, set()).update(namespaces)

    @property
    def listed_namespaces(self) -> frozenset[str]:
        """Those of which any list was recorded, an empty one too."""
        return frozenset().union(*self._listed.values())

    def tells(self, resource: Resource, *, namespace: str, namespaced: bool = True) -> bool:
        """Whether something that is missing does not exist."""
        if self.whole and (resource in self.kinds or (namespace and namespace in self.namespaces)):
            return True
        in_namespaces = self._listed.get(resource)
        if in_namespaces is None:
            return False
        # Of several namespaces: it was asked for those of all.
        return not namespaced or namespace in in_namespaces or len(in_namespaces) > 1
