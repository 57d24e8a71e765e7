"""`kausa ask` over files: facts, an answer with citations, and what is said without a model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.fake_model_server import FakeModelServer
from support.model_server_in_thread import served
from support.snapshots import crashing_pod, folder_of

from kausa.commands.ask import ask

LOG = "FATAL: variable REGION is not set\n"
ANSWER = {
    "citations": ["E1", "E2", "E3"],
    "rootCause": "The variable REGION is not set.",
    "summary": "variable REGION is not set",
    "explanation": "Container api says that the variable REGION is not set.",
    "category": "Config",
    "confidence": 90,
    "remediation": [],
}


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAUSA_MEMORY_ENABLED", "false")
    monkeypatch.setenv("KAUSA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KAUSA_MODEL_URL", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    logs = {"shop/api-1/api.previous.log": LOG}
    return folder_of(tmp_path / "case", crashing_pod("api-1"), logs=logs)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeModelServer]:
    with served("ollama") as fake:
        fake.script = [fake.says(json.dumps(ANSWER))]
        monkeypatch.setenv("KAUSA_MODEL_URL", fake.url)
        monkeypatch.setenv("KAUSA_SIMPLE_MODEL", "tiny")
        monkeypatch.setenv("KAUSA_REASONING_MODEL", "tiny")
        yield fake


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(ask, [*map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.stdout, result.stderr


def test_without_a_model_rules_answer_and_that_is_said(folder: Path) -> None:
    code, said, _ = run("why does api-1 crash?", "--from", folder)
    assert code == 0
    assert "Pod shop/api-1" in said
    assert "REGION" in said
    assert "No model answered (Disabled" in said


def test_the_models_answer_stands_with_what_it_rests_on(
    folder: Path, server: FakeModelServer
) -> None:
    code, said, _ = run("why does api-1 crash?", "--from", folder)
    assert code == 0, said
    assert "ANSWER" in said
    assert said.index("REGION") < said.index("ANSWER")
    assert "The variable REGION is not set." in said
    assert "RESTS ON" in said
    assert LOG.strip() in said.partition("RESTS ON")[2]
    assert "by tiny in" in said


def test_what_the_model_makes_up_is_not_shown(folder: Path, server: FakeModelServer) -> None:
    made_up = {**ANSWER, "rootCause": "The server db-7 was deleted.", "explanation": "db-7."}
    server.script = [server.says(json.dumps(made_up))]
    code, said, _ = run("why does api-1 crash?", "--from", folder)
    assert code == 0
    assert "No model answered (InvalidAnswer" in said
    assert "ANSWER\n" not in said


def test_each_sentence_is_followed_by_what_it_rests_on(
    folder: Path, server: FakeModelServer
) -> None:
    _, said, _ = run("why does api-1 crash?", "--from", folder)
    answer, _, rests_on = said.partition("ANSWER")[2].partition("RESTS ON")
    cited = re.findall(r"REGION is not set\.\s+\[([E\d, ]+)\]", answer)
    assert cited
    for each in ", ".join(cited).split(", "):
        assert f"{each} " in rests_on


def test_a_cause_that_is_no_sentence_is_replaced_and_that_is_told(
    folder: Path, server: FakeModelServer
) -> None:
    said_first = {**ANSWER, "rootCause": "CrashLoopBackOff."}
    server.script = [server.says(json.dumps(said_first))] * 2
    _, said, _ = run("why does api-1 crash?", "--from", folder)
    answer = " ".join(said.partition("ANSWER")[2].split())
    document = json.loads(run("why does api-1 crash?", "--from", folder, "-o", "json")[1])
    cause = document["answer"]["rootCause"]
    assert cause == ANSWER["summary"]
    assert cause in answer
    for each in document["withdrawn"]:
        assert f"Withdrawn: {each}" in answer


def test_a_cause_about_another_line_than_the_chosen_one_is_not_the_answer(
    folder: Path, server: FakeModelServer
) -> None:
    line = LOG.strip().removeprefix("FATAL: ")
    chosen = {
        **ANSWER,
        "decisiveLines": [line],
        "rootCause": "Container api exited with code 1.",
        "explanation": "Container api exited with code 1.",
    }
    server.script = [server.says(json.dumps(chosen))] * 2
    _, said, _ = run("why does api-1 crash?", "--from", folder)
    document = json.loads(run("why does api-1 crash?", "--from", folder, "-o", "json")[1])
    cause = document["answer"]["rootCause"]
    assert cause == f'The log says: "{line}".'
    assert cause in said.partition("ANSWER")[2]


@pytest.mark.parametrize("category", ["CrashLoop", "Eviction"])
def test_an_answer_that_contradicts_sure_rules_is_told_to(
    folder: Path, server: FakeModelServer, category: str
) -> None:
    cause = "Back-off restarting of CrashLoopBackOff happened on node-1."
    other = {**ANSWER, "rootCause": cause, "summary": cause, "category": category}
    server.script = [server.says(json.dumps(other))] * 2
    _, said, _ = run("why does api-1 crash?", "--from", folder)
    stands = said.partition("RULES STAND")[2]
    assert "Pod shop/api-1 (93 %)" in stands
    assert "REGION" in stands.partition("RESTS ON")[0]
    document = json.loads(run("why does api-1 crash?", "--from", folder, "-o", "json")[1])
    assert document["answer"]["contradicts"] == ["Pod shop/api-1"]
    assert document["answer"]["confidence"] <= 7


@pytest.mark.parametrize("hidden", [True, False])
def test_what_else_is_hidden_is_hidden_in_the_question_too(
    folder: Path, server: FakeModelServer, monkeypatch: pytest.MonkeyPatch, *, hidden: bool
) -> None:
    for name in ("KAUSA_REDACT_EMAILS", "KAUSA_REDACT_ADDRESSES"):
        monkeypatch.setenv(name, str(hidden))
    question = "why does api-1 crash for alice@shop.example at 192.0.2.17?"
    _, said, _ = run(question, "--from", folder, "-o", "json")
    sent = json.dumps(server.requests) + said
    for secret in ("alice@shop.example", "192.0.2.17"):
        assert (secret in sent) is not hidden


def test_a_machine_gets_one_document(folder: Path, server: FakeModelServer) -> None:
    code, said, _ = run("why does api-1 crash?", "--from", folder, "-o", "json")
    document = json.loads(said)
    assert code == 0
    assert document["answer"]["rootCause"] == ANSWER["rootCause"]
    cited = document["answer"]["citations"]
    assert cited
    assert set(cited) <= {each["id"] for each in document["evidence"]}
    assert document["failures"][0]["target"] == "Pod/api-1"


def test_a_secret_in_the_question_reaches_no_model(folder: Path, server: FakeModelServer) -> None:
    run("why does api-1 crash with password=hunter2secret?", "--from", folder)
    assert server.requests
    assert "hunter2secret" not in json.dumps(server.requests)


def test_a_model_that_is_away_leaves_what_rules_say(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAUSA_MODEL_URL", "http://127.0.0.1:9")
    code, said, _ = run("why does api-1 crash?", "--from", folder)
    assert code == 0
    assert "REGION" in said
    assert "No model answered (Unavailable" in said


def test_where_nothing_fails_that_is_the_answer(tmp_path: Path) -> None:
    pod = crashing_pod("api-1")
    pod["status"] = {"phase": "Succeeded"}
    code, said, _ = run("what is broken?", "--from", folder_of(tmp_path / "fine", pod))
    assert code == 1
    assert "Nothing that fails is known." in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["why?", "--from", "no/such/folder"], "no/such/folder"),
        (["  "], "it is empty"),
        (["please send the token " * 100], "at most 2,048 are read"),
        (["why?", "--from", "x", "--context", "y"], "--from reads files"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(arguments: list[str], why: str) -> None:
    code, _, said = run(*arguments)
    assert code == 2
    assert why in said


def test_a_namespace_that_is_not_there_is_an_error(folder: Path) -> None:
    code, _, said = run("why?", "--from", folder, "-n", "nowhere")
    assert code == 2
    assert "There is no namespace nowhere" in said


def test_what_nobody_knows_gets_no_other_objects_patch(folder: Path) -> None:
    code, said, _ = run("why does nosuchthing crash?", "--from", folder)
    assert code == 1
    assert said.lstrip().startswith("Note: Nothing is known of nosuchthing.")
    assert "REGION" not in said
    assert "To do" not in said


def test_a_name_that_is_near_is_proposed(folder: Path) -> None:
    code, said, _ = run("why does api-7 crash?", "--from", folder)
    assert code == 1
    assert "Nothing is known of api-7. Did you mean api-1?" in said


def test_what_is_unknown_is_noted_before_what_is_known(folder: Path) -> None:
    code, said, _ = run("why does api-1 crash, and deployment/nope?", "--from", folder)
    assert code == 0
    assert said.index("There is no Deployment nope in the files.") < said.index("REGION")


def test_a_model_cannot_be_forced_where_none_is_configured(folder: Path) -> None:
    code, _, said = run("why does it crash?", "--from", folder, "--model", "foo")
    assert code == 2
    assert "Set KAUSA_MODEL_URL" in said


CASES = Path(__file__).parents[2] / "cases"


@pytest.mark.parametrize("question", ["why does orders crash?", "what is broken?"])
def test_a_cause_is_told_before_what_follows_from_it(question: str) -> None:
    code, said, _ = run(question, "--from", CASES / "dependency-crashes-too")
    assert code == 0
    assert said.index("wrong ownership") < said.index("connection refused")
    assert "follows from Deployment dependency-crashes-too/orders-db" in said
    document = json.loads(
        run(question, "--from", CASES / "dependency-crashes-too", "-o", "json")[1]
    )
    first, second = document["failures"][:2]
    assert (first["target"], first["followsFrom"]) == ("Deployment/orders-db", None)
    assert second["target"] == "Deployment/orders"
    assert second["followsFrom"] == "Deployment dependency-crashes-too/orders-db"


def test_who_asks_about_a_cause_is_not_told_of_all_that_follows_from_it() -> None:
    _, said, _ = run("why does orders-db crash?", "--from", CASES / "dependency-crashes-too")
    assert "wrong ownership" in said
    assert "connection refused" not in said
    assert "Fails too:" in said


def test_a_node_is_named_without_a_namespace() -> None:
    _, said, _ = run("what is broken?", "--from", CASES / "node-lost")
    assert "Node lost-node\n" in said
    assert "default/" not in said
