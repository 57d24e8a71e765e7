"""A folder taken again: what is no more in it goes, and what may not stay, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from support.ingested import DEPLOYMENT, TOKEN, FakeMemory, taken, why, write

from kausa.commands.ingesting import Ingestion, Options
from kausa.evidence.redaction import Redactor


async def test_what_is_no_more_in_a_folder_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("stays.md", "goes.md", "deep/goes.log"):
        write(tmp_path, name, "# Look\nERROR here\n")
    memory = FakeMemory()
    await taken(tmp_path, memory, namespace="shop")
    await taken(tmp_path, memory, namespace="shop", name="others")
    (tmp_path / "goes.md").unlink()
    (tmp_path / "deep" / "goes.log").unlink()
    report = await taken(tmp_path, memory, namespace="shop")
    others = {f"file:others@shop/{name}" for name in ("stays.md", "goes.md", "deep/goes.log")}
    assert memory.kept.keys() == {"file:ours@shop/stays.md", *others}
    assert report.removed == 2
    assert "removed" in "\n".join(report.lines())


async def test_two_teams_may_call_their_folders_the_same(tmp_path: Path) -> None:
    write(tmp_path / "pay", "app.log", "ERROR alpha\n")
    write(tmp_path / "shop", "app.log", "ERROR beta\n")
    memory = FakeMemory()
    await taken(tmp_path / "pay", memory, namespace="pay")
    report = await taken(tmp_path / "shop", memory, namespace="shop")
    assert report.removed == 0
    whose = {source: chunks[0].namespace for source, chunks in memory.kept.items()}
    assert whose == {"file:ours@pay/app.log": "pay", "file:ours@shop/app.log": "shop"}


async def test_what_cannot_be_read_now_stays_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "# Look\nHere.\n")
    write(tmp_path, "b.md", "# Look\nHere.\n")
    write(tmp_path, "api.yaml", DEPLOYMENT)
    memory = FakeMemory()
    await taken(tmp_path, memory)
    known = set(memory.kept)
    write(tmp_path, "a.md", b"\xff\xfe")
    write(tmp_path, "api.yaml", "a: [")
    report = await taken(tmp_path, memory)
    assert (set(memory.kept), report.removed) == (known, 0)


async def test_another_folder_of_the_same_name_removes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "one", "a.md", "# Look\nHere.\n")
    write(tmp_path / "two", "b.md", "# Look\nThere.\n")
    memory = FakeMemory()
    await taken(tmp_path / "one", memory)
    report = await taken(tmp_path / "two", memory)
    assert memory.kept.keys() == {"file:ours/a.md", "file:ours/b.md"}
    assert "--remove" in why(report)["ours"]


async def test_two_folders_of_one_name_in_one_run_are_one(tmp_path: Path) -> None:
    write(tmp_path / "one", "a.md", "# Look\nHere.\n")
    write(tmp_path / "two", "b.md", "# Look\nThere.\n")
    memory = FakeMemory()
    for _ in range(2):
        report = await taken(tmp_path / "one", memory, also=tmp_path / "two")
    assert memory.kept.keys() == {"file:ours/a.md", "file:ours/b.md"}
    assert not report.left_out


async def test_a_runbook_that_must_be_withheld_goes(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "# Look\nHere.\n")
    write(tmp_path, "b.md", "# Look\nHere.\n")
    memory = FakeMemory()
    await taken(tmp_path, memory)
    write(tmp_path, "a.md", f"---\nreasons: [{TOKEN}]\n---\n# Look\n")
    report = await taken(tmp_path, memory)
    assert memory.kept.keys() == {"file:ours/b.md"}
    assert "looks like a secret" in why(report)["a.md"]


async def test_a_folder_is_removed_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "# Look\nHere.\n")
    memory = FakeMemory()
    await taken(tmp_path, memory)
    await taken(tmp_path, memory, name="ours-too")
    ingestion = Ingestion(
        memory=memory, redactor=Redactor(key=b"k" * 32), options=Options(cluster="c1")
    )
    await ingestion.remove("ours")
    assert memory.kept.keys() == {"file:ours-too/a.md"}
    assert ingestion.report.removed == 1


async def test_no_secret_in_a_name_or_a_heading_reaches_the_memory(tmp_path: Path) -> None:
    write(tmp_path, f"{TOKEN}/{TOKEN}.md", "# Look\nHere.\n")
    write(tmp_path, f"{TOKEN}.log", "ERROR here\n")
    named = DEPLOYMENT.replace("name: api", f"name: {TOKEN}")
    write(tmp_path, f"deep/{TOKEN}.yaml", named)
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": TOKEN, "namespace": "shop"},
        "reason": "Failed",
        "message": "it failed",
    }
    write(tmp_path, "event.json", json.dumps(event))
    memory = FakeMemory()
    report = await taken(tmp_path, memory, namespace="shop")
    assert sum(report.new.values()) == 4, report.left_out
    assert TOKEN not in repr(memory.kept)
    known = set(memory.kept)
    again = await taken(tmp_path, memory, namespace="shop")
    assert (set(memory.kept), again.removed) == (known, 0)
