"""Quantities as Kubernetes writes them (`250m`, `1.5Gi`, `1e3`), as numbers and back in words."""

from __future__ import annotations

import re

__all__ = ["in_words", "parse_quantity"]

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18}))"
    r"(?:(?P<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?P<exponent>[+-]?\d{1,2}))?"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_IN_BYTES = ("memory", "storage", "hugepages")


def parse_quantity(value: object) -> float | None:
    """The number; None for what is no quantity."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value) if abs(value) < 1e30 else None
    if not isinstance(value, str):
        return None
    found = _QUANTITY.fullmatch(value.strip())
    if found is None:
        return None
    number = float(found["number"])
    suffix = found["suffix"] or ""
    if suffix in _BINARY:
        return number * float(1024 ** _BINARY[suffix])
    power = _DECIMAL.get(suffix, int(found["exponent"] or 0))
    return number * float(10**power) if power >= 0 else number / float(10**-power)


def in_words(resource: str, amount: float) -> str:
    """An amount of a resource, as people write it: `250m`, `1.5Gi`, `3`."""
    if resource.rpartition(".")[2] == "cpu":
        return f"{amount:g}" if amount == int(amount) else f"{round(amount * 1000)}m"
    if any(word in resource for word in _IN_BYTES):
        return _bytes(amount)
    return f"{amount:g}"


def _bytes(amount: float) -> str:
    for suffix, power in reversed(_BINARY.items()):
        unit = 1024**power
        if abs(amount) >= unit:
            return f"{amount / unit:.4g}{suffix}"
    return f"{amount:g}"
