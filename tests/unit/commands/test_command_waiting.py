"""Who waits for a part of the memory that is away is told what for, and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.embedder_process import free_port

from kausa.commands import ingesting, memory_upkeep
from kausa.commands.ingest import ingest
from kausa.commands.memory import memory
from kausa.commands.recall import recall
from kausa.commands.waiting import WaitingTeller
from kausa.memory.waiting import Waiting

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def waiting(why: str = "it cannot be reached", **more: object) -> Waiting:
    values: dict[str, object] = {"part": "embedder", "why": why, "left_seconds": 90.0}
    return Waiting(**(values | more))  # type: ignore[arg-type]


def test_it_is_said_at_once_until_when_and_again_after_a_while() -> None:
    clock, said = Clock(), list[str]()
    teller = WaitingTeller(command="kausa x", say=said.append, clock=clock, now=lambda: NOON)
    teller(waiting())
    assert said == ["kausa x: waiting until 12:01:30 at most (90 s): it cannot be reached"]
    for seconds in (1.0, 14.9):
        clock.seconds = seconds
        teller(waiting())
    assert len(said) == 1
    clock.seconds = 15.1
    teller(waiting("it starts", left_seconds=75.0))
    assert said[1:] == ["kausa x: waiting until 12:01:15 at most (75 s): it starts"]


def test_each_part_is_said_at_once() -> None:
    said = list[str]()
    teller = WaitingTeller(command="kausa x", say=said.append, clock=Clock(), now=lambda: NOON)
    teller(waiting())
    teller(waiting("the server starts", part="store"))
    assert len(said) == 2
    assert "the server starts" in said[1]


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of an embedder that does not run; the memory is embedded."""
    url = f"http://127.0.0.1:{free_port()}"
    for name, value in {
        "KAUSA_EMBEDDER": "http",
        "KAUSA_EMBEDDER_URL": url,
        "KAUSA_MEMORY_PATH": str(tmp_path / "memory"),
        "KAUSA_REDACTION_KEY_PATH": str(tmp_path / "key"),
    }.items():
        monkeypatch.setenv(name, value)
    return url


def check(errors: str, *, command: str, url: str) -> None:
    first, *_, last = errors.splitlines()
    for line in (first, last):
        assert line.startswith(command)
        assert url in line
        assert "start it, or correct KAUSA_EMBEDDER_URL" in line
    assert "waiting until" in first
    assert "waiting until" not in last


def test_an_ingestion_says_that_its_embedder_is_away(
    away: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ingesting, "DEADLINE_SECONDS", 1.0)
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "a.md").write_text("# Look\nHere.\n")
    told = CliRunner().invoke(ingest, [str(tmp_path / "runbooks")])
    assert told.exit_code == 2
    check(told.stderr, command="kausa ingest: ", url=away)


def test_a_migration_says_that_its_embedder_is_away(
    away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_upkeep, "MIGRATION_SECONDS", 0.3)
    told = CliRunner().invoke(memory, ["migrate"])
    assert told.exit_code == 1
    check(told.stderr, command="kausa memory", url=away)


def test_a_question_says_that_its_embedder_is_away(
    away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def holds_something(*_: object, **__: object) -> bool:
        return False

    monkeypatch.setattr("kausa.commands.empty_memory.holds_nothing", holds_something)
    monkeypatch.setattr("kausa.commands.recall.START_SECONDS", 0.3)
    told = CliRunner().invoke(recall, ["why"])
    assert told.exit_code == 2
    check(told.stderr, command="kausa recall: ", url=away)
