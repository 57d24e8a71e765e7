"""The runbooks that come with Kausa, and the form in which a runbook stands in a file.

A file is Markdown. What it is about stands before the text, between two lines of `---`, in YAML and
in the words of a Runbook's `match`; a file without that has its first heading, else its own name,
as its title, and is about nothing in particular.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, Final

import pydantic
import yaml

from kausa.errors import KausaError
from kausa.memory.chunking.markdown import RunbookSource, runbook_chunks
from kausa.memory.chunking.tokens import ChunkSize
from kausa.memory.records import RunbookChunk
from kausa.resources import limits
from kausa.resources.runbook import RunbookMatch

__all__ = [
    "BUILTIN",
    "FILE",
    "RUNBOOK_SUFFIXES",
    "RunbookFile",
    "RunbookFormatError",
    "built_in_chunks",
    "built_in_runbooks",
    "is_runbook",
    "parse_runbook",
]

BUILTIN: Final = "builtin:"
"""What the source of a built-in runbook begins with. No namespace has a colon in its name, so it is
never the `namespace/name` of a Runbook."""
FILE: Final = "file:"
"""What the source of a file that was ingested begins with: a runbook, or a log, manifest or dump of
Events, which is kept beside the runbooks to be searched."""
RUNBOOK_SUFFIXES: Final = (".md", ".markdown")
LONGEST_FRONT: Final = 16 * 1024
_FENCE = "---"
_KEYS: Final = ("title", "reasons", "categories", "messagePattern", "labels")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(\S[^\n]{0,1000})$", re.M)


class RunbookFormatError(KausaError):
    """A file is not a runbook; the message says what is wrong, and is fit for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookFile:
    """A runbook as it stands in a file."""

    name: str
    """The file's name without its ending."""
    title: str
    content: str
    """Markdown, without what stands before it."""
    match: RunbookMatch

    def source(
        self,
        *,
        cluster: str,
        source: str,
        namespace: str | None = None,
        changed_at: datetime | None = None,
    ) -> RunbookSource:
        """What the memory is told of it. Without a `namespace` it applies in all of them."""
        return RunbookSource(
            cluster=cluster,
            namespace=namespace,
            name=self.name,
            source=source,
            title=self.title,
            changed_at=changed_at,
            reasons=self.match.reasons,
            categories=tuple(str(each) for each in self.match.categories),
            message_pattern=self.match.message_pattern,
            labels=tuple(f"{each.key}={each.value}" for each in self.match.labels),
        )


@cache
def built_in_runbooks() -> tuple[RunbookFile, ...]:
    """All runbooks that come with Kausa, by name. Read once: some 70 small files.

    Raises:
        RunbookFormatError: this installation is damaged.
    """
    folder = resources.files("kausa.recall") / "runbooks"
    found = (each for each in folder.iterdir() if each.name.endswith(".md"))
    return tuple(
        parse_runbook(each.read_text(encoding="utf-8"), name=each.name.removesuffix(".md"))
        for each in sorted(found, key=lambda each: each.name)
    )


def built_in_chunks(
    *, cluster: str, size: ChunkSize | None = None
) -> tuple[tuple[RunbookChunk, ...], ...]:
    """The passages of every built-in runbook, a set each, as the memory takes them."""
    return tuple(
        runbook_chunks(
            each.content,
            of=each.source(cluster=cluster, source=f"{BUILTIN}{each.name}"),
            size=size,
        )
        for each in built_in_runbooks()
    )


def is_runbook(source: str) -> bool:
    """Whether it tells what to do, and is not just a log or a manifest that somebody ingested."""
    return not source.startswith(FILE) or source.lower().endswith(RUNBOOK_SUFFIXES)


def parse_runbook(text: str, *, name: str) -> RunbookFile:
    """Read a runbook's file.

    Raises:
        RunbookFormatError: what stands before the text cannot be used, or there is no text.
    """
    front, content = _split(text.removeprefix("\ufeff").replace("\r\n", "\n"), name=name)
    title = front.pop("title", None)
    if title is None:
        heading = _HEADING.search(content)
        title = heading[1].rstrip(" \t#") if heading is not None else name
    if not isinstance(title, str) or not title.strip() or "\n" in title.strip():
        raise RunbookFormatError(f"{name}: title must be one line of text.")
    if not content.strip():
        raise RunbookFormatError(f"{name} says nothing: there is no text to index.")
    return RunbookFile(
        name=name,
        title=title.strip()[: limits.RUNBOOK_TITLE],
        content=content.strip("\n") + "\n",
        match=_match(front, name=name),
    )


def _split(text: str, *, name: str) -> tuple[dict[str, Any], str]:
    """What stands before the text, and the text."""
    if not text.startswith(f"{_FENCE}\n"):
        return {}, text
    end = text.find(f"\n{_FENCE}\n", len(_FENCE), LONGEST_FRONT)
    if end < 0:
        # A document may begin with a rule.
        return {}, text
    try:
        front = yaml.safe_load(text[len(_FENCE) + 1 : end + 1])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise RunbookFormatError(f"{name}: between its first two --- is no YAML: {why}.") from error
    if front is None:
        front = {}
    if not isinstance(front, dict) or not all(isinstance(each, str) for each in front):
        raise RunbookFormatError(
            f"{name}: between its first two --- must stand names with values, such as "
            "`title: What it is about`."
        )
    return front, text[end + len(_FENCE) + 2 :]


def _match(front: dict[str, Any], *, name: str) -> RunbookMatch:
    # Other tools keep other things there (tags, authors, dates), which are theirs.
    given = {key: value for key in _KEYS[1:] if (value := front.get(key)) is not None}
    if isinstance(labels := given.get("labels"), dict):
        given["labels"] = [{"key": key, "value": value} for key, value in labels.items()]
    try:
        return RunbookMatch.model_validate(given)
    except pydantic.ValidationError as error:
        said = "; ".join(
            f"{'.'.join(str(each) for each in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()[:5]
        )
        raise RunbookFormatError(f"{name}: {said}.") from error
