"""Field and label selectors, as the API server understands them; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kausa.cluster.errors import api_error

__all__ = ["field_selector", "label_selector"]

Matches = Callable[[Mapping[str, Any]], bool]
_TERM = re.compile(
    r"\s*(?:(?P<set>[^\s=!,()]+)\s+(?P<in>in|notin)\s*\((?P<values>[^)]*)\)"
    r"|!(?P<absent>[^\s=!,()]+)"
    r"|(?P<key>[^\s=!,()]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s,()]*)"
    r"|(?P<present>[^\s=!,()]+))\s*(?:,|$)"
)
_DEFAULTS = {"spec.restartPolicy": "Always"}


def field_selector(text: str) -> Matches:
    """Whether an object's fields are as asked: `a.b=c`, `a.b==c`, `a.b!=c`, all of several.

    Raises:
        ApiError: it cannot be parsed.
    """
    terms = [_field_term(each) for each in text.split(",") if each.strip()]
    return lambda found: all((_field(found, path) == value) is same for path, value, same in terms)


def _field_term(text: str) -> tuple[str, str, bool]:
    for operator, same in (("!=", False), ("==", True), ("=", True)):
        path, found, value = text.partition(operator)
        if found:
            return path.strip(), value.strip(), same
    raise _bad(text)


def _field(found: Any, path: str) -> str:
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    if found is None:
        return _DEFAULTS.get(path, "")
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found)


def label_selector(text: str) -> Matches:
    """Whether an object's labels are as asked: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a` for
    any value, `!a` for none, all of several.

    Raises:
        ApiError: it cannot be parsed.
    """
    terms: list[Callable[[Mapping[str, Any]], bool]] = []
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None or match.end() == position:
            raise _bad(text)
        terms.append(_label_term(match))
        position = match.end()
    return lambda found: all(term(_labels(found)) for term in terms)


def _label_term(match: re.Match[str]) -> Callable[[Mapping[str, Any]], bool]:
    if match["absent"]:
        absent = match["absent"]
        return lambda labels: absent not in labels
    if match["present"]:
        present = match["present"]
        return lambda labels: present in labels
    if match["set"]:
        name, among = match["set"], {each.strip() for each in match["values"].split(",")}
        if match["in"] == "in":
            return lambda labels: labels.get(name) in among
        return lambda labels: labels.get(name) not in among
    key, value = match["key"], match["value"]
    if match["op"] == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value


def _labels(found: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = found.get("metadata")
    labels = meta.get("labels") if isinstance(meta, Mapping) else None
    return labels if isinstance(labels, Mapping) else {}


def _bad(text: str) -> Exception:
    return api_error(
        status=400, reason="BadRequest", message=f"unable to parse the selector {text[:100]!r}"
    )
