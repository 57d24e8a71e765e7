"""A change in a sentence, and the part of that sentence by which it is found again.

Values are written as `NAME=value` and as a shell writes them: the redactor knows a secret by such
company. The citation never holds a value, so that redaction leaves it as it is.
"""

from __future__ import annotations

import re
import shlex
from datetime import datetime, timedelta

from kausa.evidence.changes.leaves import RESTARTED_AT

__all__ = ["ago", "describe", "subject", "when"]

LONGEST_VALUE = 240
_CONTAINER = re.compile(
    r"^spec\.(init|ephemeral)?[cC]ontainers\[(?P<name>[^\]]*)\](?:\.(?P<field>.+))?$"
)
_KEYED = re.compile(r"^(?P<what>env|envFrom|volumeMounts|volumeDevices|ports)\[(?P<key>.*)\]$")
_AMOUNT = re.compile(r"^resources\.(?P<which>limits|requests)(?:\.|\[)(?P<what>[^\]]+)\]?$")
_PROBE = re.compile(r"^(?P<which>liveness|readiness|startup)Probe(?:\.(?P<field>.+))?$")
_VOLUME = re.compile(r"^spec\.volumes\[(?P<name>.*)\]$")
_FIELDS = {
    "image": "the image",
    "command": "the command",
    "args": "the list of arguments",
    "workingDir": "the working directory",
    "imagePullPolicy": "the pull policy",
}
_POD_FIELDS = {
    "spec.serviceAccountName": "the service account",
    "spec.restartPolicy": "the restart policy",
}
_KEYS = {
    "env": "variable",
    "envFrom": "the environment from",
    "volumeMounts": "the mount at",
    "volumeDevices": "the device at",
    "ports": "port",
}


def describe(path: str, before: str | None, after: str | None) -> tuple[str, str]:
    """The sentence without a full stop, and its citable beginning."""
    if path == RESTARTED_AT:
        return "it was restarted by hand (rollout restart)", "it was restarted by hand"
    what = subject(path)
    if before is None:
        beginning = f"{what} was added"
    elif after is None:
        beginning = f"{what} was removed"
    else:
        beginning = f"{what} was changed"
    return beginning + _values(path, before, after), beginning


def subject(path: str) -> str:
    """What a path of a Pod template is in words: `variable LOG_LEVEL of container api`."""
    found = _CONTAINER.match(path)
    if found is None:
        volume = _VOLUME.match(path)
        return f"volume {volume['name']}" if volume else _POD_FIELDS.get(path, path)
    kind = f"{found[1]} container" if found[1] else "container"
    container = f"{kind} {found['name']}"
    field = found["field"]
    return f"{_field(field)} of {container}" if field else container


def _field(field: str) -> str:
    if keyed := _KEYED.match(field):
        return f"{_KEYS[keyed['what']]} {keyed['key']}"
    if amount := _AMOUNT.match(field):
        return f"the {amount['what']} {amount['which'].removesuffix('s')}"
    if probe := _PROBE.match(field):
        whole = f"the {probe['which']} probe"
        return f"{probe['field']} of {whole}" if probe["field"] else whole
    return _FIELDS.get(field, field)


def _values(path: str, before: str | None, after: str | None) -> str:
    if any(len(each) > LONGEST_VALUE for each in (before, after) if each is not None):
        return ""
    name = ""
    found = _CONTAINER.match(path)
    keyed = _KEYED.match(found["field"] or "") if found else None
    if keyed and keyed["what"] == "env":
        name = keyed["key"]
    if before is None or after is None:
        return f": {_value(name, before if after is None else after)}"
    return f" from {_value(name, before)} to {_value(name, after)}"


def _value(name: str, value: str | None) -> str:
    if not value:
        return f"{name}=''" if name else "nothing"
    return f"{name}={shlex.quote(value)}" if name else value


def ago(span: timedelta) -> str:
    """`3 minutes`, `2 hours`: one number is enough to judge by."""
    seconds = max(0, int(span.total_seconds()))
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size or seconds == size:
            return f"{seconds // size} {word}" + ("s" if seconds // size != 1 else "")
    return f"{seconds} second" + ("s" if seconds != 1 else "")


def when(at: datetime | None, *, began: datetime | None) -> str:
    """` at 10:04:05 UTC, 3 minutes before it began to fail`; empty where nothing is known."""
    if at is None:
        return ""
    said = f" at {at:%Y-%m-%dT%H:%M:%SZ}"
    if began is None:
        return said
    if began - at < timedelta(seconds=1):
        return f"{said}, right before it began to fail" if at <= began else said
    if at <= began:
        return f"{said}, {ago(began - at)} before it began to fail"
    return said
