"""What is no answer is not shown as one, and what keeps a model from answering is told as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.fake_model_server import FakeModelServer
from support.model_server_in_thread import served
from support.snapshots import crashing_pod, folder_of

from kausa.commands.ask import ask

LOG = "FATAL: variable REGION is not set\n"
SEATS = "Seat server answers: 25 of 25 handed out\nstanding down\nbye then\n"
ANSWER: dict[str, Any] = {
    "citations": ["E1", "E2", "E3"],
    "rootCause": "The variable REGION is not set.",
    "summary": "variable REGION is not set",
    "explanation": "Container api says that the variable REGION is not set.",
    "category": "Config",
    "confidence": 90,
    "remediation": [],
}
REASON_AGAIN = {
    "rootCause": "The failure is caused by a crash loop back-off.",
    "summary": "The container is in a crash loop back-off.",
    "explanation": "The container api is in CrashLoopBackOff.",
    "category": "CrashLoop",
}
ECHO = "container api needs the environment variable REGION, which is not set"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAUSA_MEMORY_ENABLED", "false")
    monkeypatch.setenv("KAUSA_CACHE", str(tmp_path / "cache"))
    for name in ("KAUSA_MODEL_URL", "KAUSA_MODEL_PULL", "KAUSA_MODEL_ALLOWED"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    logs = {"shop/api-1/api.previous.log": LOG}
    return folder_of(tmp_path / "case", crashing_pod("api-1"), logs=logs)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeModelServer]:
    with served("ollama") as fake:
        fake.models = ["tiny:latest", "large:latest"]
        fake.script = [fake.says(json.dumps(ANSWER))]
        monkeypatch.setenv("KAUSA_MODEL_URL", fake.url)
        monkeypatch.setenv("KAUSA_SIMPLE_MODEL", "tiny")
        monkeypatch.setenv("KAUSA_REASONING_MODEL", "large")
        yield fake


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    given = ["why does api-1 crash?", "--from", str(folder), *arguments]
    result = CliRunner().invoke(ask, given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, " ".join(result.stdout.split())


def answers(server: FakeModelServer, **given: Any) -> None:
    server.script = [server.says(json.dumps({**ANSWER, **given}))]


@pytest.mark.parametrize(
    ("arguments", "most"),
    [
        ((), 55),
        (("--model", "tiny"), 55),
        (("--model", "Tiny:latest"), 55),
        (("--model", "large"), 85),
    ],
)
def test_the_simple_model_is_not_very_sure_however_it_was_chosen(
    folder: Path, server: FakeModelServer, arguments: tuple[str, ...], most: int
) -> None:
    _, said = run(folder, *arguments)
    assert f"Sure: {most} %" in said
    document = json.loads(run(folder, *arguments, "-o", "json")[1])
    assert document["answer"]["confidence"] == most


@pytest.mark.parametrize(
    "given",
    [
        {"confidence": 0},
        {"confidence": 45},
        {"category": "Undetermined"},
        REASON_AGAIN,
        {"rootCause": f"{ECHO}.", "summary": ECHO, "explanation": ""},
    ],
)
def test_what_holds_nothing_is_no_answer(
    folder: Path, server: FakeModelServer, given: dict[str, Any]
) -> None:
    answers(server, **given)
    code, said = run(folder)
    assert code == 0
    assert "so what rules say above is the answer." in said
    assert "Sure:" not in said
    assert "RESTS ON" not in said
    document = json.loads(run(folder, "-o", "json")[1])
    assert document["answer"] is None
    assert document["noAnswer"]["reason"] in ("Undetermined", "InvalidAnswer")


def test_a_sentence_that_says_nothing_is_not_shown_on_the_way(
    folder: Path, server: FakeModelServer
) -> None:
    answers(server, **REASON_AGAIN)
    said = run(folder)[1]
    assert "ANSWER" not in said
    assert "crash loop back-off" not in said


def test_a_sentence_is_said_once(folder: Path, server: FakeModelServer) -> None:
    again = "variable REGION is not set. The variable REGION is not set."
    answers(server, explanation=f"{again} Container api exited with code 3.")
    answer = run(folder)[1].partition("ANSWER")[2].partition("RESTS ON")[0]
    assert answer.lower().count("variable region is not set") == 1
    assert answer.count("Container api exited with code 3.") == 1


def test_the_cause_once_more_is_no_remedy(folder: Path, server: FakeModelServer) -> None:
    titles = ("Variable REGION is not set", "Root cause: The variable REGION is not set")
    real = "Set the variable REGION"
    fixes = [{"title": each, "rationale": "", "command": ""} for each in (*titles, real)]
    answers(server, remediation=fixes)
    proposed = run(folder)[1].partition("IT PROPOSES")[2]
    assert real in proposed
    assert not any(each in proposed for each in titles)


def told_of_rules(server: FakeModelServer) -> str:
    user = server.requests[0]["messages"][1]["content"]
    return str(user).partition("What rules found:")[2].partition("Evidence:")[0]


def test_rules_that_only_repeat_words_are_not_told_to_a_model(
    tmp_path: Path, server: FakeModelServer
) -> None:
    logs = {"shop/api-1/api.previous.log": SEATS}
    run(folder_of(tmp_path / "repeats", crashing_pod("api-1"), logs=logs))
    assert "25 of 25 handed out" in str(server.requests[-1])
    assert told_of_rules(server) == ""


def test_what_rules_know_is_told_to_a_model(folder: Path, server: FakeModelServer) -> None:
    run(folder)
    assert "variable REGION" in told_of_rules(server)


def test_a_missing_model_is_not_said_to_be_pulled(
    folder: Path, server: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAUSA_MODEL_PULL", "true")
    server.models = []
    said = run(folder)[1]
    assert "ollama pull" in said
    assert "`kausa ask` pulls none, whatever KAUSA_MODEL_PULL says" in said
    assert "begins to pull" not in said
    assert server.pulls == []


def test_a_model_that_is_not_allowed_is_named_as_it_was_given(
    folder: Path, server: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAUSA_MODEL_ALLOWED", "other")
    said = run(folder, "--model", "foo")[1]
    assert "--model names foo, which KAUSA_MODEL_ALLOWED does not list" in said
    assert "spec.model" not in said


def test_where_nothing_is_above_nothing_is_said_to_be_the_answer(
    tmp_path: Path,
) -> None:
    pod = crashing_pod("api-1")
    pod["status"] = {"phase": "Succeeded"}
    fine = folder_of(tmp_path / "fine", pod)
    result = CliRunner().invoke(ask, ["what is broken?", "--from", str(fine)])
    assert result.exit_code == 1
    said = " ".join(result.stdout.split())
    assert "above is the answer" not in said
    assert "and nothing is known that an answer could rest on" in said


def test_that_the_connection_broke_is_said(folder: Path, server: FakeModelServer) -> None:
    whole = json.dumps(ANSWER)
    part = whole[: whole.index('"summary"')]
    cut = [server.piece(text=part[at : at + 3]) for at in range(0, len(part), 3)]
    server.script = [server.streams(cut), server.says(whole)]
    said = run(folder)[1]
    assert "(the connection broke; once more)" in said
    assert "did not hold" not in said


def test_what_only_the_question_bears_is_no_answer(tmp_path: Path, server: FakeModelServer) -> None:
    pod = crashing_pod("api-1")
    state = {"running": {"startedAt": "2026-01-31T12:00:00Z"}}
    status = {"name": "api", "image": "a:1", "ready": True, "restartCount": 0, "state": state}
    pod["status"]["containerStatuses"] = [status]
    pod["status"]["conditions"][0]["status"] = "True"
    answers(
        server,
        rootCause="It loses its session-cookies.",
        summary="It loses its session-cookies.",
        explanation="",
        category="Other",
    )
    question = "why does pod api-1 lose its session-cookies?"
    fine = str(folder_of(tmp_path / "fine", pod))
    result = CliRunner().invoke(ask, [question, "--from", fine])
    assert "nothing that holds" in " ".join(result.stdout.split())
    assert "Sure:" not in result.stdout
    assert "ANSWER" not in result.stdout
