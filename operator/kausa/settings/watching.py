"""What of which cluster is watched, and where what belongs to no namespace is written."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode

from kausa.settings.surroundings import namespace_of_this_pod

__all__ = ["DEFAULT_CLUSTER_NAME", "NamespacePatterns", "WatchingSettings"]

OUTSIDE_NAMESPACE = "default"
DEFAULT_CLUSTER_NAME = "default"


def _split(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


NamespacePatterns = Annotated[
    tuple[Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9*?\[\]!-]+$")], ...],
    BeforeValidator(_split),
    NoDecode,
]
"""Names of namespaces, with `*` and `?`."""


class WatchingSettings(BaseSettings):
    """Which cluster this is, and which of its namespaces count."""

    cluster_name: str = Field(default=DEFAULT_CLUSTER_NAME, min_length=1, max_length=63)
    """Names this cluster in every record. Two clusters that share a memory need two names, so with
    `memory_store` server the default is refused."""

    namespace: Annotated[
        str | None, Field(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    ] = None
    """Watch one namespace only. None watches all that the credentials may see."""

    namespaces_include: NamespacePatterns = ()
    """Watch only namespaces whose names match one of these, separated by commas; `team-*` works.
    Empty watches all."""

    namespaces_exclude: NamespacePatterns = ()
    """Leave out namespaces whose names match one of these, separated by commas. A namespace's own
    label `kausa.dev/diagnose: enabled` or `disabled` goes before both."""

    own_namespace: Annotated[
        str | None, Field(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    ] = Field(default_factory=namespace_of_this_pod)
    """Where the operator itself runs: it is not watched, it holds the Lease, and failures of nodes
    are written there. In a Pod it is found by itself; elsewhere the Lease and the nodes' failures
    are in `namespace`, or in `default` without one, and nothing is left out."""

    watch_own_namespace: bool = False
    """True watches the operator's own namespace too; where it is the one that `namespace` names, it
    is watched in any case."""

    @property
    def home_namespace(self) -> str:
        """Where the Lease is, and failures of what belongs to no namespace are written."""
        return self.own_namespace or self.namespace or OUTSIDE_NAMESPACE

    @property
    def runbooks_of_everybody(self) -> tuple[str, ...]:
        """Namespaces whose Runbooks apply everywhere: the operator's own, where it is known.

        Only there is it certain that whoever writes a Runbook speaks for the whole cluster. An
        operator on somebody's machine has none; `default` is anybody's.
        """
        return (self.own_namespace,) if self.own_namespace else ()

    @property
    def left_out_namespace(self) -> str | None:
        """The operator's own namespace where it is not watched; None where nothing is left out.

        Who names a namespace to watch means it, also where the operator runs in the same.
        """
        if self.watch_own_namespace or self.own_namespace == self.namespace:
            return None
        return self.own_namespace
