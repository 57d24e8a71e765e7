"""Every command that reads settings tells once, beside its answer, of variables that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.snapshots import crashing_pod, folder_of

from kausa import cli

CASE = Path(__file__).parents[2] / "cases" / "crash-missing-variable"
TOLD = "KAUSA_MODEL_URI (did you mean KAUSA_MODEL_URL?) is no setting of Kausa"


@pytest.fixture(autouse=True)
def misspelt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAUSA_MODEL_URI", "https://sk-very-secret")
    monkeypatch.setenv("KAUSA_REDACTION_KEY_PATH", str(tmp_path / "state" / "redaction.key"))
    monkeypatch.setenv("KAUSA_EMBEDDER_SERVICE_HOST", "10.96.0.12")


@pytest.fixture
def files(tmp_path: Path) -> str:
    return str(folder_of(tmp_path / "case", crashing_pod("api-1")))


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    assert "sk-very-secret" not in result.output
    return result


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask", "why does api-1 crash?", "--no-memory"),
        ("diagnose",),
        ("query-analysis", "why does api-1 crash?"),
    ],
)
def test_it_is_told_beside_the_json_and_not_in_it(arguments: tuple[str, ...], files: str) -> None:
    source = () if arguments[0] == "query-analysis" else ("--from", files)
    result = run(*arguments, *source, "-o", "json")
    assert json.loads(result.stdout)
    (line,) = (each for each in result.stderr.splitlines() if "no setting" in each)
    assert line.startswith(f"kausa {arguments[0]}: {TOLD}")
    assert "KAUSA_EMBEDDER_SERVICE_HOST" not in result.stderr


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("ask", ("why?",)),
        ("diagnose", ("--from", str(CASE))),
        ("eval", (str(CASE), "--model")),
        ("ingest", (str(CASE),)),
        ("memory", ("status", "-o", "json")),
        ("query-analysis", ("why?",)),
        ("recall", ("why?", "-o", "json")),
    ],
)
def test_it_is_told_once_also_where_a_setting_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, command: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("KAUSA_QUEUE_SIZE", "many")
    result = run(command, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    told, refused = result.stderr.splitlines()
    assert told.startswith(f"kausa {command}: {TOLD}")
    assert refused.startswith(f"kausa {command}")
    assert "KAUSA_QUEUE_SIZE" in refused


def test_help_tells_nothing_of_it() -> None:
    assert "KAUSA_MODEL_URI" not in run("recall", "--help").output
