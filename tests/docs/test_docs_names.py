"""What the documentation names exists: settings, make targets, commands and their options."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from typing import get_args

import click
import pytest
import yaml
from docs.pages import COMMAND_LANGUAGES, ROOT, Block, Page, all_pages, commands_of
from docs.running import programs_of

import kausa_embedder.cli
from kausa.cli import main as kausa
from kausa.controller.report import AWAITING
from kausa.diagnosis.errors import ModelError
from kausa.diagnosis.model import models as _every_error  # noqa: F401 - makes all of them known
from kausa.memory.errors import UnavailableReason
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.runbook import Runbook
from kausa.resources.spec import FailureDiagnosisSpec
from kausa.settings import Settings as OperatorSettings
from kausa_embedder.settings import Settings as EmbedderSettings

PAGES = tuple(page for page in all_pages() if page.path.name != "CHANGELOG.md")
CODE = ("operator", "embedder", "hack", "tests/support", "tests/integration", "tests/e2e")
_SETTING = re.compile(r"KAUSA_[A-Z0-9_]*")


def known_settings() -> frozenset[str]:
    """The fields of both settings classes, and what code names in quotes: read without a class."""
    names = {f"KAUSA_{name.upper()}" for name in OperatorSettings.model_fields}
    names |= {f"KAUSA_EMBEDDER_{name.upper()}" for name in EmbedderSettings.model_fields}
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            names |= set(re.findall(r"[\"'](KAUSA_[A-Z0-9_]+)[\"']", path.read_text("utf-8")))
    return frozenset(names)


def typed_in(page: Page) -> Iterator[tuple[str, str]]:
    """Where, and what: lines of commands, and inline code."""
    for block in page.blocks:
        if block.language in COMMAND_LANGUAGES:
            yield from ((str(block), re.sub(r"\s+# .*", "", c)) for c in commands_of(block))
    for line, code in page.inline_code():
        yield f"{page}:{line}", code


def test_every_setting_that_is_named_exists() -> None:
    known, unknown = known_settings(), []
    for page in PAGES:
        for found in _SETTING.finditer(page.text):
            name, behind = found[0], page.text[found.end() : found.end() + 1]
            if name.endswith("_"):
                fits = any(each.startswith(name) for each in known)
                if not (fits and behind in ("*", "<", ".", "`", "N")):
                    unknown.append(f"{page}: {name}{behind}")
            elif name not in known:
                unknown.append(f"{page}: {name}")
    assert not unknown, "\n".join(sorted(set(unknown)))


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    unknown = [
        f"{where}: make {target}"
        for page in PAGES
        for where, code in typed_in(page)
        for target in re.findall(r"(?:^|[ ;&])make ((?:[a-z][a-z0-9-]*)(?![*\w-]))", code)
        if target not in targets
    ]
    assert not unknown, "\n".join(unknown)


def test_every_command_of_ours_that_is_named_exists_with_its_options() -> None:
    wrong = []
    for page in PAGES:
        for where, code in typed_in(page):
            if not re.search(r"(?:^|[ /])kausa(?:-embedder)? [a-z-]", code):
                continue
            try:
                started = list(programs_of(code))
            except ValueError:
                continue
            for program, words in started:
                ask = {"kausa": _wrong_with_kausa, "kausa-embedder": _wrong_with_embedder}
                problem = ask[program](words) if program in ask else None
                if problem is not None:
                    wrong.append(f"{where}: {code}: {problem}")
    assert not wrong, "\n".join(wrong)


def _wrong_with_kausa(words: tuple[str, ...]) -> str | None:
    command: click.Command = kausa
    context = click.Context(kausa)
    rest = list(words)
    while isinstance(command, click.Group) and rest and re.fullmatch(r"[a-z][a-z-]*", rest[0]):
        name = rest.pop(0)
        found = command.get_command(context, name)
        if found is None:
            return f"there is no command {name}"
        command = found
    options = {"--help", "-h"} | ({"--version"} if command is kausa else set())
    for parameter in command.params:
        options |= {*parameter.opts, *parameter.secondary_opts}
    return _unknown(rest, options)


def _wrong_with_embedder(words: tuple[str, ...]) -> str | None:
    command = words[:1] if words and not words[0].startswith("-") else ()
    if command and command[0] not in ("serve", "fetch"):
        return f"there is no command {command[0]}"
    shown = _help_of_embedder(command)
    return _unknown(list(words), set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", shown)))


def _help_of_embedder(command: tuple[str, ...]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        kausa_embedder.cli.main([*command, "--help"])
    return printed.getvalue()


def _unknown(words: list[str], options: set[str]) -> str | None:
    given = (each.split("=", 1)[0] for each in words if re.match(r"^--?[a-z]", each))
    return next((f"there is no option {each}" for each in given if each not in options), None)


OUR_MANIFESTS = tuple(
    block
    for page in PAGES
    for block in page.blocks
    if block.language == "yaml" and "apiVersion: kausa.dev/" in block.text
)


@pytest.mark.parametrize("block", OUR_MANIFESTS, ids=str)
def test_a_manifest_of_ours_has_only_fields_that_exist(block: Block) -> None:
    models = {"FailureDiagnosis": FailureDiagnosis, "Runbook": Runbook}
    for document in yaml.safe_load_all(block.text):
        models[document["kind"]].model_validate(document)


def test_a_patch_of_a_failurediagnosis_has_only_fields_that_exist() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
    patches = [
        yaml.safe_load(found[1])
        for page in PAGES
        for _, code in typed_in(page)
        if (found := re.search(r"kubectl .*\bpatch (?:fd|failurediagnos\w+) .*?-p '(.+?)'", code))
    ]
    assert patches
    for patch in patches:
        assert set(patch) == {"spec"}
        FailureDiagnosisSpec.model_validate({"target": target, **patch["spec"]})


def test_every_reason_for_a_memory_that_is_away_is_explained() -> None:
    rows = set(
        re.findall(r"^\| ([A-Z]\w+)(?:, ([A-Z]\w+))? \|", page_text("memory.md"), re.MULTILINE)
    )
    told = {name for row in rows for name in row}
    assert set(get_args(UnavailableReason)) - {"Closed"} <= told


def reasons_of(error: type[ModelError]) -> Iterator[str]:
    """The words of an error and of all that are one."""
    yield error.reason
    for each in error.__subclasses__():
        yield from reasons_of(each)


def test_every_reason_why_a_model_was_not_asked_is_explained() -> None:
    text = page_text("operate.md").partition("### The model was not asked")[2]
    rows = re.findall(r"^\| ([A-Z]\w+(?:, [A-Z]\w+)*) \|", text, re.MULTILINE)
    told = {name for row in rows for name in row.split(", ")}
    assert {*reasons_of(ModelError), *AWAITING, "NotNeeded"} <= told


def page_text(name: str) -> str:
    """A page of docs/."""
    return (ROOT / "docs" / name).read_text()


def test_a_line_of_shell_can_be_read() -> None:
    for page in PAGES:
        for block in page.blocks:
            if block.language in COMMAND_LANGUAGES:
                for command in commands_of(block):
                    shlex.split(command, comments=True)
