"""`kausa redact` shows what would leave, where something is hidden, and never a secret."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from support.fake_secrets import FAKE, HIGH, pem

from kausa.cli import main
from kausa.commands import redacting
from kausa.commands.redacting import Request, blocks, run


def _redact(*arguments: str | Path, given: str | bytes = "") -> Result:
    return CliRunner().invoke(main, ["redact", *map(str, arguments)], input=given)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text(f"starting\nconnect password={FAKE} retries=3\n\n  token: {FAKE}9\n")
    return path


def test_a_file_is_printed_without_its_secrets(log: Path) -> None:
    result = _redact(log)

    assert result.exit_code == 0
    assert FAKE not in result.output
    assert result.output.startswith("starting\nconnect password=[redacted:password:")
    assert "] retries=3\n" in result.output


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_standard_input_is_read(arguments: tuple[str, ...]) -> None:
    result = _redact(*arguments, given=f"password={FAKE}\nfine")

    assert result.exit_code == 0
    assert result.output.startswith("password=[redacted:password:")
    assert result.output.endswith("]\nfine")


def test_show_tells_where_and_never_what(log: Path) -> None:
    result = _redact("--show", log)

    assert result.exit_code == 0
    assert FAKE not in result.output
    first, second = result.output.splitlines()
    assert first.startswith(f"{log}:2:18: password [redacted:password:")
    assert second.startswith(f"{log}:4:10: token [redacted:token:")


def test_summary_counts_by_kind(log: Path) -> None:
    result = _redact("--summary", log, log)

    assert result.output.split() == ["password", "2", "token", "2"]
    assert _redact("--summary", given="fine\n").output == "Nothing is hidden.\n"


def test_show_and_summary_can_be_had_together(log: Path) -> None:
    output = _redact("--show", "--summary", log).output

    assert len(output.splitlines()) == 4


def test_switches_hide_addresses() -> None:
    text = "ann@example.com from 10.0.0.7\n"

    assert _redact(given=text).output == text
    assert "ann@" not in _redact("--emails", given=text).output
    assert "10.0.0.7" not in _redact("--ip-addresses", given=text).output


def test_placeholders_are_the_same_under_the_same_key_only(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    text = f"password={FAKE}\n"

    assert _redact(given=text).output != _redact(given=text).output
    named = [_redact("--key-file", key, given=text).output for _ in range(2)]
    assert named[0] == named[1]


def test_a_key_that_anybody_could_guess_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"short")

    for path in (key, tmp_path / "none"):
        result = _redact("--key-file", path, given="fine\n")

        assert result.exit_code == 2
        assert str(path) in result.stderr
        assert not result.stdout


def test_what_cannot_be_read_is_said_and_the_rest_is_done(log: Path, tmp_path: Path) -> None:
    binary = tmp_path / "a.gz"
    binary.write_bytes(b"\x1f\x8b\x00\x01")

    result = _redact(tmp_path / "none", tmp_path, binary, log)

    assert result.exit_code == 2
    assert "No such file or directory" in result.stderr
    assert "Is a directory" in result.stderr
    assert f"{binary} is no text" in result.stderr
    assert "password=[redacted:" in result.stdout


def test_broken_characters_do_not_stop_it() -> None:
    result = _redact(given=f"caf\xe9 password={FAKE}\n".encode("latin-1"))

    assert result.exit_code == 0
    assert FAKE not in result.output
    assert "caf" in result.output


def _chunks(text: str, size: int = 4096) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


@given(lines=st.lists(st.text(max_size=40), max_size=60), size=st.integers(1, 50))
def test_blocks_are_the_whole_text_in_order(lines: list[str], size: int) -> None:
    text = "\n".join(lines)

    assert "".join(each or "" for each in blocks(_chunks(text, size))) == text


def test_a_key_that_begins_before_a_border_is_not_torn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacting, "BLOCK_CHARACTERS", 2_000)
    filler = "x" * 99 + "\n"

    for lines in range(12, 24):
        text = filler * lines + pem(lines=20) + "\n" + filler * 30
        found = [each or "" for each in blocks(_chunks(text, 500))]

        assert "".join(found) == text
        assert len(found) > 1
        assert sum(HIGH in each for each in found) == 1


def test_an_indented_part_stays_with_the_line_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacting, "BLOCK_CHARACTERS", 500)
    text = "".join(f"key{number}: |\n" + "  value\n" * 7 for number in range(60))

    found = [each or "" for each in blocks(_chunks(text, 100))]

    assert len(found) > 3
    assert all(each.startswith("key") for each in found)


def test_a_line_that_is_too_long_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacting, "BLOCK_CHARACTERS", 1_000)
    monkeypatch.setattr(redacting, "LONGEST_BLOCK", 8_000)
    monkeypatch.setattr(redacting, "_CHUNK_BYTES", 500)

    result = _redact(given=f"first\n{'password=' + FAKE + ' '} {'x' * 30_000}\nlast\n")

    assert FAKE not in result.output
    assert result.output == "first\n[withheld: redaction failed]\nlast\n"


@pytest.mark.slow
def test_a_large_log_takes_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacting, "BLOCK_CHARACTERS", 50_000)
    monkeypatch.setattr(redacting, "_CHUNK_BYTES", 20_000)
    path = tmp_path / "large.log"
    line = "2026-01-02T03:04:05Z INFO request served path=/orders/42 status=200\n"
    with path.open("w") as file:
        file.write(line * (2_000_000 // len(line)))
    tracemalloc.start()
    try:
        run(Request(files=(path,), summary=True), out=io.StringIO(), complain=pytest.fail)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4_000_000  # the whole of it would take forty
