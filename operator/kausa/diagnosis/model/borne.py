"""Whether more than words that anybody may write asks for a change.

A log line, an Event, an annotation or a runbook's passage can argue for a command without ever
looking like an instruction ("the only fix known is to undo the rollout"), and no pattern finds all
of them. So a command that changes something is shown only where what Kausa itself knows bears it,
and only for the workload that fails: a change that it saw and that is set back, what mended an
earlier failure, or the same command proposed by a rule. An image or an amount has to be one of the
same container. Nothing bears taking a workload down to no replicas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from kausa.diagnosis.model.command_names import named, singular
from kausa.diagnosis.model.commands import Call, call_of, refusal
from kausa.diagnosis.model.mended import Deed, changed_from, deeds_of
from kausa.diagnosis.model.protocol import KnownObject, ModelRequest
from kausa.resources.evidence import EvidenceKind

__all__ = ["is_change", "unborne"]

_CHANGING: Final = frozenset(
    (("rollout", "restart"), ("rollout", "undo"), ("set", "image"), ("set", "resources"))
)
_SAME: Final = {"--containers": "-c", "--namespace": "-n"}
_COUNT: Final = re.compile(r"[1-9]\d{0,6}")
_AMOUNTS: Final = re.compile(r"[a-z-]+=[^,=]+(?:,[a-z-]+=[^,=]+)*")
_UNKNOWN: Final = "no change that was seen, no earlier failure and no rule bears it"


def is_change(call: Call) -> bool:
    """Whether the command would change anything in the cluster."""
    return call.verb == "scale" or (call.verb, call.subcommand) in _CHANGING


def unborne(call: Call, request: ModelRequest, *, namespace: str) -> str:
    """Say why the change may not be proposed; empty where something bears it.

    `namespace`: the one that the command is about, whether it names it or not.
    """
    values = {_SAME.get(option, option): value for option, value in call.options}
    if len(values) < len(call.options):
        return "it gives an option twice"
    if call.verb == "scale" and not _COUNT.fullmatch(values.get("--replicas", "")):
        return "it stops the workload"
    if _is_of_a_rule(call, request, namespace):
        return ""
    kind, _, name = request.target.partition("/")
    if [*named(call)] != [(singular(kind), name)] or request.namespace not in ("", namespace):
        return "it is not about the workload that fails"
    containers = _containers(request)
    deeds = tuple(_deeds(request, containers))
    if call.verb == "scale":
        held = Deed(action="scale", value=values["--replicas"]) in deeds
    elif call.subcommand == "undo":
        seen = request.rolled_out or Deed(action="undo") in deeds
        held = seen and "--to-revision" not in values
    elif call.subcommand == "restart":
        held = Deed(action="restart") in deeds
    elif call.subcommand == "image":
        return _unborne_images(call, request, deeds, containers)
    else:
        held = _bears_amounts(values, deeds, containers)
    return "" if held else _UNKNOWN


def _is_of_a_rule(call: Call, request: ModelRequest, namespace: str) -> bool:
    for command in request.repairs:
        if refusal(command) is not None:
            continue
        proposed = call_of(command)
        said = {_SAME.get(option, option): value for option, value in proposed.options}
        place = said.get("-n", request.namespace)
        if _key(proposed) == _key(call) and place == namespace:
            return True
    return False


def _key(call: Call) -> object:
    options = frozenset(
        (_SAME.get(option, option), value)
        for option, value in call.options
        if _SAME.get(option, option) != "-n"
    )
    images = frozenset(word for word in call.objects if "=" in word)
    return call.verb, call.subcommand, tuple(named(call)), images, options


def _containers(request: ModelRequest) -> tuple[str, ...]:
    """The containers of the workload that fails; empty where they were not read."""
    found: Iterable[KnownObject] = (
        each for each in request.objects if f"{each.kind}/{each.name}" == request.target
    )
    return next((each.containers for each in found if each.containers), ())


def _deeds(request: ModelRequest, containers: Iterable[str]) -> Iterator[Deed]:
    for incident in request.incidents:
        if incident.outcome == "worked":
            yield from deeds_of(incident.resolution, target=request.target, containers=containers)
    for each in request.evidence:
        if each.kind == EvidenceKind.CHANGE:
            yield from changed_from(each.source, each.text, target=request.target)


def _unborne_images(
    call: Call, request: ModelRequest, deeds: tuple[Deed, ...], containers: tuple[str, ...]
) -> str:
    for setting in (word for word in call.objects if "=" in word):
        container, _, image = setting.partition("=")
        # Which container an image is of is not said where only its name was kept.
        names = ("", container) if containers == (container,) else (container,)
        borne = any(Deed(action="image", value=image, container=name) in deeds for name in names)
        if not borne and not (containers == (container,) and image in request.images):
            return f"nothing shows that {image} works for container {container}"
    return ""


def _bears_amounts(
    values: dict[str, str], deeds: tuple[Deed, ...], containers: tuple[str, ...]
) -> bool:
    """Whether each amount is one that the chosen container had, or that helped before."""
    chosen = values.get("-c")
    if chosen is None:
        # Without a choice it sets all of them.
        if len(containers) > 1:
            return False
        chosen = containers[0] if containers else ""
    names = ("", chosen) if len(containers) < 2 else (chosen,)
    wanted: list[tuple[str, str, str]] = []
    for option in ("--limits", "--requests"):
        text = values.get(option)
        if text is None:
            continue
        if not _AMOUNTS.fullmatch(text):
            return False
        pairs = (pair.partition("=") for pair in text.split(","))
        wanted += [(option[2:], resource, amount) for resource, _, amount in pairs]
    return bool(wanted) and all(
        re.search(r"[1-9]", amount) is not None  # Zero takes the amount away.
        and any(
            Deed(action=action, resource=resource, value=amount, container=name) in deeds
            for action in (option, "resources")
            for name in names
        )
        for option, resource, amount in wanted
    )
