"""Finding Helm: nothing is built here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hack.tools import helming, tools
from hack.tools.place import tools_folder

from localcluster.errors import CannotRun


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("v4.3.1+g1234567\n", (4, 3)),
        ("v3.17.0+g301108e", (3, 17)),
        ('version.BuildInfo{Version:"v3.9.4"}', (3, 9)),
        ("Error: unknown flag", None),
        ("", None),
    ],
)
def test_a_version_is_read_from_what_helm_says(said: str, version: tuple[int, int] | None) -> None:
    assert helming.parse_version(said) == version


@pytest.mark.parametrize(
    ("said", "taken"), [("v4.0.0", True), ("v3.17.1", True), ("v3.9.4", False)]
)
def test_the_machines_own_is_taken_only_where_it_is_new_enough(
    tmp_path: Path, said: str, taken: bool
) -> None:
    program = tmp_path / "helm"
    program.touch(mode=0o755)

    def answers(command: Sequence[str]) -> CompletedProcess[str]:
        assert command[0] == str(program)
        return CompletedProcess(list(command), 0, said, "")

    found = helming.on_path({"PATH": str(tmp_path)}, runner=answers)
    assert found == (program if taken else None)


def test_without_helm_on_the_path_none_is_found(tmp_path: Path) -> None:
    assert helming.on_path({"PATH": str(tmp_path)}) is None


def test_a_helm_that_was_built_is_printed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAUSA_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = helming.PROGRAM.folder(tools_folder({"KAUSA_CACHE": str(tmp_path)}, home=tmp_path))
    folder.mkdir(parents=True)
    assert tools.main(["helm"]) == 0
    assert capsys.readouterr().out == f"{folder / 'helm'}\n"


def test_without_go_and_helm_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAUSA_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tools.main(["helm"]) == CannotRun.exit_code
    said = capsys.readouterr()
    assert said.out == ""
    assert "install Go, or Helm 3.17 or newer" in said.err


def test_the_module_pins_what_is_named() -> None:
    text = (helming.PROGRAM.module / "go.mod").read_text()
    assert f"helm.sh/helm/v4 {helming.VERSION}" in text
    assert "://" not in text
