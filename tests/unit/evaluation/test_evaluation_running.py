"""A case is run as a person would see it, and what is wrong with the answer is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cases import case_of

from kausa.evaluation import running
from kausa.evaluation.cases import read_case
from kausa.evaluation.report import as_document, case_lines, pass_rate, tables
from kausa.evaluation.running import Result, run_case
from kausa.evidence.redaction import Redactor

REDACTOR = Redactor(key=bytes(32))


def run(folder: Path) -> Result:
    return run_case(read_case(folder), redactor=REDACTOR)


def test_a_right_answer_passes(tmp_path: Path) -> None:
    result = run(case_of(tmp_path))
    assert result.passes
    assert result.fails
    assert not result.echo_passes
    assert result.cpu_milliseconds > 0
    assert next(case_lines(result)).startswith("ok   crash  [CrashLoop CrashLoopBackOff, ")


def test_a_wrong_answer_is_told_with_what_was_expected_and_said(tmp_path: Path) -> None:
    result = run(case_of(tmp_path, expect={"category": "Volume", "says": [["no such words"]]}))
    assert not result.passes
    text = "\n".join(case_lines(result))
    assert text.startswith("FAIL crash")
    assert "category: said " in text
    assert "is Volume" in text
    assert "does not say: no such words" in text
    assert "REGION" in text


def test_a_case_that_raises_has_failed_and_the_next_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self, *_: object, **__: object) -> None:
            raise RuntimeError("a defect of ours")

    monkeypatch.setattr(running, "OfflineDiagnosis", Broken)
    result = run(case_of(tmp_path))
    assert result.wrong == ("raised RuntimeError: a defect of ours",)
    assert "Traceback" in result.error
    assert "RuntimeError: a defect of ours" in "\n".join(case_lines(result))


def test_a_target_that_is_not_there_is_a_case_that_failed(tmp_path: Path) -> None:
    target = {"kind": "Pod", "namespace": "shop", "name": "api-9"}
    result = run(case_of(tmp_path, target=target))
    assert "Did you mean Pod/shop/api-1?" in result.wrong[0]


def test_the_pipeline_does_not_see_what_is_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = case_of(tmp_path, title="the cause is a wombat", expect={"says": [["wombat"]]})
    opened: list[str] = []
    read_bytes = Path.read_bytes

    def spy(path: Path) -> bytes:
        opened.append(path.name)
        return read_bytes(path)

    case = read_case(folder)
    monkeypatch.setattr(Path, "read_bytes", spy)
    result = run_case(case, redactor=REDACTOR)
    assert opened == ["objects.json"]
    assert "wombat" not in result.text


def test_rates_stand_beside_those_of_the_echo(tmp_path: Path) -> None:
    results = [
        run(case_of(tmp_path, id_="right")),
        run(case_of(tmp_path, id_="wrong", expect={"category": "Volume"})),
        run(case_of(tmp_path, id_="alarm", expect={"outcome": "healthy", "says": []})),
    ]
    assert pass_rate(results) == pytest.approx(100 / 3)
    text = "\n".join(tables(results))
    assert "(any)" in text
    assert "Volume" in text
    assert "made here" in text
    assert "false alarms on healthy cases: 1 of 1" in text
    assert "CPU a case: p50 " in text
    assert text.endswith("passed: 1/3  33 %, a bounded echo: 1/3  33 %")


def test_the_document_holds_all_that_a_rule_writer_needs(tmp_path: Path) -> None:
    results = [run(case_of(tmp_path, expect={"category": "Volume"}))]
    document = as_document(results)
    assert (document["cases"], document["passed"], document["percent"]) == (1, 0, 0.0)
    (only,) = document["results"]
    assert only["id"] == "crash"
    assert only["expected"]["category"] == "Volume"
    assert only["expected"]["says"] == [["REGION", "region"]]
    assert "REGION" in only["said"]["text"]
    assert only["wrong"] == [f"category: said {only['said']['category']}, is Volume"]
    assert document["byCategory"]["Volume"] == {"passed": 0, "cases": 1, "echoPassed": 0}
