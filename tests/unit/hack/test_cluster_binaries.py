from __future__ import annotations

from pathlib import Path

import pytest

from localcluster import binaries
from localcluster.errors import CannotRun


def module(folder: Path, *, pin: str = "v1") -> Path:
    (folder / "pause").mkdir(parents=True)
    (folder / "go.mod").write_text(f"module x\nrequire y {pin}\n")
    (folder / "go.sum").write_text("")
    (folder / "pause" / "main.go").write_text("package main\n")
    return folder


def test_a_changed_pin_needs_other_binaries(tmp_path: Path) -> None:
    same, again = module(tmp_path / "a"), module(tmp_path / "b")
    other = module(tmp_path / "c", pin="v2")
    assert binaries.fingerprint(same) == binaries.fingerprint(again)
    assert binaries.fingerprint(same) != binaries.fingerprint(other)


def test_binaries_that_the_caller_names_are_taken_as_they_are(tmp_path: Path) -> None:
    for name in binaries.PACKAGES:
        (tmp_path / name).touch()
    named = {"KAUSA_CLUSTER_BIN": str(tmp_path)}
    assert binaries.ensure(tmp_path / "cache", named) == tmp_path
    assert not (tmp_path / "cache").exists()


def test_a_named_folder_without_all_binaries_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "etcd").touch()
    with pytest.raises(CannotRun, match=r"lacks kube-apiserver, .*pause\.$"):
        binaries.ensure(tmp_path, {"KAUSA_CLUSTER_BIN": str(tmp_path)})


def test_binaries_that_were_built_are_not_built_again(tmp_path: Path) -> None:
    built = tmp_path / f"bin-{binaries.fingerprint(binaries.MODULE)}"
    built.mkdir()
    assert binaries.ensure(tmp_path, {}) == built


def test_without_go_and_without_binaries_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRun, match="Go is needed"):
        binaries.ensure(tmp_path, {})


def test_the_module_names_no_registry_and_pins_what_is_built() -> None:
    text = (binaries.MODULE / "go.mod").read_text()
    assert "://" not in text
    for package in binaries.PACKAGES.values():
        assert package == "./pause" or package in text
