"""Which namespaces are watched: settings first, the namespace's own label over them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from kausa.cluster.objects import Meta

__all__ = ["Scope", "opted_out", "says_no"]

_OPTED_OUT = frozenset({"false", "disabled", "no", "off", "0"})
_OPTED_IN = frozenset({"true", "enabled", "yes", "on", "1"})


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
        if namespace == self._own_namespace:
            return False
        if self._exclude and _any(self._exclude, namespace):
            return False
        return not self._include or _any(self._include, namespace)

    def label(self, namespace: str, value: str | None) -> bool:
        """Take in what the label `kausa.dev/diagnose` of a namespace says; True where that
        changes whether it is watched.
        """
        before = self.watches(namespace)
        if says_no(value):
            self._labels[namespace] = False
        elif value is not None and value.lower() in _OPTED_IN:
            self._labels[namespace] = True
        else:
            self._labels.pop(namespace, None)
        return self.watches(namespace) != before


def opted_out(meta: Meta) -> bool:
    """Whether an object's own label or annotation asks to be left alone."""
    marks = (meta.annotations, meta.labels)
    return any(each is not None and says_no(each.diagnose) for each in marks)


def says_no(value: str | None) -> bool:
    """Whether a label or annotation asks to be left alone, in whatever words people use for no."""
    return value is not None and value.strip().lower() in _OPTED_OUT


def _any(patterns: tuple[str, ...], namespace: str) -> bool:
    return any(fnmatchcase(namespace, pattern) for pattern in patterns)
