from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from localcluster import dns, gobuild, kwok
from localcluster.errors import CannotRun
from localcluster.gobuild import Program


def test_only_lines_that_name_a_package_are_counted() -> None:
    lines = ["k8s.io/api/core/v1", "go: downloading k8s.io/api v0.36.3", "runtime", "# broken"]
    assert gobuild.count_packages(lines) == 2


@pytest.mark.parametrize(
    ("done", "pending", "expected"),
    [
        (0, 0, "  60 s: linking"),
        (0, 900, "  60 s: 0 of 900 packages built"),
        (300, 900, "  60 s: 300 of 900 packages built, about 140 s left"),
        (900, 900, "  60 s: linking"),
    ],
)
def test_progress_says_what_is_left(done: int, pending: int, expected: str) -> None:
    assert gobuild.progress(60, done=done, pending=pending) == expected


def test_a_build_that_was_killed_leaves_nothing_for_the_next_one(tmp_path: Path) -> None:
    killed = tmp_path / "building-1"
    killed.mkdir()
    with gobuild.Aside(tmp_path) as aside:
        assert not killed.exists()
        (aside / "kwok").touch()
        aside.rename(tmp_path / "bin-kwok")
    assert [entry.name for entry in tmp_path.iterdir()] == ["bin-kwok"]


def program(module: Path, *, pin: str = "v1", flags: tuple[str, ...] = ("-trimpath",)) -> Program:
    module.mkdir(exist_ok=True)
    (module / "go.mod").write_text(f"module x\nrequire y {pin}\n")
    (module / "go.sum").write_text("")
    return Program(
        name="y", version=pin, package="x/y", module=module, flags=flags, takes="a minute"
    )


def test_a_changed_pin_or_flag_is_another_folder(tmp_path: Path) -> None:
    root = tmp_path / "root"
    same = program(tmp_path / "a").folder(root)
    assert program(tmp_path / "b").folder(root) == same
    assert program(tmp_path / "c", pin="v2").folder(root) != same
    assert program(tmp_path / "d", flags=()).folder(root) != same


def test_a_program_is_built_once_and_without_go_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, root = program(tmp_path / "module"), tmp_path / "root"
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(CannotRun, match=r"^Go is needed to build y v1 and is not on PATH\.$"):
        wanted.ensure(root)
    monkeypatch.setattr(shutil, "which", lambda _: "/bin/go")
    built: list[Path] = []

    def build(module: Path, target: Path, packages: list[str], **_: object) -> None:
        built.append(target)
        (target / "y").touch()

    monkeypatch.setattr(gobuild, "build", build)
    assert wanted.ensure(root) == wanted.ensure(root) == wanted.folder(root) / "y"
    assert len(built) == 1
    assert (wanted.folder(root) / "y").is_file()


@pytest.mark.parametrize("pinned", [kwok.PROGRAM, dns.PROGRAM], ids=lambda one: one.name)
def test_a_program_s_module_pins_the_version_that_is_named_and_no_registry(
    pinned: Program,
) -> None:
    text = (pinned.module / "go.mod").read_text()
    assert f" {pinned.version} " in text.replace("\n", " ")
    assert pinned.package in text
    assert "://" not in text + (pinned.module / "go.sum").read_text()
