"""Who is selected, as the API server and the scheduler decide it: labels, nodes, taints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kausa.evidence.fields import at, labels_of, listed, rows, strings, table, text

__all__ = [
    "in_words",
    "node_fits_term",
    "selects",
    "selects_plainly",
    "taint_in_words",
    "tolerates",
    "untolerated",
]

HINDERING = ("NoSchedule", "NoExecute")


def selects(selector: object, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector (`matchLabels`, `matchExpressions`) selects; an empty one does."""
    wanted = table(selector, "matchLabels")
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(each, labels) for each in rows(selector, "matchExpressions"))


def selects_plainly(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a Service's selector selects; an empty one selects nothing."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = text(expression, "key"), strings(expression, "values")
    found = labels.get(key)
    operator = text(expression, "operator")
    if operator == "In":
        return found in values
    if operator == "NotIn":
        return found not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    if operator in ("Gt", "Lt"):
        return _compares(operator, found, values)
    return False


def _compares(operator: str, found: str | None, values: tuple[str, ...]) -> bool:
    # isdecimal alone lets other scripts' digits through, and int() has a limit of its own.
    bounds = (found or "", values[0] if values else "")
    if not all(each.isascii() and each.isdecimal() and len(each) < 19 for each in bounds):
        return False
    have, bound = (int(each) for each in bounds)
    return have > bound if operator == "Gt" else have < bound


def node_fits_term(term: object, node: object) -> bool:
    """Whether a node fits one nodeSelectorTerm; an empty term fits no node."""
    expressions, named = rows(term, "matchExpressions"), rows(term, "matchFields")
    if not expressions and not named:
        return False
    labels, fields = labels_of(node), {"metadata.name": text(node, "metadata", "name")}
    return all(_holds(each, labels) for each in expressions) and all(
        _holds(each, fields) for each in named
    )


def tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Whether one toleration covers one taint."""
    effect = text(toleration, "effect")
    if effect and effect != text(taint, "effect"):
        return False
    key = text(toleration, "key")
    exists = text(toleration, "operator") == "Exists"
    if not key:
        return exists
    if key != text(taint, "key"):
        return False
    return exists or text(toleration, "value") == text(taint, "value")


def untolerated(pod: object, node: object) -> tuple[Mapping[str, Any], ...]:
    """The taints of a node that keep a Pod off it."""
    tolerations = rows(pod, "spec", "tolerations")
    return tuple(
        taint
        for taint in rows(node, "spec", "taints")
        if text(taint, "effect") in HINDERING
        and not any(tolerates(each, taint) for each in tolerations)
    )


def taint_in_words(taint: Mapping[str, Any]) -> str:
    """`dedicated=gpu:NoSchedule`, as kubectl writes it."""
    value = text(taint, "value")
    return f"{text(taint, 'key')}{f'={value}' if value else ''}:{text(taint, 'effect')}"


def in_words(selector: object) -> str:
    """A selector of either kind as kubectl writes it: `app=web,tier in (a, b)`."""
    if isinstance(selector, Mapping) and not (
        "matchLabels" in selector or listed(selector, "matchExpressions")
    ):
        plain: Mapping[str, Any] = selector
    else:
        plain = table(selector, "matchLabels")
    parts = [f"{key}={text(plain, key)}" for key in sorted(plain, key=str)]
    parts.extend(_expression(each) for each in rows(selector, "matchExpressions"))
    return ",".join(parts) or "everything"


def _expression(expression: Mapping[str, Any]) -> str:
    key, operator = text(expression, "key"), text(expression, "operator")
    values = strings(expression, "values")
    if operator == "Exists":
        return key
    if operator == "DoesNotExist":
        return f"!{key}"
    said = {"In": "in", "NotIn": "not in", "Gt": ">", "Lt": "<"}.get(operator, operator)
    shown = f"({', '.join(values)})" if at(expression, "values") is not None else ""
    return f"{key} {said} {shown}".strip()
