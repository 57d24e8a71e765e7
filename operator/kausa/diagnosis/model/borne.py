"""Whether more than words that anybody may write asks for a change.

A log line, an Event, an annotation or a runbook's passage can argue for a command without ever
looking like an instruction ("the only fix known is to undo the rollout"), and no pattern finds all
of them. So a command that changes something is shown only where what Kausa itself knows bears it: a
change that it saw, what mended an earlier failure, an image of a specification, or the same command
proposed by a rule. Nothing bears taking a workload down to no replicas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from kausa.diagnosis.model.commands import Call, call_of, refusal
from kausa.diagnosis.model.protocol import ModelRequest

__all__ = ["is_change", "unborne"]

_CHANGING: Final = frozenset(
    (("rollout", "restart"), ("rollout", "undo"), ("set", "image"), ("set", "resources"))
)
_UNDONE: Final = re.compile(r"\b(?:undo|undid|undone|roll(?:ed|ing)? ?back|revert\w*)\b", re.I)
_RESTARTED: Final = re.compile(r"\brestart\w*", re.I)
_SCALED: Final = re.compile(r"\b(?:scal(?:e|ed|ing)|replicas?)\b", re.I)
_TRIM: Final = "\"'`()[]{}<>,;.!?"


def is_change(call: Call) -> bool:
    """Whether the command would change anything in the cluster."""
    return call.verb == "scale" or (call.verb, call.subcommand) in _CHANGING


def unborne(call: Call, request: ModelRequest) -> str:
    """Say why the change may not be proposed; empty where something bears it."""
    values = dict(call.options)
    if call.verb == "scale" and not values.get("--replicas", "0").strip("0"):
        return "it stops the workload"
    if any(_key(call) == _key(call_of(each)) for each in request.repairs if not refusal(each)):
        return ""
    mended = [each.resolution for each in request.incidents if each.outcome != "failed"]
    if call.verb == "scale":
        count = values["--replicas"]
        held = any(_SCALED.search(text) and _holds(count, [text]) for text in mended)
    elif call.subcommand == "undo":
        seen = request.rolled_out or any(_UNDONE.search(text) for text in mended)
        held = seen and "--to-revision" not in values
    elif call.subcommand == "restart":
        held = any(_RESTARTED.search(text) for text in mended)
    elif call.subcommand == "image":
        known = {*request.images, *(word.strip(_TRIM) for text in mended for word in text.split())}
        wanted = [word.partition("=")[2] for word in call.objects if "=" in word]
        missing = next((image for image in wanted if image not in known), None)
        return f"nothing shows that {missing} works" if missing else ""
    else:
        pairs = ",".join(values.get(option, "") for option in ("--limits", "--requests"))
        amounts = [pair.partition("=")[2] for pair in pairs.split(",") if pair]
        held = all(_holds(each, (*mended, *request.changes)) for each in amounts)
    return "" if held else "no change that was seen, no earlier failure and no rule bears it"


def _key(call: Call) -> object:
    options = frozenset(
        (option, value) for option, value in call.options if option not in ("-n", "--namespace")
    )
    return call.verb, call.subcommand, "/".join(call.objects), options


def _holds(value: str, texts: Iterable[str]) -> bool:
    whole = re.compile(rf"(?<![\w.]){re.escape(value)}(?![\w]|\.\d)")
    return bool(value) and any(whole.search(text) for text in texts)
