"""Writes the tables of docs/configure.md from the settings of the operator and of the embedder.

python hack/settings_reference.py            write what has changed
python hack/settings_reference.py --check    write nothing; show what is out of date and exit with 1

What a setting means stands in one place, the docstring behind its field. Types, bounds and defaults
are asked of the class; the docstrings are read with ast, because a class does not keep them. A
setting without one is an error: nobody could know what it is for.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain, pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from unittest import mock

from pydantic import HttpUrl, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from kausa.settings import Settings as OperatorSettings
from kausa_embedder.settings import Settings as EmbedderSettings

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path("docs/configure.md")
MIB = 1024 * 1024
UNITS = ("seconds", "days", "bytes", "tokens", "texts", "percent")
"""A name that ends so says what its number counts."""
HOME = "/~"
"""Stands for the home folder of whoever runs it, so that no page names one."""


class PageError(Exception):
    """The page or a settings class is not as it must be; the message says what to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One settings class, and how its fields are told in groups."""

    name: str
    settings: type[BaseSettings]
    place: Path
    """Its module, or the package whose modules hold its parts."""
    groups: Mapping[str, tuple[str, ...]]
    """A heading and the patterns of its fields' names; the first that fits counts."""


SOURCES = (
    Source(
        name="operator",
        settings=OperatorSettings,
        place=Path("operator/kausa/settings"),
        groups={
            "What is watched": ("cluster_name", "namespace*", "*own_namespace"),
            "When something is said": (
                *("repeat_*", "stabilisation_*", "resync_*", "refresh_*"),
                *("concurrent_*", "queue_*"),
            ),
            "More than one operator": ("leader_*", "identity", "lease_*"),
            "Probes, logs and traces": (
                *("log_*", "probe_*", "stream_*", "debug_*", "trac*", "otlp_*"),
            ),
            "Redaction": ("redact*",),
            "The memory": ("memory_*",),
            "The embedder that the operator asks": ("embedder*",),
            "How what is recalled is ranked": ("ranking_*", "rerank*"),
            "The language model": ("*model*",),
        },
    ),
    Source(
        name="embedder",
        settings=EmbedderSettings,
        place=Path("embedder/kausa_embedder/settings.py"),
        groups={
            "Its model": (
                *("model*", "cache", "download", "reranker*", "backend", "provider*"),
                *("threads", "batch_*"),
            ),
            "What it takes at a time": (
                *("queue_*", "max_*", "stream_*", "*cache_bytes", "*deadline_seconds"),
            ),
            "Its service": ("*",),
        },
    ),
)
REST = "Everything else"


def page_of(text: str, *, root: Path) -> str:
    """The page with its generated parts as they must be now."""
    for source in SOURCES:
        begin, end = f"<!-- settings: {source.name} -->", f"<!-- end: {source.name} -->"
        parts = re.split(f"({re.escape(begin)}\n|{re.escape(end)}\n)", text)
        if len(parts) != 5:
            raise PageError(f"{PAGE} must hold {begin} and {end} once each.")
        parts[2] = tables(source, root=root)
        text = "".join(parts)
    return text


def tables(source: Source, *, root: Path) -> str:
    """A table for each group that has settings, in the order of the groups."""
    meanings = meanings_of(root / source.place)
    missing = sorted(set(source.settings.model_fields) - set(meanings))
    if missing:
        raise PageError(f"{source.place}: no docstring behind {', '.join(missing)}.")
    rows: dict[str, list[str]] = {heading: [] for heading in (*source.groups, REST)}
    prefix = source.settings.model_config.get("env_prefix", "")
    for name, field in source.settings.model_fields.items():
        cells = (
            f"`{prefix}{name.upper()}`",
            values_of(name, field),
            default_of(name, field),
            meaning_of(meanings[name], names=meanings, prefix=prefix),
        )
        rows[group_of(name, source.groups)].append(f"| {' | '.join(cells)} |\n")
    head = "| variable | values | default | meaning |\n|---|---|---|---|\n"
    return "".join(f"\n### {each}\n\n{head}{''.join(its)}" for each, its in rows.items() if its)


def group_of(name: str, groups: Mapping[str, tuple[str, ...]]) -> str:
    """The heading under which a setting stands."""
    for heading, patterns in groups.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return heading
    return REST


def meanings_of(place: Path) -> dict[str, str]:
    """What stands behind each field of a module, or of all modules of a package."""
    modules = sorted(place.glob("*.py")) if place.is_dir() else [place]
    return {name: words for each in modules for name, words in docstrings(each.read_text()).items()}


def docstrings(source: str) -> dict[str, str]:
    """What stands behind each field of the settings classes of a module."""
    classes = (each for each in ast.parse(source).body if isinstance(each, ast.ClassDef))
    bodies = [each.body for each in classes if each.name.endswith("Settings")]
    found: dict[str, str] = {}
    for field, words in chain.from_iterable(pairwise(body) for body in bodies):
        match field, words:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
    return found


def meaning_of(words: str, *, names: Mapping[str, str], prefix: str) -> str:
    """The docstring as a cell: other settings are named as one sets them, and None is unset."""

    def spelled(found: re.Match[str]) -> str:
        return f"`{prefix}{found[1].upper()}`" if found[1] in names else found[0]

    words = re.sub(r"`([a-z_]+)`", spelled, re.sub(r"\bNone\b", "Unset", words))
    return words.replace("|", "\\|")


def values_of(name: str, field: FieldInfo) -> str:
    """What may be set, with its unit and bounds."""
    kind, limits = _plain(field.annotation, field.metadata)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{each}`" for each in get_args(kind))
    if get_origin(kind) is tuple:
        return "names with `*` and `?`, separated by commas"
    if kind in (int, float):
        unit = next((each for each in UNITS if name.endswith(each)), "number")
        return unit + _bounds(limits)
    words = {bool: "`true`, `false`", SecretStr: "secret", HttpUrl: "address", Path: "path"}
    return words.get(kind, "text")


def default_of(name: str, field: FieldInfo) -> str:
    """What holds where nothing is set."""
    kind, _ = _plain(field.annotation, field.metadata)
    if field.default_factory is not None:
        if kind is not Path:
            return "found at the start"
        return f"`{_path(field.default_factory)}`"  # type: ignore[arg-type]
    value = field.default
    if value is None:
        return "unset"
    if value in ("", ()):
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{_number(value)}`{_mebibytes(name, value)}" if _counts(value) else f"`{value}`"


def _plain(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    """The type without None and notes, and the notes of all layers."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *notes = get_args(annotation)
        return _plain(inner, [*metadata, *notes])
    if origin in (Union, types.UnionType):
        (inner,) = (each for each in get_args(annotation) if each is not type(None))
        return _plain(inner, metadata)
    notes = [each.metadata if isinstance(each, FieldInfo) else [each] for each in metadata]
    return annotation, [note for each in notes for note in each]


def _bounds(limits: list[Any]) -> str:
    known = {
        name: getattr(each, name)
        for each in limits
        for name in ("ge", "gt", "le", "lt")
        if hasattr(each, name)
    }
    if "ge" in known and "le" in known:
        return f", {_number(known['ge'])} to {_number(known['le'])}"
    shown = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return "".join(
        f", {words} {_number(known[each])}" for each, words in shown.items() if each in known
    )


def _counts(value: object) -> bool:
    return isinstance(value, (int, float))


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def _mebibytes(name: str, value: float) -> str:
    whole = name.endswith("bytes") and value and value % MIB == 0
    return f" ({int(value) // MIB} MiB)" if whole else ""


def _path(factory: Callable[[], object]) -> str:
    with mock.patch.dict(os.environ, {"HOME": HOME}, clear=True):
        return str(factory()).removeprefix("/")


def differences(root: Path) -> Iterator[str]:
    """A diff where the page is not what is generated."""
    committed = (root / PAGE).read_text()
    yield from difflib.unified_diff(
        committed.splitlines(keepends=True),
        page_of(committed, root=root).splitlines(keepends=True),
        fromfile=f"committed/{PAGE}",
        tofile=f"generated/{PAGE}",
    )


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 1 where `--check` finds the page out of date, or it cannot be made."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, exit 1 on a difference"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the root of the repository")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            found = "".join(differences(options.root))
            sys.stdout.write(found)
            return 1 if found else 0
        page = options.root / PAGE
        page.write_text(page_of(page.read_text(), root=options.root))
    except PageError as error:
        print(f"settings_reference: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
