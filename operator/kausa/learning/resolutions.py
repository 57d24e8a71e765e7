"""How a failure was mended: what was changed between the failing revision and the healthy one.

What worked is counted by `changed`, so a change is written there without what is different each
time: no names of objects and, of an image, no registry and no digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from kausa.evidence.changes.difference import Difference
from kausa.evidence.changes.revisions import Revision, Step
from kausa.resources.evidence import Change
from kausa.resources.recollection import Resolution

__all__ = ["Mended", "failing_step", "known_mending", "mended_by"]

MOST_CHANGES = 10
LONGEST_VALUE = 120
LONGEST_SENTENCE = 1000
_EPOCH = datetime.fromtimestamp(0, UTC)
_REGISTRY = re.compile(r"^[^/\s]*[.:][^/\s]*/(?=\S)")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_PREFIX = re.compile(r"^(?:spec\.jobTemplate\.)?(?:spec\.template\.)?(?:spec\.)?")
_WORKLOADS = frozenset(
    {"", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What was changed: in a sentence for people, and to be counted."""

    resolution: str | None = None
    changed: tuple[str, ...] = ()
    how: tuple[Change, ...] = ()
    """The same as `status.resolution.how` takes it."""


def failing_step(
    revisions: Iterable[Revision],
    *,
    began: datetime,
    edited_at: datetime | None,
    healthy: str | None = None,
) -> Step | None:
    """From the revision that was the newest when it began to fail to the one that works now.

    The healthy one is `healthy` by name, or the newest. None where they are the same: what mended
    it was not a rollout. One that was set back keeps its old age; that it came back since is known
    from `edited_at`, when the workload's spec was last written.
    """
    ordered = sorted(revisions, key=lambda each: (each.number, each.created or _EPOCH, each.name))
    named = [each for each in ordered if each.name == healthy]
    if not ordered or (healthy is not None and not named):
        return None
    running = named[0] if named else ordered[-1]
    before = [
        each for each in ordered if each.name != running.name and (each.created or _EPOCH) <= began
    ]
    if (running.created or _EPOCH) <= began:
        if edited_at is None or edited_at < began:
            return None
        before = [each for each in before if (each.created or _EPOCH) > (running.created or _EPOCH)]
    if not before:
        return None
    failing = max(before, key=lambda each: (each.created or _EPOCH, each.number))
    return Step(before=failing, running=running)


def mended_by(changes: Iterable[Difference]) -> Mended:
    """The changes of a recovery, the likeliest first, already redacted."""
    kept = [each for each in changes if each.path != "revision"][:MOST_CHANGES]
    sentence = "; ".join(dict.fromkeys(each.told for each in kept))
    return Mended(
        resolution=_cut(sentence, LONGEST_SENTENCE) or None,
        changed=tuple(
            dict.fromkeys(_counted(each.kind, each.path, each.before, each.after) for each in kept)
        ),
        how=tuple(
            Change(
                path=f"{each.kind}/{each.name} {each.path}".strip(),
                before=each.before,
                after=each.after,
                time=each.at,
            )
            for each in kept
        ),
    )


def known_mending(resolution: Resolution | None) -> Mended:
    """What a resource says of it."""
    if resolution is None or not resolution.how:
        return Mended()
    counted = [
        _counted(*_object_and_field(each.path), each.before, each.after) for each in resolution.how
    ]
    return Mended(
        resolution=_cut("; ".join(counted), LONGEST_SENTENCE),
        changed=tuple(dict.fromkeys(counted))[:MOST_CHANGES],
        how=resolution.how,
    )


def _object_and_field(path: str) -> tuple[str, str]:
    """`ConfigMap/settings data[url]` is a field of a ConfigMap, whatever its name."""
    thing, _, field = path.partition(" ")
    kind, slash, _ = thing.partition("/")
    return (kind, field) if slash and kind.isalpha() else ("", path)


def _counted(kind: str, path: str, before: str | None, after: str | None) -> str:
    field = _PREFIX.sub("", path)
    if kind not in _WORKLOADS:
        field = f"{kind} {field}".strip()
    image = field.endswith("image")
    old, new = _value(before, image=image), _value(after, image=image)
    if old is None and new is None:
        return f"{field} changed"
    if old is None and kind == "ConfigMap":
        return f"{field} set to {new}"  # What it was, nobody remembers.
    if old is None:
        return f"{field} added: {new}"
    return f"{field} removed: {old}" if new is None else f"{field}: {old} -> {new}"


def _value(value: str | None, *, image: bool) -> str | None:
    if value is None:
        return None
    short = " ".join(value.split())
    if image:
        short = _DIGEST.sub("", _REGISTRY.sub("", short))
    return _cut(short, LONGEST_VALUE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"
