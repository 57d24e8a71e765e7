"""Which namespaces are watched: settings first, the namespace's own label over them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from kausa.cluster.objects import Meta

__all__ = ["OPTED_OUT", "Scope", "opted_out"]

OPTED_OUT = frozenset({"false", "disabled"})
OPTED_IN = frozenset({"true", "enabled"})


class Scope:
    """Decides by name and label; holds the labels of the namespaces that have ours."""

    def __init__(
        self,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        own_namespace: str | None = None,
    ) -> None:
        self._include = tuple(include)
        self._exclude = tuple(exclude)
        self._own_namespace = own_namespace
        self._labels: dict[str, bool] = {}

    def watches(self, namespace: str) -> bool:
        """Whether failures of this namespace are recorded; "" is the cluster itself."""
        if not namespace:
            return True
        labelled = self._labels.get(namespace) if self._labels else None
        if labelled is not None:
            return labelled
        if namespace == self._own_namespace or _any(self._exclude, namespace):
            return False
        return not self._include or _any(self._include, namespace)

    def label(self, namespace: str, value: str | None) -> bool:
        """Take in what the label `kausa.dev/diagnose` of a namespace says; True where that
        changes whether it is watched.
        """
        before = self.watches(namespace)
        if value in OPTED_OUT:
            self._labels[namespace] = False
        elif value in OPTED_IN:
            self._labels[namespace] = True
        else:
            self._labels.pop(namespace, None)
        return self.watches(namespace) != before


def opted_out(meta: Meta) -> bool:
    """Whether an object's own label or annotation asks to be left alone."""
    return (meta.annotations is not None and meta.annotations.diagnose in OPTED_OUT) or (
        meta.labels is not None and meta.labels.diagnose in OPTED_OUT
    )


def _any(patterns: tuple[str, ...], namespace: str) -> bool:
    return any(fnmatchcase(namespace, pattern) for pattern in patterns)
