"""From what a person writes (`deploy/api`, `pod/shop/api-1`) to one object of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kausa.cluster.objects import ObjectReference
from kausa.cluster.snapshot import Snapshot
from kausa.cluster.snapshot.plurals import kinds_called
from kausa.errors import KausaError

__all__ = ["Target", "TargetError", "check_namespace", "find_target", "parse_target"]

MOST_NAMED = 5
MOST_NAMESPACES = 20


class TargetError(KausaError):
    """The object that was asked for cannot be found; the message names those that are near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a person named."""

    kind: str
    """In their own word: kind, plural or short name, in any case."""
    name: str
    namespace: str | None = None
    """None where none was named."""

    def __str__(self) -> str:
        return "/".join(each for each in (self.kind, self.namespace, self.name) if each)


def parse_target(text: str, *, namespace: str | None = None) -> Target:
    """`kind/name` or `kind/namespace/name`.

    Raises:
        TargetError: it is neither.
    """
    parts = text.strip().split("/")
    if not all(parts) or len(parts) not in (2, 3):
        raise TargetError(
            f"{text!r} is no target. Write kind/namespace/name such as deployment/shop/api, or "
            "kind/name with --namespace."
        )
    if len(parts) == 2:
        return Target(kind=parts[0], name=parts[1], namespace=namespace)
    if namespace is not None and namespace != parts[1]:
        raise TargetError(
            f"{text!r} names namespace {parts[1]}, and --namespace names {namespace}. "
            "Leave one out."
        )
    return Target(kind=parts[0], namespace=parts[1], name=parts[2])


def find_target(snapshot: Snapshot, target: Target) -> ObjectReference:
    """The one object that is meant.

    Raises:
        TargetError: there is none, or more than one.
    """
    kinds = kinds_called(target.kind, present=snapshot.kinds)
    if not kinds:
        raise TargetError(
            f"{target.kind!r} is no kind that is known or in the snapshot. "
            f"In it are: {', '.join(sorted(snapshot.kinds)) or 'none'}."
        )
    of_kind = [each for each in snapshot.every() if each["kind"] in kinds]
    found = [each for each in of_kind if _name(each) == target.name]
    if target.namespace is not None:
        found = [each for each in found if _namespace(each) in ("", target.namespace)]
    if not found:
        spoken_of = _spoken_of(snapshot, target, kinds)
        if spoken_of is not None:
            return spoken_of
        raise TargetError(_not_there(target, kinds[0], of_kind))
    if len(found) > 1:
        where = ", ".join(sorted(_label(each) for each in found)[:MOST_NAMED])
        raise TargetError(f"{target} may be any of {where}. Name its namespace.")
    return _reference(found[0])


def check_namespace(snapshot: Snapshot, namespace: str) -> None:
    """See that a namespace is in the snapshot.

    Raises:
        TargetError: it is not; names those that are.
    """
    names = {_name(each) for each in snapshot.every() if each["kind"] == "Namespace"}
    present = sorted(names | snapshot.coverage.namespaces)
    if namespace in present or namespace in snapshot.coverage.listed_namespaces:
        return
    near = get_close_matches(namespace, present, n=1, cutoff=0.5)
    some = ", ".join(present[:MOST_NAMESPACES]) or "none"
    more = len(present) - MOST_NAMESPACES
    raise TargetError(
        f"There is no namespace {namespace} in the snapshot. "
        + (f"Did you mean {near[0]}? " if near else "")
        + f"In it are: {some}{f' and {more} more' if more > 0 else ''}."
    )


def _spoken_of(
    snapshot: Snapshot, target: Target, kinds: tuple[str, ...]
) -> ObjectReference | None:
    """An object that was not recorded itself, and of which an Event speaks."""
    for event in snapshot.every():
        about = event.get("involvedObject")
        if event["kind"] != "Event" or not isinstance(about, dict):
            continue
        namespace = str(about.get("namespace") or "")
        if about.get("name") != target.name or about.get("kind") not in kinds:
            continue
        if target.namespace in (None, namespace):
            return ObjectReference(
                api_version=str(about.get("apiVersion") or ""),
                kind=about["kind"],
                namespace=namespace,
                name=target.name,
                uid=str(about.get("uid") or ""),
            )
    return None


def _not_there(target: Target, kind: str, of_kind: list[dict[str, Any]]) -> str:
    where = f" in namespace {target.namespace}" if target.namespace else ""
    message = f"There is no {kind} {target.name}{where} in the snapshot."
    if not of_kind:
        return f"{message} It holds no {kind} at all."
    names = {_name(each): each for each in of_kind}
    near = get_close_matches(target.name, names, n=MOST_NAMED, cutoff=0.5)
    shown = [_label(each) for each in of_kind if _name(each) in (target.name, *near)]
    if shown:
        return f"{message} Did you mean {' or '.join(sorted(shown)[:MOST_NAMED])}?"
    some = ", ".join(sorted(_label(each) for each in of_kind)[:MOST_NAMED])
    more = f" and {len(of_kind) - MOST_NAMED} more" if len(of_kind) > MOST_NAMED else ""
    return f"{message} It holds {some}{more}."


def _reference(found: dict[str, Any]) -> ObjectReference:
    return ObjectReference(
        api_version=found["apiVersion"],
        kind=found["kind"],
        namespace=_namespace(found),
        name=_name(found),
        uid=found["metadata"]["uid"],
    )


def _label(found: dict[str, Any]) -> str:
    return "/".join(each for each in (found["kind"], _namespace(found), _name(found)) if each)


def _name(found: dict[str, Any]) -> str:
    return str(found["metadata"]["name"])


def _namespace(found: dict[str, Any]) -> str:
    return str(found["metadata"].get("namespace", ""))
