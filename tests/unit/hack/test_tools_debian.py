"""A program out of a Debian package: looked for, else fetched once and never installed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hack.tools import debian

from localcluster.errors import CannotRun, ClusterError

APT = Path("/usr/bin/apt-get")


class Machine:
    """Notes what would be run; the first `failing` downloads come to nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, failing: int = 0) -> None:
        self.failing = failing
        self.ran: list[str] = []
        self.there = {"apt-get", "dpkg-deb"}
        self.holds: tuple[str, ...] = ("promtool", "prometheus")
        monkeypatch.setattr(debian, "find", lambda tool: APT if tool in self.there else None)
        monkeypatch.setattr(debian, "run", self.run)

    def run(
        self, command: Sequence[str], *, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        words = list(command)
        status = 0
        if "download" in words:
            self.ran.append("download")
            if self.failing:
                self.failing -= 1
                status = 100
            else:
                (Path(words[2]) / f"{words[-1]}_2.42_amd64.deb").touch()
        elif "update" in words:
            self.ran.append("update")
        else:
            self.ran.append(words[1])
            folder = Path(words[3]) / "usr" / "bin"
            folder.mkdir(parents=True)
            for name in self.holds:
                (folder / name).touch()
        return subprocess.CompletedProcess(words, status, "", "")


def ensure(tool: str, cache: Path) -> Path:
    return debian.ensure(tool, environment={"KAUSA_CACHE": str(cache)}, home=cache)


def test_one_on_the_path_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch)
    machine.there.add("promtool")
    assert ensure("promtool", tmp_path) == APT
    assert machine.ran == []


def test_a_package_is_downloaded_and_unpacked_once_for_all_that_is_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(monkeypatch)
    first = ensure("promtool", tmp_path)
    assert first.is_file()
    assert first.parent == ensure("prometheus", tmp_path).parent
    assert ensure("promtool", tmp_path) == first
    assert machine.ran == ["download", "-x"]
    assert not [each for each in tmp_path.rglob("building-*")]


def test_lists_that_are_old_are_read_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch, failing=1)
    assert ensure("promtool", tmp_path).is_file()
    assert machine.ran == ["download", "update", "download", "-x"]


def test_a_package_that_cannot_be_had_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Machine(monkeypatch, failing=2)
    with pytest.raises(ClusterError, match="As root, run apt-get update, or install prometheus"):
        ensure("promtool", tmp_path)


def test_a_machine_without_apt_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch)
    machine.there.clear()
    with pytest.raises(CannotRun, match="promtool is not on PATH"):
        ensure("promtool", tmp_path)


def test_a_package_without_the_program_is_no_success(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(monkeypatch)
    machine.holds = ("prometheus",)
    with pytest.raises(ClusterError, match="has no promtool"):
        ensure("promtool", tmp_path)
