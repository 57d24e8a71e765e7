"""From a change to the patch that undoes exactly this change, as far as its values were kept.

What can be set back is listed here field by field: a wrong guess at a type is a patch that fails,
and a wrong guess at a meaning is one that breaks something else. The rest is left to
`kubectl rollout undo`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from kausa.diagnosis.remediation.workload import Workload
from kausa.evidence.dossier import Change
from kausa.evidence.fields import rows
from kausa.evidence.redaction import PLACEHOLDER

__all__ = ["set_back"]

Body = dict[str, Any]
_CONTAINER = re.compile(
    r"^spec\.(?P<list>containers|initContainers)\[(?P<name>[^\]]+)\]\.(?P<field>.+)$"
)
_AMOUNT = re.compile(
    r"^resources\.(?P<which>limits|requests)(?:\.(?P<plain>\w+)|\[(?P<keyed>[^\]]+)\])$"
)
_PROBE = re.compile(
    r"^(?P<probe>livenessProbe|readinessProbe|startupProbe)(?:\.(?P<path>[\w.]+))?$"
)
_SELECTOR = re.compile(r"^spec\.nodeSelector(?:\.(?P<plain>[\w-]+)|\[(?P<keyed>[^\]]+)\])$")
_NAMED = re.compile(r"^(?P<list>env|volumeMounts)\[(?P<key>[^\]]+)\]$")
_POD_NAMED = re.compile(r"^spec\.(?P<list>volumes|imagePullSecrets|tolerations)\[(?P<key>.+)\]$")
_FROM_KEY = re.compile(
    r"key (?P<key>\S+) of (?P<kind>ConfigMap|Secret) (?P<name>\S+?)(?P<may>, optional)?"
)
_FROM_POD = re.compile(r"field (?P<field>\S+) of the Pod")
_PLAIN_VALUE = re.compile(r"[\w.:/,-]{0,48}")
_TELLS_SECRETS = re.compile(
    r"pass|pwd|secret|token|key|cred|auth|salt|cert|priv|session|cookie|dsn|sign|licen|pin|nonce|"
    r"seed|jwt|bearer|login|otp|hash|encr|crypt|conn",
    re.IGNORECASE,
)
"""Names of variables whose value is left out even where nothing in it looks like a secret."""
_WORDS = frozenset({"image", "imagePullPolicy", "workingDir"})
_LISTS = frozenset({"command", "args"})
_POD_WORDS = frozenset({"priorityClassName", "schedulerName", "runtimeClassName"})
_POD_FLAGS = frozenset({"hostNetwork", "hostPID", "hostIPC", "automountServiceAccountToken"})
_SOURCES = ("configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef")


def set_back(change: Change, workload: Workload) -> Body | None:
    """The body of a patch of the template; None for what cannot be set back field by field."""
    prefix = f"{workload.kind}/{workload.name} {workload.template_path}."
    if not change.path.startswith(prefix) or (change.before or "").startswith("…"):
        return None
    path = change.path.removeprefix(prefix)
    found = _CONTAINER.match(path)
    if found is None:
        return _in_pod(path, change.before, workload)
    if workload.container(found["name"]) is None:
        return None
    fields = _in_container(found["field"], change)
    if fields is None:
        return None
    return {"spec": {found["list"]: [{"name": found["name"], **fields}]}}


def _in_container(field: str, change: Change) -> Body | None:
    before = change.before
    if field in _WORDS:
        return {field: before} if before or field == "workingDir" else None
    if field in _LISTS:
        return _parsed(lambda: {field: shlex.split(before) if before is not None else None})
    if amount := _AMOUNT.match(field):
        return {"resources": {amount["which"]: {amount["plain"] or amount["keyed"]: before}}}
    if probe := _PROBE.match(field):
        return _probe(probe["probe"], probe["path"], before)
    if named := _NAMED.match(field):
        if named["list"] == "env" and not _may_be_told(named["key"], change):
            return None
        make = _variable if named["list"] == "env" else _mount
        return _parsed(lambda: {named["list"]: [make(named["key"], before)]})
    if field.startswith("securityContext."):
        return _nested(field, _typed(before))
    return None


def _in_pod(path: str, before: str | None, workload: Workload) -> Body | None:
    if path == "spec.serviceAccountName":
        # The API server keeps the older name of this field beside it; they must agree.
        return {"spec": {"serviceAccountName": before, "serviceAccount": before}}
    if selector := _SELECTOR.match(path):
        return {"spec": {"nodeSelector": {selector["plain"] or selector["keyed"]: before}}}
    if named := _POD_NAMED.match(path):
        return _parsed(lambda: _in_pod_list(named["list"], named["key"], before, workload))
    field = path.removeprefix("spec.")
    if field in _POD_WORDS:
        return {"spec": {field: before}}
    if field in _POD_FLAGS or field.startswith("securityContext."):
        value = _nested(field, _typed(before))
        return {"spec": value} if value is not None else None
    return None


def _in_pod_list(field: str, key: str, before: str | None, workload: Workload) -> Body | None:
    if field == "tolerations":
        # This list is replaced as a whole.
        if before is None:
            return None
        known = [dict(each) for each in rows(workload.template, "spec", "tolerations")]
        return {"spec": {field: [*known, json.loads(before)]}}
    if before is None:
        return {"spec": {field: [{"name": key, "$patch": "delete"}]}}
    item = {**json.loads(before), "name": key}
    if field == "volumes":
        # A volume has one source: what it has now must not stay beside the older one.
        item["$retainKeys"] = sorted(item)
    return {"spec": {field: [item]}}


def _may_be_told(name: str, change: Change) -> bool:
    """Whether a patch may hold what a variable was: a name in the spec, or a value that is short,
    plain and of a harmless name, nothing of which was hidden on either side.
    """
    before = change.before
    if before is None or _source(before) is not None:
        return True
    if any(
        PLACEHOLDER.search(each) or each.startswith("…") for each in (before, change.after or "")
    ):
        return False
    return _PLAIN_VALUE.fullmatch(before) is not None and _TELLS_SECRETS.search(name) is None


def _variable(name: str, before: str | None) -> Body:
    if before is None:
        return {"name": name, "$patch": "delete"}
    source = _source(before)
    if source is None:
        return {"name": name, "value": before, "valueFrom": None}
    others: Body = {each: None for each in _SOURCES if each not in source}
    return {"name": name, "value": None, "valueFrom": {**others, **source}}


def _source(words: str) -> Body | None:
    if found := _FROM_KEY.fullmatch(words):
        field = "configMapKeyRef" if found["kind"] == "ConfigMap" else "secretKeyRef"
        optional = {"optional": True} if found["may"] else {}
        return {field: {"name": found["name"], "key": found["key"], **optional}}
    if found := _FROM_POD.fullmatch(words):
        return {"fieldRef": {"fieldPath": found["field"]}}
    return None


def _mount(path: str, before: str | None) -> Body:
    if before is None:
        return {"mountPath": path, "$patch": "delete"}
    return {**json.loads(before), "mountPath": path}


def _probe(probe: str, path: str | None, before: str | None) -> Body | None:
    if path is None:
        # A probe that was taken away was told in words, which make no probe.
        return {probe: None} if before is None else None
    if path.endswith("command"):
        return _parsed(lambda: {probe: _nested(path, shlex.split(before or "") or None)})
    return {probe: _nested(path, int(before) if before and before.isdecimal() else before)}


def _typed(before: str | None) -> Any:
    if before in ("true", "false"):
        return before == "true"
    return int(before) if before and before.isdecimal() else before


def _nested(path: str, value: Any) -> Body | None:
    if "[" in path:
        return None
    body: Any = value
    for field in reversed(path.split(".")):
        body = {field: body}
    found: Body = body
    return found


def _parsed(make: Callable[[], Body | None]) -> Body | None:
    """What was shown can be read back; what was hidden in it, or written by a fuzzer, cannot."""
    try:
        body = make()
    except (ValueError, TypeError):
        return None
    return body if isinstance(body, Mapping) else None
