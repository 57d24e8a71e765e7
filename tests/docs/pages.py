"""The project's Markdown, read as far as its tests need it: blocks, links, headings, inline code.

A block of commands tells with an HTML comment right above it who runs it:

    <!-- run-by: tests/e2e/test_asking.py -->    a test that types it (`blocks_run_by`) or does the
                                                 same (decisive.py), or `make TARGET`
    <!-- needs: a GPU -->                        nobody here can

Without one it is run by `test_docs_commands.py`, so it must be quick and need nothing. Above YAML
`<!-- values -->` says that it is for the chart, which is then asked whether it takes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = [
    "COMMAND_LANGUAGES",
    "ROOT",
    "Block",
    "Page",
    "all_pages",
    "blocks_run_by",
    "commands_of",
    "expected_of",
]

ROOT = Path(__file__).resolve().parents[2]
COMMAND_LANGUAGES = frozenset({"console", "bash", "sh", "shell"})
_FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}|~{3,})(?P<language>[\w-]*)\s*$")
_MARKER = re.compile(r"^<!-- (?P<key>run-by|needs|values)(?:: *(?P<what>.*?))? *-->$")
_LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (?P<title>.+?)\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Something fenced; `key` and `what` are its marker's."""

    page: Path
    line: int
    language: str
    text: str
    key: str | None = None
    what: str = ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One file. `prose` is all of it that is not fenced, line by line."""

    path: Path
    text: str
    blocks: tuple[Block, ...]
    prose: tuple[tuple[int, str], ...]

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT)) if self.path.is_relative_to(ROOT) else "page"

    def links(self) -> Iterator[tuple[int, str]]:
        """Where each leads that stands outside of code."""
        for line, text in self.prose:
            for found in _LINK.finditer(re.sub(r"`[^`]*`", "``", text)):
                yield line, found["target"]

    def inline_code(self) -> Iterator[tuple[int, str]]:
        """What stands between backticks."""
        for line, text in self.prose:
            for found in re.finditer(r"(`+)(.+?)\1(?!`)", text):
                yield line, found[2].strip().replace("\\|", "|")

    def anchors(self) -> frozenset[str]:
        """What a link may name behind `#`, as GitHub and most others make it of a heading."""
        seen: dict[str, int] = {}
        found = set()
        for _, text in self.prose:
            heading = _HEADING.match(text)
            if heading is None:
                continue
            slug = _slug(heading["title"])
            again = seen.get(slug, 0)
            seen[slug] = again + 1
            found.add(f"{slug}-{again}" if again else slug)
        return frozenset(found)


def _slug(title: str) -> str:
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def read(path: Path, text: str | None = None) -> Page:
    """A page, from the disk or as given."""
    text = path.read_text(encoding="utf-8") if text is None else text
    blocks: list[Block] = []
    prose: list[tuple[int, str]] = []
    inside: tuple[int, str, str] | None = None  # where it began, its fence, its language
    held: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if inside is None and fence is not None:
            inside, held = (number, fence["marks"], fence["language"]), []
        elif inside is not None and fence is not None and fence["marks"] == inside[1]:
            key, what = _marker_above(prose)
            blocks.append(
                Block(
                    page=path, line=inside[0], language=inside[2], text="\n".join(held),
                    key=key, what=what,
                )
            )  # fmt: skip
            prose.append((number, ""))
            inside = None
        elif inside is not None:
            held.append(line)
        else:
            prose.append((number, line))
    if inside is not None:
        raise ValueError(f"{path}:{inside[0]}: this block never ends")
    return Page(path=path, text=text, blocks=tuple(blocks), prose=tuple(prose))


def _marker_above(prose: list[tuple[int, str]]) -> tuple[str | None, str]:
    """The comment in the line above, an empty one between them or not."""
    lines = [text.strip() for _, text in prose[-2:]]
    if lines and not lines[-1]:
        lines.pop()
    found = _MARKER.match(lines[-1]) if lines else None
    return (found["key"], found["what"] or "") if found else (None, "")


@cache
def all_pages() -> tuple[Page, ...]:
    """What people read: the root's pages, docs/, and READMEs beside what they are about."""
    paths = [
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "hack").rglob("*.md")),
        *sorted((ROOT / "charts").rglob("*.md")),
    ]
    return tuple(read(path) for path in paths)


def blocks_run_by(name: str) -> tuple[Block, ...]:
    """The blocks that say that this test runs them, for a test that types them as they stand."""
    return tuple(
        block
        for page in all_pages()
        for block in page.blocks
        if block.key == "run-by" and name in block.what.split(", ")
    )


def commands_of(block: Block) -> tuple[str, ...]:
    """The commands of a block: in `console` what stands behind `$ `, elsewhere every line."""
    lines = block.text.splitlines()
    if block.language == "console":
        lines = list(_typed(lines))
    found: list[str] = []
    for line in lines:
        if found and found[-1].endswith("\\"):
            found[-1] = found[-1][:-1].rstrip() + " " + line.strip()
        elif line.strip() and not line.lstrip().startswith("#"):
            found.append(line.strip())
    return tuple(found)


def expected_of(block: Block) -> tuple[str, ...]:
    """What the commands of a `console` block are said to print; `...` stands for anything."""
    if block.language != "console":
        return ()
    lines = block.text.splitlines()
    typed = {number for number, _ in _numbered_typed(lines)}
    said = (" ".join(line.split()) for number, line in enumerate(lines) if number not in typed)
    return tuple(line for line in said if line and line != "...")


def _typed(lines: list[str]) -> Iterator[str]:
    return (text for _, text in _numbered_typed(lines))


def _numbered_typed(lines: list[str]) -> Iterator[tuple[int, str]]:
    goes_on = False
    for number, line in enumerate(lines):
        if goes_on or line.startswith("$ "):
            text = line if goes_on else line[2:]
            goes_on = text.endswith("\\")
            yield number, text
