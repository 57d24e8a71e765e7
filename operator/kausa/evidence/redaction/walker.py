"""Walks a tree of values and rebuilds it without secrets.

The shape stays: keys, numbers, times and enums are left alone, and what didn't change is returned
as the same object. A value also goes by the company it keeps: under a sensitive key, next to a
sensitive name (`name`/`value` of a variable, `path`/`before`/`after` of a change) or behind a
sensitive flag in a list of arguments, a string is hidden whole.

A list of arguments is read as the one command that it is, too: in `["curl", "-u", "app:x1"]` only
the items together tell. Of a Kubernetes Secret every value goes.

Anything unknown, too deep or containing itself is withheld.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import msgspec
from pydantic import BaseModel

from kausa.evidence.redaction.keys import kind_beside, label_kind, sensitive_kind
from kausa.evidence.redaction.manifests import SECRET_DATA
from kausa.evidence.redaction.span import Span
from kausa.evidence.redaction.values import is_flag

__all__ = ["Walker"]

_MAX_DEPTH: Final = 64
_UNTOUCHED: Final = (int, float, complex, Enum, date, time, timedelta, Decimal, UUID, type)
_SHORT_FLAGS: Final = {"redis-cli": "-a", "sshpass": "-p", "docker": "-p", "podman": "-p"}
_MOST_ARGUMENTS: Final = 1_000
_LEAST_NUMBER: Final = 1_000
_LABELS: Final = ("name", "key", "path")
_LABELLED: Final = frozenset({"value", "before", "after", "old", "new"})


class Walker:
    """Rebuilds one tree; made for one walk."""

    __slots__ = ("_clean", "_conceal", "_find", "_path", "_withhold")

    def __init__(
        self,
        *,
        clean: Callable[[str], str],
        conceal: Callable[[str, str], str],
        find: Callable[[str], list[Span]],
        withhold: Callable[[], str],
    ) -> None:
        self._clean = clean
        self._conceal = conceal
        self._find = find
        self._withhold = withhold
        self._path: set[int] = set()

    def walk(self, value: Any, *, kind: str | None = None) -> Any:
        """Return the value without secrets; under a `kind`, strings are hidden whole."""
        # An enum of strings is a str too, and must stay what it is.
        if value is None or value is msgspec.UNSET or isinstance(value, _UNTOUCHED):
            return self._conceal(kind, str(value)) if kind and _is_password(value) else value
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

    def _as_command(self, words: list[Any] | tuple[Any, ...]) -> Iterable[Any]:
        """The arguments without what only shows when they are read as one line."""
        texts = [word for word in words if isinstance(word, str)]
        options = any(word.startswith("-") for word in texts)
        if not options or len(texts) < len(words) or len(words) > _MOST_ARGUMENTS:
            return words
        line, starts = " ".join(texts), [0]
        for word in texts:
            starts.append(starts[-1] + len(word) + 1)
        parts: dict[int, list[Span]] = {}
        for span in self._find(line):
            first, last = bisect_right(starts, span.start) - 1, bisect_left(starts, span.end)
            for at in range(first, min(last, len(texts))):
                begin = max(span.start - starts[at], 0)
                end = min(span.end - starts[at], len(texts[at]))
                parts.setdefault(at, []).append(Span(begin, end, span.kind))
        return [self._without(word, parts.get(at, ())) for at, word in enumerate(texts)]

    def _argument(self, word: str) -> str:
        """`--password=x 1` is one argument: all behind the sign is the value."""
        name, sign, value = word.partition("=")
        announced = kind_beside(name, value) if sign and name.startswith("--") else None
        return word if announced is None else f"{name}={self._conceal(announced, value)}"

    def _without(self, word: str, spans: Sequence[Span]) -> str:
        for span in reversed(spans):
            hidden = self._conceal(span.kind, word[span.start : span.end])
            word = word[: span.start] + hidden + word[span.end :]
        return word

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
        secret = members.get("kind") in ("Secret", "SealedSecret")
        changed: dict[Any, Any] = {}
        for name, member in members.items():
            if secret and name in ("data", "stringData", "string_data"):
                clean = self._secret_data(member)
            else:
                clean = self.walk(member, kind=_kind(label, name, member, keyed=keyed))
            if clean is not member:
                changed[name] = clean
        return changed

    def _secret_data(self, data: Any) -> Any:
        """The data of a Secret without its values; keys are names, and stay."""
        if not isinstance(data, Mapping):
            return data if data is None else self._withhold()
        hidden = {
            name: value if value is None else self.walk(value, kind=SECRET_DATA)
            for name, value in data.items()
        }
        return _same(data, hidden) if isinstance(data, dict) else hidden

    def _sequence(self, value: list[Any] | tuple[Any, ...], kind: str | None) -> Any:
        items: list[Any] = []
        flag: str | None = None
        program = value[0].rsplit("/", 1)[-1] if value and isinstance(value[0], str) else ""
        short = _SHORT_FLAGS.get(program)
        for item in self._as_command(value):
            behind = flag if isinstance(item, str) and not is_flag(item) else None
            if kind is None and behind is None and isinstance(item, str):
                item = self._argument(item)
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


def _kind(label: str | None, name: Any, member: Any, *, keyed: bool) -> str | None:
    """Return the kind of secret that the company of a member announces."""
    shown = member if isinstance(member, str) else ""
    kind = None
    if label is not None and name in _LABELLED:
        kind = label_kind(label, shown)
    # Fields of our own types are named by us; only the keys of a mapping come from outside.
    if keyed and kind is None and isinstance(name, str) and _is_plain(member):
        kind = kind_beside(name, shown)
    return kind


def _is_password(value: Any) -> bool:
    """Whether a number can be one: YAML reads `password: 12345678` as a number."""
    plain = isinstance(value, (int, float)) and not isinstance(value, (bool, Enum))
    return plain and abs(value) >= _LEAST_NUMBER


def _is_plain(member: Any) -> bool:
    """Whether a sensitive key speaks about this value itself and not about a structure below it."""
    if isinstance(member, (list, tuple)):
        return all(isinstance(item, str) for item in member)
    return isinstance(member, (str, bytes, int, float))


def _same(old: dict[Any, Any], new: dict[Any, Any]) -> dict[Any, Any]:
    return old if all(new[name] is member for name, member in old.items()) else new
