"""Each command of the documentation is run here, or says which test runs it, or what it needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs.decisive import made_by_make_test, typed_here, words_missing
from docs.pages import COMMAND_LANGUAGES, ROOT, Block, Page, all_pages, commands_of, expected_of
from docs.running import PROGRAMS, programs_of, run_block, why_not_run_here

pytestmark = pytest.mark.timeout(150)

PAGES = tuple(
    page
    for page in all_pages()
    if page.path.is_relative_to(ROOT / "docs")
    or page.path.is_relative_to(ROOT / "charts")
    or page.path == ROOT / "README.md"
)
BLOCKS = tuple(
    block for page in PAGES for block in page.blocks if block.language in COMMAND_LANGUAGES
)
MARKED = tuple(block for block in BLOCKS if block.key is not None)
UNMARKED = tuple(block for block in BLOCKS if block.key is None)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_of_commands_holds_one(block: Block) -> None:
    assert commands_of(block), f"{block}: in `console` a command begins with `$ `"


@pytest.mark.parametrize("block", MARKED, ids=str)
def test_whoever_is_said_to_run_a_command_is_there(block: Block) -> None:
    assert block.what, f"{block}: {block.key} says nothing"
    if block.key == "needs":
        return
    assert block.key == "run-by", f"{block}: {block.key} is no marker of commands"
    names = [each.strip() for each in block.what.split(",")]
    for each in names:
        problem = missing(each)
        assert problem is None, f"{block}: {problem}"
    if any(typed_here(each) for each in names):
        return
    untold = {command: words_missing(command, names) for command in commands_of(block)}
    assert not any(untold.values()), (
        f"{block}: {block.what} has nothing of this, so it does not run the command: "
        f"{ {command: words for command, words in untold.items() if words} }. Have it typed as it "
        "stands (`blocks_run_by`), or say what it needs (<!-- needs: ... -->)."
    )


def missing(name: str) -> str | None:
    """What is wrong with a name behind `run-by`; None for a test, or a part of `make test`."""
    target = re.fullmatch(r"make ([a-z0-9-]+)", name)
    if target is not None:
        return None if target[1] in made_by_make_test() else f"`make test` has no {target[1]}"
    path = ROOT / name
    if not (path.is_file() and re.fullmatch(r"test_\w+\.py", path.name)):
        return f"{name} is no test"
    return None if "def test_" in path.read_text() else f"{name} has no test"


@pytest.mark.parametrize("block", UNMARKED, ids=str)
def test_a_command_without_a_marker_works_and_prints_what_the_page_says(
    block: Block, tmp_path: Path
) -> None:
    reasons = [why for each in commands_of(block) if (why := why_not_run_here(each))]
    assert not reasons, (
        f"{block}: {'; '.join(reasons)}. Say above the block who runs it "
        "(<!-- run-by: tests/... -->) or what it needs (<!-- needs: ... -->)."
    )
    printed = [" ".join(line.split()) for line in run_block(block, home=tmp_path).splitlines()]
    rest = iter(printed)
    for line in expected_of(block):
        assert any(each == line for each in rest), (
            f"{block}: this was not printed, or not in this order:\n  {line}\nbut\n  "
            + "\n  ".join(printed)
        )


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_command_stands_where_nobody_runs_it(page: Page) -> None:
    hidden = stands_where_nobody_runs_it(page)
    assert not hidden, "call the block `console`, `bash` or `sh`:\n" + "\n".join(hidden)


def stands_where_nobody_runs_it(page: Page) -> list[str]:
    """Lines that are commands, and stand in a block of another language or are indented."""
    fenced = [
        f"{block}: {line}"
        for block in page.blocks
        if block.language not in COMMAND_LANGUAGES
        for line in block.text.splitlines()
        if _is_command(line)
    ]
    indented = (each for each in page.prose if each[1].startswith("    "))
    return fenced + [f"{page}:{number}: {line}" for number, line in indented if _is_command(line)]


def _is_command(line: str) -> bool:
    typed = line.strip().removeprefix("$ ")
    if not re.match(r"^[\w./=-]+( |$)", typed):
        return False
    try:
        first = next(programs_of(typed), None)
    except ValueError:
        return False
    return first is not None and first[0] in PROGRAMS and typed != first[0]
