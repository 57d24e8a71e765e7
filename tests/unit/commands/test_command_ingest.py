"""Folders are taken into the memory once, whole, without secrets, and what is not is said."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.ingested import DEPLOYMENT, TOKEN, FakeMemory, taken, why, write

from kausa.commands.ingest import ingest
from kausa.commands.ingest_files import FileKind, Found, LeftOut, walk
from kausa.commands.ingest_report import FAILURES, Report
from kausa.errors import KausaError

CASES = Path(__file__).parents[2] / "cases"
RUNBOOK = f"""---
title: Registry away
reasons: [ErrImagePull]
---
# Do
Use {TOKEN} and call us.
"""


async def test_markdown_is_taken_as_runbooks_that_apply_everywhere(tmp_path: Path) -> None:
    write(tmp_path, "teams/registry.md", RUNBOOK)
    memory = FakeMemory()
    report = await taken(tmp_path, memory)
    (chunk,) = memory.kept["file:ours/teams/registry.md"]
    assert (chunk.title, chunk.namespace, chunk.reasons) == (
        "Registry away",
        None,
        ("ErrImagePull",),
    )
    assert TOKEN not in chunk.text
    assert report.new == {FileKind.RUNBOOK: 1}
    assert report.complete


async def test_taking_the_same_folder_again_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, "registry.md", RUNBOOK)
    write(tmp_path, "api.log", "ERROR no route\n")
    write(tmp_path, "api.yaml", DEPLOYMENT)
    memory = FakeMemory()
    first = await taken(tmp_path, memory, namespace="shop")
    writes, kept = memory.writes, dict(memory.kept)
    again = await taken(tmp_path, memory, namespace="shop")
    assert (memory.writes, memory.kept) == (writes, kept)
    assert not again.new
    assert again.known == first.new


async def test_of_a_log_its_troubles_and_its_end_are_taken_by_entries(tmp_path: Path) -> None:
    trace = "ERROR boom\nTraceback (most recent call last):\n  File x, line 1\nValueError: bad\n"
    whole = "".join(f"INFO step {number}\n" for number in range(3000)) + trace
    write(tmp_path, "api.log.gz", gzip.compress(whole.encode()))
    memory = FakeMemory()
    report = await taken(tmp_path, memory, namespace="shop")
    chunks = memory.kept["file:ours@shop/api.log.gz"]
    assert {each.namespace for each in chunks} == {"shop"}
    assert chunks[0].headings == ("Errors and warnings",)
    assert "ValueError: bad" in chunks[0].text
    assert chunks[-1].headings == ("The end",)
    assert len(chunks) < 60
    assert report.new == {FileKind.LOG: 1}


async def test_what_people_write_is_taken_and_what_controllers_make_of_it_is_not(
    tmp_path: Path,
) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n"
    secret += f"stringData: {{token: {TOKEN}}}\n"
    write(tmp_path, "all.yaml", f"{DEPLOYMENT}---\n{secret}")
    memory = FakeMemory()
    await taken(tmp_path, memory)
    chunks = memory.kept["file:ours/all.yaml#manifests/shop"]
    assert [each.headings for each in chunks] == [("Deployment api",)]
    assert chunks[0].last_seen.year > 2000
    assert "replicas: 3" in chunks[0].text
    assert "replicas: 7" not in chunks[0].text
    assert TOKEN not in repr(memory.kept)


async def test_events_are_taken_by_the_object_that_they_are_about(tmp_path: Path) -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e1", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": "api-1", "namespace": "shop"},
        "type": "Warning",
        "reason": "FailedMount",
        "message": f"mount failed with {TOKEN}",
        "count": 4,
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    write(tmp_path, "events.json", json.dumps({"kind": "List", "items": [event]}))
    memory = FakeMemory()
    await taken(tmp_path, memory)
    (chunk,) = memory.kept["file:ours/events.json#events/shop"]
    assert chunk.headings == ("Events of Pod api-1",)
    assert "FailedMount (4 times): mount failed" in chunk.text
    assert TOKEN not in chunk.text


async def test_what_fails_in_a_recording_is_remembered_once(tmp_path: Path) -> None:
    memory = FakeMemory()
    report = await taken(CASES / "memory-limit-reached", memory)
    assert report.new[FAILURES] == 1
    (record,) = memory.failures.values()
    assert (record.category, record.outcome) == ("OOMKilled", "Superseded")
    assert record.cause
    again = await taken(CASES / "memory-limit-reached", memory)
    assert (again.new[FAILURES], again.known[FAILURES]) == (0, 1)


async def test_what_the_operator_keeps_of_a_failure_is_not_written_over(tmp_path: Path) -> None:
    memory = FakeMemory()
    await taken(CASES / "memory-limit-reached", memory)
    ((record_id, record),) = memory.failures.items()
    memory.failures[record_id] = kept = record.__class__(
        **{each: getattr(record, each) for each in record.__dataclass_fields__}
        | {"outcome": "Open"}
    )
    await taken(CASES / "memory-limit-reached", memory)
    assert memory.failures[record_id] is kept


async def test_what_nobody_can_tell_the_namespace_of_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "api.log", "ERROR no\n")
    write(tmp_path, "node.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n")
    memory = FakeMemory()
    report = await taken(tmp_path, memory)
    assert memory.kept == {}
    assert "--namespace" in why(report)["api.log"]
    assert why(report)["node.yaml"].startswith("Node n1: ")


async def test_a_log_of_a_recording_is_of_the_namespace_in_its_path(tmp_path: Path) -> None:
    write(tmp_path, "objects.yaml", DEPLOYMENT)
    write(tmp_path, "logs/shop/api-1/api.log", "ERROR no\n")
    memory = FakeMemory()
    await taken(tmp_path, memory)
    assert memory.kept["file:ours/logs/shop/api-1/api.log"][0].namespace == "shop"


async def test_each_file_that_cannot_be_used_is_named_and_the_others_are_taken(
    tmp_path: Path,
) -> None:
    write(tmp_path, "good.md", "Call us.\n")
    write(tmp_path, "pattern.md", "---\nmessagePattern: '(a)\\1'\n---\nCall us.\n")
    write(tmp_path, "category.md", "---\ncategories: [Sometimes]\n---\nCall us.\n")
    write(tmp_path, "binary.md", b"\xff\xfe\xfa\x00")
    write(tmp_path, "huge.md", b"x" * (1024 * 1024 + 1))
    write(tmp_path, "blank.md", " \n")
    write(tmp_path, "broken.yaml", "a: [\n")
    write(tmp_path, "zeros.log", b"a\0b\n")
    write(tmp_path, "cut.log.gz", gzip.compress(b"x" * 9999)[:20])
    write(tmp_path, "picture.png", b"x")
    memory = FakeMemory()
    report = await taken(tmp_path, memory, namespace="shop")
    assert set(memory.kept) == {"file:ours@shop/good.md"}
    reasons = why(report)
    for name, said in {
        "pattern.md": "back references",
        "category.md": "categories.0",
        "binary.md": "no text",
        "huge.md": "larger than 1024 KiB",
        "blank.md": "says nothing",
        "broken.yaml": "not YAML",
        "zeros.log": "zero bytes",
        "cut.log.gz": "cannot be read",
        "picture.png": "neither Markdown",
    }.items():
        assert said in reasons[name], name
    assert not report.complete


async def test_nothing_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    write(tmp_path, "outside.md", "Call us.\n")
    write(inside, "good.md", "Call us.\n")
    write(inside, ".hidden.md", "Call us.\n")
    (inside / "link.md").symlink_to(tmp_path / "outside.md")
    os.mkfifo(inside / "pipe.md")
    found = {each.name: each for each in walk(inside)}
    assert set(found) == {"good.md", "link.md", "pipe.md"}
    assert isinstance(found["link.md"], LeftOut)
    assert isinstance(found["pipe.md"], LeftOut)


def test_what_lies_too_deep_is_left_out_and_said(tmp_path: Path) -> None:
    write(tmp_path, "1/2/3/4/5/6/7/8/good.md", "x\n")
    write(tmp_path, "1/2/3/4/5/6/7/8/9/deep.md", "x\n")
    found = {each.name: type(each) for each in walk(tmp_path)}
    assert found == {"1/2/3/4/5/6/7/8/good.md": Found, "1/2/3/4/5/6/7/8/9/": LeftOut}


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kausa.commands.ingest_files.MOST_FILES", 2)
    for number in range(3):
        write(tmp_path, f"{number}.md", "x\n")
    with pytest.raises(KausaError, match="more than 2 files"):
        list(walk(tmp_path))


@pytest.mark.parametrize("what", ["missing", "file"])
def test_what_is_no_folder_is_refused_before_anything_is_begun(tmp_path: Path, what: str) -> None:
    write(tmp_path, "file", "x")
    result = CliRunner().invoke(ingest, [str(tmp_path / what)])
    assert result.exit_code == 2
    assert "folder" in result.output


def test_one_name_cannot_name_several_folders(tmp_path: Path) -> None:
    result = CliRunner().invoke(ingest, [str(tmp_path), str(tmp_path), "--name", "x"])
    assert result.exit_code == 2
    assert "names one folder" in result.output


def test_the_report_tells_kinds_counts_and_what_was_left_out() -> None:
    report = Report()
    report.new[FileKind.RUNBOOK] = 2
    report.known[FileKind.RUNBOOK] = 1
    report.passages[FileKind.RUNBOOK] = 12
    report.left_out.append(LeftOut("x.png", "neither Markdown, nor a log"))
    text = "\n".join(report.lines())
    assert "3 taken: 2 new, 1 known already, 12 passages" in text
    assert "x.png: neither Markdown" in text


def test_nothing_to_take_and_nothing_to_remove_is_said() -> None:
    result = CliRunner().invoke(ingest, [])
    assert result.exit_code == 2
    assert "--remove" in result.output
