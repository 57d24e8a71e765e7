"""The secret behind the placeholders is made once, and is nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from kausa.evidence.redaction_key import KEY_BYTES, load_or_make_key


def test_the_key_is_made_once_and_readable_by_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "redaction.key"
    first = load_or_make_key(path)
    assert load_or_make_key(path) == first
    assert len(first) == KEY_BYTES
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["redaction.key"]


@pytest.mark.parametrize("trouble", ["a file in the place of the folder", "a damaged key"])
def test_where_no_key_can_be_kept_there_is_one_all_the_same(tmp_path: Path, trouble: str) -> None:
    path = tmp_path / "state" / "redaction.key"
    if trouble == "a damaged key":
        path.parent.mkdir()
        path.write_bytes(b"short")
    else:
        path.parent.write_text("")
    assert len(load_or_make_key(path)) == KEY_BYTES
    assert load_or_make_key(path) != load_or_make_key(path)
