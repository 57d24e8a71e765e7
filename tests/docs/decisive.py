"""What of a command must be found in a test before the test may be said to run it.

A marker `run-by` is believed only where the words that make a command what it is stand in the files
that it names: subcommands, options, the variables that are set, the paths that curl asks for. What
is put in by whoever reads, such as names and folders, may be another in the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import urlsplit

from docs.pages import ROOT
from docs.running import programs_of

__all__ = ["decisive_words", "made_by_make_test", "typed_here", "words_missing"]

_SUBCOMMAND = re.compile(r"[a-z][a-z-]*[a-z]")
_SUBCOMMANDS = {"kausa": 2, "kausa-embedder": 1, "kubectl": 2, "helm": 1}
"""How many words behind the program say what it does."""
_WITH_A_VALUE = frozenset({"-n", "--namespace", "-o", "-f", "-p", "-H", "-d", "-l"})
"""Options whose value is the next word."""
_TYPES_BLOCKS = "blocks_run_by("
_EVERYWHERE = frozenset({"-n", "--namespace"})
"""Options that say where and not what."""


def decisive_words(command: str) -> Iterator[str]:
    """The words of one command that a test of it must have. `make` has none: see below."""
    yield from re.findall(r"\b([A-Z][A-Z0-9_]+)=", command)
    programs = list(programs_of(command))
    ours = [each for each in programs if each[0].startswith("kausa")]
    # What is piped into a program of ours may come from anywhere.
    for program, words in ours or programs:
        if program == "curl":
            yield from (urlsplit(f"//{each}").path for each in words if re.search(r":\d+/", each))
        elif program in ("python3", "python"):
            yield from (part for each in words[:1] for part in each.split("/") if "." in part)
            yield from _options(words)
            yield from (each for each in words[1:2] if _SUBCOMMAND.fullmatch(each))
        elif program in _SUBCOMMANDS:
            yield from _subcommands(words, most=_SUBCOMMANDS[program])
            yield from _options(words)


def _options(words: tuple[str, ...]) -> Iterator[str]:
    for number, each in enumerate(words):
        name, _, value = each.partition("=")
        if re.fullmatch(r"--?[a-z][a-z-]*", name) and name not in _EVERYWHERE:
            yield name
            if name == "--set":
                yield (value or next(iter(words[number + 1 :]), "")).partition("=")[0]


def _subcommands(words: tuple[str, ...], *, most: int) -> Iterator[str]:
    found = 0
    skipped = False
    for each in words:
        if skipped:
            skipped = False
        elif each.startswith("-"):
            skipped = each in _WITH_A_VALUE
        elif found == most or not _SUBCOMMAND.fullmatch(each):
            return
        else:
            found += 1
            yield each


def words_missing(command: str, names: list[str]) -> list[str]:
    """The decisive words of a command that none of these tests, and `make` targets, has."""
    text = "\n".join(_text_of(name) for name in names)
    made = [word for program, words in programs_of(command) if program == "make" for word in words]
    return [
        *(each for each in decisive_words(command) if not re.search(_as_a_word(each), text)),
        *(f"make {each}" for each in made if each not in made_by_make_test()),
    ]


def _as_a_word(word: str) -> str:
    return rf"(?<![\w-]){re.escape(word)}(?![\w-])"


def typed_here(name: str) -> bool:
    """Whether a test types the blocks that name it, whatever is in them."""
    path = ROOT / name
    return path.is_file() and _TYPES_BLOCKS in path.read_text()


@cache
def _text_of(name: str) -> str:
    """A test with what it takes from tests/support, or the recipe of a target of `make`."""
    if name.startswith("make "):
        target = name.removeprefix("make ")
        recipes = re.findall(rf"^{re.escape(target)}:.*\n((?:\t.*\n)+)", _makefile(), re.MULTILINE)
        return "\n".join(recipes)
    text = (ROOT / name).read_text()
    modules = re.findall(r"^from (support\.\w+|e2e_chart\.\w+|e2e\.\w+) import", text, re.MULTILINE)
    around = [ROOT / "tests" / f"{each.replace('.', '/')}.py" for each in modules]
    around.append((ROOT / name).parent / "conftest.py")
    return "\n".join([text, *(each.read_text() for each in around if each.is_file())])


@cache
def _makefile() -> str:
    return (ROOT / "Makefile").read_text()


@cache
def made_by_make_test() -> frozenset[str]:
    """The targets that `make test` comes by: those of its recipe, and what these need."""
    rules = dict(re.findall(r"^([a-z][a-z0-9-]*):(?!=)([^#\n]*)", _makefile(), re.MULTILINE))
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", _makefile(), re.MULTILINE)
    assert recipe is not None
    waiting = [each for each in re.findall(r"[a-z][a-z0-9-]+", recipe[1]) if each in rules]
    found: set[str] = set()
    while waiting:
        target = waiting.pop()
        if target in found:
            continue
        found.add(target)
        needs = rules[target].replace("$(STAMP)", "install").split()
        waiting.extend(each for each in needs if each in rules)
    return frozenset(found)
