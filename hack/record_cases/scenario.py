"""What a case is recorded from: manifests in steps, and what a good diagnosis says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Manifest: TypeAlias = dict[str, Any]

SETTLES_SECONDS = 40.0
"""A crash loop has ended some ten times by then on the local cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is scored. `says`: of every list one pattern stands in summary or root cause."""

    category: str | None
    says: Sequence[Sequence[str]] = ()
    never_says: Sequence[str] = ()

    @property
    def outcome(self) -> str:
        """`healthy` where no category and no words are expected."""
        return "failure" if self.category or self.says else "healthy"


HEALTHY = Expected(category=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is applied at once, and how long it is left alone then."""

    manifests: Sequence[Manifest]
    seconds: float = SETTLES_SECONDS
    scale: Mapping[str, int] = field(default_factory=dict)
    """Deployments that are scaled before the manifests are applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One failure, or one thing that only looks like one, in a namespace of its own."""

    id: str
    title: str
    target: str
    """`Kind/name`, of the scenario's namespace."""
    steps: Sequence[Step]
    expected: Expected
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the namespace."""
    cluster_wide: Sequence[Manifest] = ()
    """Objects of no namespace: made before the first step, deleted after the recording."""
    question: str = ""
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Secrets to make, by name; they are never recorded."""

    @property
    def seconds(self) -> float:
        """How long it takes in all."""
        return sum(step.seconds for step in self.steps)
