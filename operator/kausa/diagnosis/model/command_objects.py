"""Whether a command is about things that exist here, how much it may break, and its patch.

`kausa.diagnosis.model.commands` says which commands may be shown at all; this looks at the objects.
A command that evidence, a question or a runbook spells out was written by anybody and isn't the
model's own proposal: it is not repeated. One that changes something has to be borne by more than
words (`kausa.diagnosis.model.borne`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from kausa.diagnosis.finding import Patch
from kausa.diagnosis.model.borne import is_change, unborne
from kausa.diagnosis.model.command_names import (
    NO_NAMESPACE,
    Named,
    kinds_of,
    named,
    reading_objection,
    singular,
)
from kausa.diagnosis.model.commands import Call, call_of, refused
from kausa.diagnosis.model.protocol import KnownObject, ModelRequest
from kausa.resources.diagnosis import Risk
from kausa.resources.evidence import EvidenceKind

__all__ = ["Verdict", "judge"]

_OF_CONTAINERS: Final = ("-c", "--container", "--containers")
_CONTAINER: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_WANTS: Final = re.compile(r"\S+ \S+: wants (?P<count>\d{1,7}) replicas\b.*", re.DOTALL)
_TEMPLATES: Final = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The command as it may be shown, or why it may not be."""

    problem: str = ""
    spoils: bool = False
    """Whether the fix may not be proposed in words either."""
    command: str | None = None
    risk: Risk = Risk.LOW
    patch: Patch | None = None


def judge(command: str, request: ModelRequest) -> Verdict:
    """Say whether the command may be shown; where it names no namespace, ours is added."""
    found = refused(command)
    if found is not None:
        return Verdict(problem=found.why, spoils=found.spoils)
    command = " ".join(command.split()) if "'" not in command and '"' not in command else command
    call = call_of(command)
    changes = is_change(call)
    if _is_quoted(command, request):
        return Verdict(
            problem="somebody else wrote it, and it is not the model's own", spoils=changes
        )
    namespace = _namespace(call, request)
    problem = _objection(call, request) or namespace.problem
    if not problem and changes:
        problem = unborne(call, request, namespace=namespace.name)
    if problem:
        return Verdict(problem=problem, spoils=changes)
    target = next(named(call), None)
    return Verdict(
        command=_with_namespace(command, call, namespace.name),
        risk=_risk(call, request),
        patch=_patch(call, target, request, namespace.name) if target is not None else None,
    )


def _is_quoted(command: str, request: ModelRequest) -> bool:
    wanted = " ".join(command.split()).casefold()
    written = (
        *(each.text for each in request.evidence),
        *(each.text for each in request.runbooks),
        request.question or "",
    )
    return any(wanted in " ".join(text.split()).casefold() for text in written)


def _known(request: ModelRequest) -> set[tuple[str, str]]:
    """Return kind and name of all that exists: what fails, what was read, what evidence is of."""
    pairs = {(singular(each.kind), each.name) for each in request.objects}
    for label in (request.target, *(each.source for each in request.evidence)):
        kind, slash, rest = label.partition("/")
        if slash and kind.isalnum() and rest.split():
            pairs.add((singular(kind), rest.split()[0]))
    return pairs


def _objection(call: Call, request: ModelRequest) -> str:
    known = _known(request)
    about = tuple(named(call))
    for kind, name in about:
        if (kind, name) not in known:
            return f"there is no {kind} {name}"
    containers = [
        *(value for option, value in call.options if option in _OF_CONTAINERS),
        *(word.partition("=")[0] for word in call.objects if "=" in word),
        *(call.objects[1:] if call.verb == "logs" else ()),
    ]
    missing = next((each for each in containers if not _is_there(each, about, request)), None)
    if missing is not None:
        return f"there is no container {missing}"
    return reading_objection(call)


def _is_there(container: str, about: tuple[Named, ...], request: ModelRequest) -> bool:
    """Whether what the command is about has it, or anything that was read, where that isn't known.

    Of a Pod that evidence is of, its owner's containers are known.
    """
    read = [each for each in request.objects if each.containers]
    own = [each for each in read if (singular(each.kind), each.name) in about]
    names = {name for each in own or read for name in each.containers}
    return container in names if names else _CONTAINER.fullmatch(container) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Namespace:
    name: str = ""
    """The one that the command is about; empty where it is about none or all."""
    problem: str = ""


def _namespace(call: Call, request: ModelRequest) -> _Namespace:
    """Tell it by the objects that the command names: of several failures each has its own."""
    all_of_them = {request.namespace, *(each.namespace for each in request.objects)} - {""}
    objects = set(named(call))
    about = {
        each.namespace
        for each in request.objects
        if (singular(each.kind), each.name) in objects and each.namespace
    }
    allowed = about or all_of_them
    said = [value for option, value in call.options if option in ("-n", "--namespace")]
    wrong = next((value for value in said if allowed and value not in allowed), None)
    if wrong is not None:
        return _Namespace(problem=f"it is about the namespace {wrong}")
    if said:
        return _Namespace(name=said[0])
    if request.namespace in allowed:
        return _Namespace(name=request.namespace)
    if len(allowed) > 1 and objects:
        return _Namespace(problem=f"it names none of the namespaces {', '.join(sorted(allowed))}")
    return _Namespace(name=next(iter(allowed)) if len(allowed) == 1 else "")


def _with_namespace(command: str, call: Call, namespace: str) -> str:
    options = {option for option, _ in call.options} | set(call.switches)
    if not namespace or options & {"-n", "--namespace", "-A", "--all-namespaces"}:
        return command
    of_cluster = not NO_NAMESPACE.isdisjoint(kinds_of(call))
    if call.verb == "explain" or of_cluster or call.subcommand.startswith("no"):
        return command
    return f"{command} -n {namespace}"


def _risk(call: Call, request: ModelRequest) -> Risk:
    """How much it may break: High where it takes running Pods or a whole revision away.

    Other changes replace Pods one by one, as every rollout does. Of a scaling nobody can say that
    it takes none away unless it was read how many are wanted now.
    """
    if not is_change(call):
        return Risk.LOW
    if call.subcommand == "undo":
        return Risk.HIGH
    if call.verb == "scale":
        wanted, count = _wanted(call, request), dict(call.options).get("--replicas", "")
        return Risk.MEDIUM if wanted and count.isdigit() and int(count) >= wanted else Risk.HIGH
    return Risk.MEDIUM


def _wanted(call: Call, request: ModelRequest) -> int:
    """How many replicas the workload is to have now, as Kausa read it; 0 where it did not."""
    target = next(named(call), None)
    for each in request.evidence:
        kind, slash, rest = each.source.partition("/")
        if each.kind != EvidenceKind.OWNER or not slash or not rest.split():
            continue
        found = _WANTS.fullmatch(each.text)
        if found and (singular(kind), rest.split()[0]) == target:
            return int(found["count"])
    return 0


def _patch(
    call: Call, target: tuple[str, str], request: ModelRequest, namespace: str
) -> Patch | None:
    """Return what the command comes to, so that the API server can be asked about it."""
    found = next(
        (
            each
            for each in request.objects
            if (singular(each.kind), each.name) == target and each.namespace in ("", namespace)
        ),
        None,
    )
    if found is None or not found.api_version or found.kind not in _TEMPLATES:
        return None
    body = _body(call, found)
    return body and Patch(
        api_version=found.api_version,
        kind=found.kind,
        name=found.name,
        namespace=namespace,
        body=body,
    )


def _body(call: Call, found: KnownObject) -> Any:
    values = dict(call.options)
    if call.verb == "scale":
        count = values.get("--replicas", "")
        return {"spec": {"replicas": int(count)}} if count.isdigit() else None
    if (call.verb, call.subcommand) == ("set", "image"):
        pairs = [word.partition("=") for word in call.objects if "=" in word]
        return _containers([{"name": name, "image": image} for name, _, image in pairs])
    if (call.verb, call.subcommand) == ("set", "resources"):
        chosen = values.get("-c") or values.get("--containers")
        names = [each for each in found.containers if chosen in (None, each)]
        resources = {
            part: dict(pair.split("=", 1) for pair in values[option].split(",") if "=" in pair)
            for option, part in (("--limits", "limits"), ("--requests", "requests"))
            if option in values
        }
        return _containers([{"name": name, "resources": resources} for name in names])
    return None


def _containers(containers: list[dict[str, Any]]) -> Any:
    if not containers:
        return None
    return {"spec": {"template": {"spec": {"containers": containers}}}}
