from __future__ import annotations

from pathlib import Path

import pytest

from localcluster import gobuild


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
