"""What is asked of recall: a text, what may be answered, and how it is ranked.

A filter always names the cluster: a search without one would show another tenant's text. All
filters hold at once, and hold before anything is searched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from kausa.memory.filters import Absent, Condition, Filter, OneOf, TimeRange
from kausa.recall.ranking import Ranking
from kausa.recall.runbook_match import Failing

__all__ = ["OnePer", "RecallFilters", "SearchRequest", "failure_filter", "runbook_filters"]

OnePer: TypeAlias = Literal["record", "owner"]
LONGEST_QUESTION = 4000
MOST_RESULTS = 100
OWNER_KINDS = (
    *("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"),
    *("Job", "CronJob", "Pod", "Node", "Service", "PersistentVolumeClaim"),
    *("HorizontalPodAutoscaler", "ResourceQuota", "Ingress"),
)
"""What a name alone may be the name of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFilters:
    """Whose failures, and which. Empty and None mean any; several values mean one of them."""

    cluster: str
    namespaces: tuple[str, ...] = ()
    """Failures and rollouts of these; runbooks of these and such that apply everywhere."""
    everywhere: tuple[str, ...] = ()
    """Namespaces whose runbooks apply everywhere, such as the operator's own."""
    owners: tuple[str, ...] = ()
    """Each as `Kind/name`, or the name alone."""
    containers: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    exit_code: int | None = None
    outcomes: tuple[str, ...] = ()
    """Open, Resolved, Superseded, Dismissed; of rollouts STARTED, SUCCEEDED, FAILED."""
    labels: tuple[str, ...] = ()
    """Each as key=value; all must be there."""
    after: datetime | None = None
    """Last seen then or later."""
    before: datetime | None = None
    """Last seen earlier than that."""
    exclude_record: str | None = None
    """The id of a record that asks about itself."""

    def __post_init__(self) -> None:
        if not self.cluster:
            raise ValueError("a search must name its cluster")
        for moment in (self.after, self.before):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{moment} has no time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """One search. What is out of bounds is a ValueError."""

    text: str
    """A question or an error message; what is longer than 4,000 characters is cut."""
    filters: RecallFilters
    words: str | None = None
    """What words are compared with, by BM25 and in the second reading; without it, `text`.

    (Measured: a question is embedded best as it was asked, and compared best word for word with
    what machines print of the same added: `kausa.recall.query.thesaurus`.)"""
    limit: int = 5
    """1 to 100."""
    one_per: OnePer = "record"
    rerank: bool = True
    ranking: Ranking = field(default_factory=Ranking)
    reasons: tuple[str, ...] = ()
    """What is known of the failure that is asked about: a passage written for it goes before one
    that is written for another."""
    categories: tuple[str, ...] = ()
    failing: Failing | None = None
    """All that is known of the failure, where a whole one asks: then runbooks are held against it
    by what their authors gave in `match`."""

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST_RESULTS:
            raise ValueError(f"limit is {self.limit}: it must be 1 to {MOST_RESULTS}")
        if not self.text.strip():
            raise ValueError("nothing is asked: the text is empty")
        for name in ("text", "words"):
            value = getattr(self, name)
            if value is not None and len(value) > LONGEST_QUESTION:
                object.__setattr__(self, name, value[:LONGEST_QUESTION])


def failure_filter(filters: RecallFilters, *, kind: Literal["failure", "rollout"]) -> Filter:
    """Which points of the collection `failures` may be answered."""
    must: list[Condition] = [OneOf("cluster", (filters.cluster,)), OneOf("kind", (kind,))]
    several = {
        "namespace": filters.namespaces,
        "owner": tuple(each for owner in filters.owners for each in _owners(owner)),
        "container": filters.containers,
        "node": filters.nodes,
        "category": filters.categories,
        "reason": filters.reasons,
        "outcome": filters.outcomes,
    }
    must += [OneOf(name, values) for name, values in several.items() if values]
    if filters.exit_code is not None:
        must.append(OneOf("exit_code", (filters.exit_code,)))
    must += [OneOf("labels", (label,)) for label in filters.labels]
    if filters.after is not None or filters.before is not None:
        must.append(TimeRange("last_seen", after=filters.after, before=filters.before))
    return Filter(must=tuple(must), must_not=_not_itself(filters))


def runbook_filters(filters: RecallFilters) -> tuple[Filter, ...]:
    """Which runbooks may be answered: a filter each for those of namespaces and of nobody's.

    What is asked about failures (owner, outcome, time...) says nothing of runbooks.
    """
    cluster = OneOf("cluster", (filters.cluster,))
    if not filters.namespaces:
        return (Filter(must=(cluster,)),)
    owned = OneOf("namespace", tuple(dict.fromkeys((*filters.namespaces, *filters.everywhere))))
    return (Filter(must=(cluster, owned)), Filter(must=(cluster, Absent("namespace"))))


def _owners(owner: str) -> tuple[str, ...]:
    """The ways that one owner may be kept: records know it as `Kind/name`."""
    return (owner,) if "/" in owner else tuple(f"{kind}/{owner}" for kind in OWNER_KINDS)


def _not_itself(filters: RecallFilters) -> tuple[Condition, ...]:
    return (OneOf("record_id", (filters.exclude_record,)),) if filters.exclude_record else ()
