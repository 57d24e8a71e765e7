from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.recall_memory import FakeMemory, candidate, matches
from support.records import NOON, RECORD

from kausa.commands.recall import recall
from kausa.memory import opening
from kausa.memory.audit import actor, this_user
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import Filter
from kausa.memory.records import RunbookChunk
from kausa.memory.store import Collection, Health
from kausa.settings import Settings

RUNBOOK = RunbookChunk(
    cluster="test",
    name="registry",
    source="builtin:registry",
    title="Registry away",
    text="Call us.",
    position=0,
    count=1,
    last_seen=NOON,
)


class OpenedMemory(FakeMemory):
    """Notes that it was started and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.actor = ""

    async def start(self, *, deadline_seconds: float) -> None:
        self.calls.append("start")
        self.actor = actor()
        if self.error is not None:
            raise self.error

    async def health(self, *, deadline_seconds: float) -> Health:
        points = {name: len(found) for name, found in self.candidates_of.items()}
        return Health(backend="fake", version="1", schema=None, points=points)

    async def count(self, collection: Collection, *, where: Filter, deadline_seconds: float) -> int:
        return sum(matches(where, each.payload) for each in self.candidates_of[collection])

    async def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OpenedMemory:
    opened = OpenedMemory().knows(
        candidate(replace(RECORD, outcome="Resolved", resolution="raised it"), dense=0.8),
        candidate(replace(RECORD, namespace="pay", reference="pay/x"), dense=0.7),
    )
    monkeypatch.setattr(opening, "open_memory", lambda _settings, **_: opened)
    monkeypatch.setenv("KAUSA_CLUSTER_NAME", "test")
    monkeypatch.setenv("KAUSA_MEMORY_PATH", str(tmp_path))
    monkeypatch.delenv("KAUSA_NAMESPACE", raising=False)
    assert isinstance(opened, OpenedMemory)
    return opened


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(recall, [str(each) for each in arguments])


def test_it_shows_each_failure_with_its_end_and_its_score(memory: OpenedMemory) -> None:
    result = run("why is it OOMKilled", "--no-rerank")
    assert result.exit_code == 0
    assert "Failures: 2" in result.output
    assert "1. OOMKilled OOMKilled: container api reached its memory limit" in result.output
    assert "Resolved: raised it" in result.output
    assert "relevance" in result.output
    assert "Runbooks: none" in result.output
    assert memory.calls == ["start", "close"]


def test_a_namespace_shows_that_namespace_only(memory: OpenedMemory) -> None:
    result = run("why is it OOMKilled", "-n", "pay", "-o", "json")
    document = json.loads(result.output)
    assert [each["source"] for each in document["failures"]] == ["pay/x"]
    assert document["failures"][0]["score"]["total"] > 0
    assert document["failures"][0]["record"]["namespace"] == "pay"


def test_a_namespaced_installation_shows_its_own_namespace_whatever_is_asked(
    memory: OpenedMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAUSA_NAMESPACE", "shop")
    result = run("why is it OOMKilled", "-n", "pay", "-o", "json")
    document = json.loads(result.output)
    assert [each["record"]["namespace"] for each in document["failures"]] == ["shop"]


def test_what_should_be_known_of_the_answer_is_noted(memory: OpenedMemory) -> None:
    assert "Note: Nothing was read a second time" in run("why is it OOMKilled").output


def test_an_empty_memory_says_that_it_is_and_how_it_is_filled(memory: OpenedMemory) -> None:
    memory.candidates_of["failures"].clear()
    result = run("why")
    assert result.exit_code == 1
    for said in ("it is empty", "KAUSA_CLUSTER_NAME", "kausa run", "kausa ingest"):
        assert said in result.output
    # No model is loaded for it.
    assert memory.calls == ["close"]
    document = json.loads(run("why, and since when?", "-o", "json").output)
    assert (document["failures"], document["runbooks"]) == ([], [])
    assert document["subQuestions"]


def test_a_placeholder_that_was_cut_in_two_is_not_shown(memory: OpenedMemory) -> None:
    whole = "[redacted:password:0a1b2c]"
    record = replace(
        RECORD, cause=f"it says {whole} and [redacted:pass…", text=f"{whole} [redacted:p"
    )
    memory.candidates_of["failures"] = [candidate(record, dense=0.8)]
    for result in (run("why", "--no-rerank"), run("why", "--no-rerank", "-o", "json")):
        assert whole in result.output
        assert "[redacted:p " not in result.output
        assert "[redacted:pass…" not in result.output
        assert result.output.count("[redacted:") == result.output.count(whole)


def test_what_hardly_fits_is_counted_and_not_shown(memory: OpenedMemory) -> None:
    memory.candidates_of["failures"] = [candidate(RECORD, dense=0.2)]
    memory.candidates_of["runbooks"] = [candidate(RUNBOOK, dense=0.1)]
    result = run("how do I bake bread", "--no-rerank")
    assert result.exit_code == 1
    assert "Failures: none\nRunbooks: none\n" in result.output
    assert "Nothing fits: what was found (2) is" in result.output
    assert "less relevant than 0.3 (KAUSA_RANKING_FLOOR)" in result.output
    assert json.loads(run("how do I bake bread", "-o", "json").output)["weak"] == 2


def test_failures_of_what_a_question_names_are_shown_however_little_else_it_says(
    memory: OpenedMemory,
) -> None:
    memory.candidates_of["failures"] = [candidate(RECORD, dense=0.1)]
    assert run("what was it in namespace shop", "--no-rerank").exit_code == 0
    assert run("what about pod checkout-7d4b9c6f5d-x2x4k", "--no-rerank").exit_code == 0


def test_what_a_question_names_and_nobody_knows_is_told_from_an_empty_memory(
    memory: OpenedMemory,
) -> None:
    result = run("what failed in namespace elsewhere")
    assert result.exit_code == 1
    assert "no record is of what the question names" in result.output


def test_a_memory_that_cannot_be_used_says_why_and_is_closed(memory: OpenedMemory) -> None:
    memory.error = MemoryUnavailableError("another process holds it", reason="StoreLocked")
    result = run("why")
    assert result.exit_code == 2
    assert "kausa recall: another process holds it" in result.output
    assert memory.calls == ["start", "close"]


def test_an_empty_question_is_refused() -> None:
    result = run(" ")
    assert result.exit_code == 2
    assert "it is empty" in result.output


def test_the_audit_names_the_command_and_the_user(memory: OpenedMemory) -> None:
    run("why is it OOMKilled")
    assert memory.actor == f"kausa recall ({this_user()})"


@pytest.mark.parametrize(("own", "everywhere"), [("kausa", ("kausa",)), (None, ())])
def test_runbooks_of_the_operators_own_namespace_alone_apply_everywhere(
    own: str | None, everywhere: tuple[str, ...]
) -> None:
    assert Settings(own_namespace=own, namespace="shop").runbooks_of_everybody == everywhere
