"""`kausa eval` on a terminal: rates, exit codes, and sentences for what cannot be run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.cases import case_of
from support.fake_model_server import FakeModelServer
from support.model_server_in_thread import served

from kausa import cli

MODEL_SAYS = {
    "citations": ["E1", "E2", "E3"],
    "rootCause": "The variable REGION is not set.",
    "summary": "variable REGION is not set",
    "explanation": "Container api says that the variable REGION is not set.",
    "category": "Config",
    "confidence": 90,
    "remediation": [],
}


@pytest.fixture
def model_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeModelServer]:
    with served("ollama") as fake:
        fake.script = [fake.says(json.dumps(MODEL_SAYS))]
        monkeypatch.setenv("KAUSA_MODEL_URL", fake.url)
        monkeypatch.setenv("KAUSA_SIMPLE_MODEL", "tiny")
        monkeypatch.setenv("KAUSA_REASONING_MODEL", "tiny")
        yield fake


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.main, ["eval", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    case_of(tmp_path / "cases", id_="right")
    case_of(tmp_path / "cases", id_="wrong", expect={"category": "Volume"})
    return tmp_path / "cases"


def test_failing_cases_are_shown_and_those_that_pass_where_asked(folder: Path) -> None:
    code, said, _ = run(folder)
    assert code == 0
    assert "FAIL wrong" in said
    assert "ok   right" not in said
    assert "passed: 1/2  50 %" in said
    assert "ok   right" in run(folder, "-v")[1]


def test_too_few_right_answers_are_an_error_where_a_minimum_is_given(folder: Path) -> None:
    assert run(folder, "--min", "50")[0] == 0
    assert run(folder, "--min", "51")[0] == 1
    assert run(folder, "--min", "100", "--only", "right")[0] == 0


def test_the_json_holds_every_case(folder: Path, tmp_path: Path) -> None:
    run(folder, "--json", tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text())
    assert [each["id"] for each in document["results"]] == ["right", "wrong"]
    assert document["percent"] == 50.0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--only", "zebra"], "None of 2 cases has 'zebra' in its id"),
        (["--json", "no/such/folder/x.json"], "cannot be written"),
        (["--model"], "Set KAUSA_MODEL_URL"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence(
    folder: Path, arguments: list[str], why: str
) -> None:
    code, _, said = run(folder, *arguments)
    assert code == 2
    assert why in said


def test_where_the_json_goes_is_looked_at_before_an_hour_is_spent(folder: Path) -> None:
    _, said, _ = run(folder, "--json", "no/such/folder/x.json")
    assert said == ""


def test_a_folder_without_cases_is_named(tmp_path: Path) -> None:
    code, said, why = run(tmp_path)
    assert (code, said) == (2, "")
    assert "there is no case.yaml in it" in why


def test_a_broken_case_stops_before_any_is_run(folder: Path) -> None:
    (folder / "right" / "case.yaml").write_text("id: [")
    code, said, why = run(folder)
    assert (code, said) == (2, "")
    assert "right/case.yaml: cannot be used" in why


def test_a_model_that_does_not_answer_is_said_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAUSA_MODEL_URL", "http://127.0.0.1:9")
    code, _, why = run(folder, "--model")
    assert code == 2
    assert "The model does not answer" in why


def test_what_a_model_alone_finds_is_measured_without_the_rules(folder: Path) -> None:
    code, said, _ = run(folder, "--without-rules")
    assert code == 0
    assert "cause not determined: CrashLoopBackOff of container api" in said
    assert "passed: 0/2   0 %" in said


def test_with_a_model_both_rates_are_told(
    folder: Path, tmp_path: Path, model_server: FakeModelServer
) -> None:
    code, said, progress = run(
        folder, "--model", "--without-rules", "--at-once", "2", "--json", tmp_path / "out.json"
    )
    assert code == 0, said + progress
    assert "asked right: " in progress
    assert "model tiny: asked about 2 of 2 cases" in said
    assert "changed: right: wrong without, right with it" in said
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["passed"] == 1
    assert document["model"]["passedWithout"] == 0
    assert document["model"]["passedWith"] == 1
    (right, _) = document["model"]["questions"]
    assert right["published"]["rootCause"].startswith(f"{MODEL_SAYS['rootCause']} Seen: ")
    assert {each["id"] for each in right["evidence"]} >= set(right["reply"]["citations"])


def test_a_sample_is_each_so_many_th_case(folder: Path) -> None:
    assert "passed: 1/1 100 %" in run(folder, "--every", "2")[1]
