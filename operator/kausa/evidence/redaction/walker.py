"""Walks a tree of values and rebuilds it without secrets.

The shape stays: keys, numbers, times and enums are left alone, and what didn't change is returned
as the same object. A value also goes by the company it keeps: under a sensitive key, next to a
sensitive name (`name`/`value` of a variable, `path`/`before`/`after` of a change) or behind a
sensitive flag in a list of arguments, a string is hidden whole.

Anything unknown, too deep or containing itself is withheld.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import msgspec
from pydantic import BaseModel

from kausa.evidence.redaction.keys import label_kind, sensitive_kind, suspicious_kind
from kausa.evidence.redaction.values import is_flag, looks_like_value

__all__ = ["Walker"]

_MAX_DEPTH: Final = 64
_UNTOUCHED: Final = (int, float, complex, Enum, date, time, timedelta, Decimal, UUID, type)
_SHORT_FLAGS: Final = {"redis-cli": "-a", "sshpass": "-p", "docker": "-p", "podman": "-p"}
_LABELS: Final = ("name", "key", "path")
_LABELLED: Final = frozenset({"value", "before", "after", "old", "new"})


class Walker:
    """Rebuilds one tree; made for one walk."""

    __slots__ = ("_clean", "_conceal", "_path", "_withhold")

    def __init__(
        self,
        *,
        clean: Callable[[str], str],
        conceal: Callable[[str, str], str],
        withhold: Callable[[], str],
    ) -> None:
        self._clean = clean
        self._conceal = conceal
        self._withhold = withhold
        self._path: set[int] = set()

    def walk(self, value: Any, *, kind: str | None = None) -> Any:
        """Return the value without secrets; under a `kind`, strings are hidden whole."""
        # An enum of strings is a str too, and must stay what it is.
        if value is None or value is msgspec.UNSET or isinstance(value, _UNTOUCHED):
            return value
        if isinstance(value, str):
            return self._text(value, kind)
        if id(value) in self._path or len(self._path) >= _MAX_DEPTH:
            return self._withhold()
        self._path.add(id(value))
        try:
            return self._node(value, kind)
        except Exception:
            return self._withhold()
        finally:
            self._path.discard(id(value))

    def _text(self, value: str, kind: str | None) -> str:
        return self._clean(value) if kind is None else self._conceal(kind, value)

    def _node(self, value: Any, kind: str | None) -> Any:
        if isinstance(value, (bytes, bytearray)):
            text = value.decode("utf-8", "surrogateescape")
            return type(value)(self._text(text, kind).encode("utf-8", "surrogateescape"))
        if isinstance(value, MappingProxyType):
            return MappingProxyType(self._mapping(value))
        if isinstance(value, dict):
            return _same(value, self._mapping(value))
        if isinstance(value, (list, tuple)):
            return self._sequence(value, kind)
        if isinstance(value, (set, frozenset)):
            return type(value)(self.walk(item, kind=kind) for item in value)
        if isinstance(value, msgspec.Struct):
            return self._object(value, value.__struct_fields__, msgspec.structs.replace)
        if dataclasses.is_dataclass(value):
            names = [field.name for field in dataclasses.fields(value)]
            return self._object(value, names, dataclasses.replace)
        if isinstance(value, BaseModel):
            changed = self._changes(dict(value))
            return value.model_copy(update=changed) if changed else value
        return self._withhold()

    def _mapping(self, value: Mapping[Any, Any]) -> dict[Any, Any]:
        return {**value, **self._changes(value, keyed=True)}

    def _object(self, value: Any, names: Iterable[str], replace: Callable[..., Any]) -> Any:
        changed = self._changes({name: getattr(value, name) for name in names})
        return replace(value, **changed) if changed else value

    def _changes(self, members: Mapping[Any, Any], *, keyed: bool = False) -> dict[Any, Any]:
        """Return the members that lost something."""
        label = next(
            (found for name in _LABELS if isinstance(found := members.get(name), str)), None
        )
        labelled = None if label is None else label_kind(label)
        changed: dict[Any, Any] = {}
        for name, member in members.items():
            kind = None
            if label is not None and name in _LABELLED:
                kind = labelled or _suspicion(label, member)
            # Fields of our own types are named by us; only the keys of a mapping come from outside.
            if keyed and kind is None and isinstance(name, str) and _is_plain(member):
                kind = sensitive_kind(name) or _suspicion(name, member)
            clean = self.walk(member, kind=kind)
            if clean is not member:
                changed[name] = clean
        return changed

    def _sequence(self, value: list[Any] | tuple[Any, ...], kind: str | None) -> Any:
        items: list[Any] = []
        flag: str | None = None
        program = value[0].rsplit("/", 1)[-1] if value and isinstance(value[0], str) else ""
        short = _SHORT_FLAGS.get(program)
        for item in value:
            behind = flag if isinstance(item, str) and not is_flag(item) else None
            items.append(self.walk(item, kind=kind or behind))
            opens = isinstance(item, str) and item.startswith("-") and "=" not in item
            flag = None
            if opens and behind is None:
                flag = "password" if item == short else sensitive_kind(item)
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*items)
        return type(value)(items)


def _suspicion(name: str, member: Any) -> str | None:
    """Return the kind of secret that a name such as `pass` announces if the value looks like it."""
    return suspicious_kind(name) if isinstance(member, str) and looks_like_value(member) else None


def _is_plain(member: Any) -> bool:
    """Whether a sensitive key speaks about this value itself and not about a structure below it."""
    if isinstance(member, (list, tuple)):
        return all(isinstance(item, str) for item in member)
    return isinstance(member, (str, bytes))


def _same(old: dict[Any, Any], new: dict[Any, Any]) -> dict[Any, Any]:
    return old if all(new[name] is member for name, member in old.items()) else new
