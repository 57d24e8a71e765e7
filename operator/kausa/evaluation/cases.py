"""Reading cases: what the pipeline may see, and, apart from it, what is expected."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import yaml

from kausa.cluster.snapshot.loading import CASE_FILE
from kausa.errors import KausaError

__all__ = ["Case", "CaseError", "Expectation", "find_cases", "read_case"]

MOST_CASES = 100_000
LARGEST_CASE_FILE = 1024 * 1024


class CaseError(KausaError):
    """A case cannot be used; the message names its folder and what is wrong."""


class _Target(msgspec.Struct, rename="camel", frozen=True):
    kind: str
    name: str
    api_version: str = ""
    namespace: str | None = None


class _Expect(msgspec.Struct, frozen=True):
    outcome: str
    category: str | None = None
    says: tuple[tuple[str, ...], ...] = ()
    never_says: tuple[str, ...] = ()


class _CaseFile(msgspec.Struct, frozen=True):
    id: str
    expect: _Expect
    target: _Target
    source: str = ""
    question: str | None = None
    now: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a right answer is."""

    outcome: str
    """`failure` or `healthy`."""
    category: str | None
    says: tuple[tuple[re.Pattern[str], ...], ...]
    """One of every group must be in the text."""
    never_says: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case. The pipeline is given `folder`, `kind`, `namespace`, `name`, `question`, `now`."""

    id: str
    source: str
    folder: Path
    kind: str
    name: str
    namespace: str | None
    question: str | None
    now: datetime | None
    expect: Expectation


def find_cases(roots: Iterable[Path]) -> tuple[Path, ...]:
    """Every folder with a case.yaml, in order.

    Raises:
        CaseError: a folder does not exist, or holds no case.
    """
    found: list[Path] = []
    for root in roots:
        if not root.is_dir():
            raise CaseError(f"{root}: there is no such folder.")
        before = len(found)
        for here, folders, names in os.walk(root):
            folders.sort()
            if CASE_FILE in names:
                folders.clear()
                found.append(Path(here))
        if len(found) == before:
            raise CaseError(f"{root}: there is no {CASE_FILE} in it or below it, so no case.")
    return tuple(dict.fromkeys(found))


def read_case(folder: Path) -> Case:
    """One case.

    Raises:
        CaseError: its case.yaml cannot be used; says why.
    """
    path = folder / CASE_FILE
    try:
        if path.stat().st_size > LARGEST_CASE_FILE:
            raise CaseError(f"{path}: larger than {LARGEST_CASE_FILE} bytes.")
        loaded = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        file = msgspec.convert(_texts(loaded), type=_CaseFile)
        return _case(file, folder)
    except (OSError, yaml.YAMLError, msgspec.ValidationError, re.error, ValueError) as error:
        raise CaseError(f"{path}: cannot be used: {' '.join(str(error).split())}") from error


def _texts(loaded: object) -> object:
    """A time without quotes is a date to YAML."""
    if isinstance(loaded, dict) and isinstance(loaded.get("now"), datetime):
        return {**loaded, "now": loaded["now"].isoformat()}
    return loaded


def _case(file: _CaseFile, folder: Path) -> Case:
    expect = file.expect
    if expect.outcome not in ("failure", "healthy"):
        raise ValueError(f"expect.outcome is {expect.outcome!r}, not failure or healthy")
    now = datetime.fromisoformat(file.now) if file.now else None
    if now is not None and now.tzinfo is None:
        raise ValueError(f"now {file.now!r} has no time zone")
    return Case(
        id=file.id,
        source=file.source,
        folder=folder,
        kind=file.target.kind,
        name=file.target.name,
        namespace=file.target.namespace,
        question=file.question,
        now=now,
        expect=Expectation(
            outcome=expect.outcome,
            category=expect.category,
            says=tuple(tuple(_pattern(each) for each in group) for group in expect.says),
            never_says=tuple(_pattern(each) for each in expect.never_says),
        ),
    )


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)
