"""From the bytes of one file to Kubernetes objects: JSON, YAML, Lists, several in one file.

What comes out is plain JSON, whatever went in: no dates, no keys that are numbers, no cycles. YAML
can make a gigabyte of one kilobyte by its aliases, so what is built is counted while it is copied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from kausa.cluster.errors import SnapshotError

__all__ = ["Document", "read_documents"]

Json = dict[str, Any]
DEEPEST = 100
FEWEST_VALUES = 10_000
"""That are copied of any file; of a longer one as many as it has characters, which is more than it
can hold without repeating itself."""
HOW_TO_WRITE = "Write it again with `kubectl get ... -o json` or `-o yaml`."
LONGEST_LINE = 200
_PACKED = (
    (0, b"\x1f\x8b", "gzip"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (257, b"ustar", "tar"),
)
"""Where packed files of each kind have which bytes."""
_SAID_BY_KUBECTL = re.compile(
    r"Error from server\b|error: |Error: |Warning: |[IWEF]\d{4} |Unable to connect to the server"
    r"|The connection to the server |No resources found|Flag --\S+ has been deprecated"
    r"|(?:ba|z)?sh: "
)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The objects of one List, or one object that stood alone."""

    objects: tuple[Json, ...]
    api_version: str = ""
    kind: str = ""
    """Of what it is a list: `Pod` of a PodList, empty of a plain List."""
    is_list: bool = False
    unreadable: int = 0
    """How many of its items are no objects of Kubernetes."""


class _PlainLoader(_LOADER):  # type: ignore[misc]
    """Leaves dates as they are written: JSON has none."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in _LOADER.yaml_implicit_resolvers.items()
}


def read_documents(data: bytes, *, name: str) -> tuple[Document, ...]:
    """All that one file holds.

    Raises:
        SnapshotError: it cannot be parsed; the message names the file, the place and a remedy.
    """
    packed = next((how for at, magic, how in _PACKED if data[at:].startswith(magic)), "")
    if packed:
        raise SnapshotError(f"{name}: this is packed ({packed}). Unpack it first.")
    try:
        text = _text(data)
    except UnicodeDecodeError as error:
        raise SnapshotError(
            f"{name}: this is no text (byte {error.start} is not UTF-8). {HOW_TO_WRITE}"
        ) from None
    if not text.strip():
        return ()
    first = text.lstrip().partition("\n")[0]
    if _SAID_BY_KUBECTL.match(first):
        raise _message_of_kubectl(first, name)
    as_json = name.endswith(".json") or text.lstrip()[0] in "{["
    parse = _parse_json if as_json else _parse_yaml
    return tuple(_document(each) for each in parse(text, name))


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")  # PowerShell writes what kubectl prints in this way.
    return data.decode("utf-8-sig")


def _parse_json(text: str, name: str) -> Iterator[Any]:
    try:
        whole = msgspec.json.decode(text)
        _check_depth(whole, name)
        yield whole
        return
    except RecursionError:
        raise _too_deep(name) from None
    except (msgspec.DecodeError, UnicodeError):
        pass  # Several documents one after the other, or something broken: told apart below.
    decoder, position, end = json.JSONDecoder(), 0, len(text)
    while position < end:
        while position < end and text[position].isspace():
            position += 1
        if position == end:
            return
        try:
            value, position = decoder.raw_decode(text, position)
        except RecursionError:
            raise _too_deep(name) from None
        except ValueError as error:
            raise _broken_json(error, text, name) from None
        _check_depth(value, name)
        yield value


def _check_depth(value: Any, name: str) -> None:
    """Whoever walks over an object later may do so without counting."""
    level = [value]
    for _ in range(DEEPEST):
        inside = (each for each in level if isinstance(each, dict | list))
        level = [
            value
            for each in inside
            for value in (each.values() if isinstance(each, dict) else each)
            if isinstance(value, dict | list)
        ]
        if not level:
            return
    raise _too_deep(name)


def _broken_json(error: ValueError, text: str, name: str) -> SnapshotError:
    if not isinstance(error, json.JSONDecodeError):
        return SnapshotError(f"{name}: not JSON: {error}. {HOW_TO_WRITE}")
    said = text[error.pos :].partition("\n")[0]
    if _SAID_BY_KUBECTL.match(said):
        return _message_of_kubectl(said, name)
    cut_off = not text[error.pos :].strip() or error.msg.startswith("Unterminated")
    why = "the file ends too early, as if it was cut off" if cut_off else error.msg
    return SnapshotError(
        f"{name}: not JSON at line {error.lineno}, column {error.colno}: {why}. {HOW_TO_WRITE}"
    )


def _parse_yaml(text: str, name: str) -> Iterator[Any]:
    try:
        for value in yaml.load_all(text, Loader=_PlainLoader):
            if value is not None:
                yield _plain(value, name, most=max(FEWEST_VALUES, len(text)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        why = error.problem or error.context
        if mark and _has_tab(text, line=mark.line):
            why = "the line is indented by a tab, where YAML wants spaces"
        raise SnapshotError(f"{name}: not YAML{where}: {why}. {HOW_TO_WRITE}") from None
    except RecursionError:
        raise _too_deep(name) from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        raise SnapshotError(f"{name}: not YAML: {error}. {HOW_TO_WRITE}") from None


def _has_tab(text: str, *, line: int) -> bool:
    lines = text.splitlines()
    written = lines[line] if line < len(lines) else ""
    return "\t" in written[: len(written) - len(written.lstrip())]


def _message_of_kubectl(line: str, name: str) -> SnapshotError:
    shown = "".join(each if each.isprintable() else " " for each in line.strip())[:LONGEST_LINE]
    return SnapshotError(
        f'{name}: it holds what kubectl said, beside or instead of objects: "{shown}". Mend that, '
        "and write the file again without kubectl's messages (only `>`, neither `&>` nor `2>&1`)."
    )


def _too_deep(name: str) -> SnapshotError:
    return SnapshotError(
        f"{name}: its values are nested deeper than any object of Kubernetes. {HOW_TO_WRITE}"
    )


def _plain(value: Any, name: str, *, most: int) -> Any:
    """A copy in JSON's own types, no larger and no deeper than any real object."""
    left = most

    def copy(part: Any, depth: int) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise SnapshotError(
                f"{name}: its aliases make it grow to more than {most} values. {HOW_TO_WRITE}"
            )
        if depth > DEEPEST:
            raise _too_deep(name)
        if isinstance(part, dict):
            return {_key(key): copy(each, depth + 1) for key, each in part.items()}
        if isinstance(part, list | tuple | set):
            return [copy(each, depth + 1) for each in part]
        if part is None or isinstance(part, str | bool | int | float):
            return part
        return str(part)

    return copy(value, 0)


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return key if isinstance(key, str) else str(key)


def _document(value: Any) -> Document:
    if isinstance(value, list):
        return _list_of(value, api_version="", kind="")
    if not isinstance(value, dict):
        return Document(objects=(), unreadable=1)
    kind, items = value.get("kind"), value.get("items")
    api_version = value.get("apiVersion")
    api_version = api_version if isinstance(api_version, str) else ""
    if isinstance(items, list) and (kind is None or str(kind).endswith("List")):
        return _list_of(items, api_version=api_version, kind=str(kind or "List")[: -len("List")])
    if _is_list_without_items(value):
        return _list_of([], api_version=api_version, kind=str(kind)[: -len("List")])
    if _is_object(value):
        return Document(objects=(value,))
    return Document(objects=(), unreadable=1)


def _is_list_without_items(value: Json) -> bool:
    kind = value.get("kind")
    return isinstance(kind, str) and kind.endswith("List") and value.get("items", 0) is None


def _list_of(items: list[Any], *, api_version: str, kind: str) -> Document:
    """A list of one kind leaves the kind of its items out."""
    objects = []
    for each in items:
        if not isinstance(each, dict):
            continue
        if kind:
            each.setdefault("kind", kind)
            each.setdefault("apiVersion", api_version)
        if _is_object(each):
            objects.append(each)
    return Document(
        objects=tuple(objects),
        api_version=api_version,
        kind=kind,
        is_list=True,
        unreadable=len(items) - len(objects),
    )


def _is_object(value: Json) -> bool:
    kind, api_version, meta = value.get("kind"), value.get("apiVersion"), value.get("metadata")
    return (
        isinstance(kind, str)
        and bool(kind)
        and isinstance(api_version, str)
        and bool(api_version)
        and isinstance(meta, dict | None)
    )
