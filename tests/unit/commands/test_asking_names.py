"""Who names an object is told of that object, or that it is not there; never of another instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.snapshots import BEGAN, crashing_pod, deployment, folder_of, listed, replica_set

from kausa.commands.ask import ask

LOG = "FATAL: variable REGION is not set\n"
SPIKES = (
    "2026-01-31T12:00:01Z INFO served\n" * 3
    + "2026-01-31T12:00:05Z ERROR rate limit of 100 exceeded by 10.0.50.123\n" * 9
)
HASH = "7c9d8b6f5"


def standing(name: str) -> list[dict[str, Any]]:
    """A Deployment, its ReplicaSet and a Pod that is well."""
    above = deployment(name)
    between = replica_set(f"{name}-{HASH}", of=above)
    pod = crashing_pod(f"{name}-{HASH}-k4k4k", owner=between)
    state = {"running": {"startedAt": BEGAN}}
    status = {"name": "api", "image": "a:1", "ready": True, "restartCount": 0, "state": state}
    pod["status"]["containerStatuses"] = [status]
    pod["status"]["conditions"][0]["status"] = "True"
    return [above, between, pod]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAUSA_MEMORY_ENABLED", "false")
    monkeypatch.setenv("KAUSA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KAUSA_MODEL_URL", raising=False)
    above, between, _ = standing("fatura")
    failing = crashing_pod(f"fatura-{HASH}-x2x4k", owner=between)
    objects = [above, between, failing, *standing("healthy"), *standing("slow")]
    logs = {
        f"shop/fatura-{HASH}-x2x4k/api.previous.log": LOG,
        f"shop/slow-{HASH}-k4k4k/api.log": SPIKES,
    }
    return folder_of(tmp_path / "case", *objects, logs=logs)


def run(*arguments: str | Path, given: bytes | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(ask, [*map(str, arguments)], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, " ".join(result.stdout.split()), result.stderr


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("is deployment/healthy ok?", "Deployment shop/healthy"),
        ("is deploy/shop/healthy ok?", "Deployment shop/healthy"),
        ("why is deployment/slow slow?", "Deployment shop/slow"),
        (f"what of pod/slow-{HASH}-k4k4k?", "Deployment shop/slow"),
        ("why does deployment/fatura crash?", "Deployment shop/fatura"),
        (f"why does pod fatura-{HASH}-x2x4k crash?", "Deployment shop/fatura"),
    ],
)
def test_a_kind_with_a_name_is_that_object_whatever_the_word(
    folder: Path, question: str, label: str
) -> None:
    code, said, _ = run(question, "--from", folder)
    assert code == 0
    assert said.startswith(label)
    assert ("REGION" in said) == ("fatura" in label)
    assert "Note:" not in said


@pytest.mark.parametrize(
    ("question", "name"),
    [
        (f"why does pod fatura-{HASH}-zzzzz crash?", f"Pod fatura-{HASH}-zzzzz"),
        (f"why does pod/fatura-{HASH}-zzzzz crash?", f"Pod fatura-{HASH}-zzzzz"),
        ("is service/fatura ok?", "Service fatura"),
        ("what of pod/fatura?", "Pod fatura"),
    ],
)
def test_that_an_object_is_not_there_is_said_before_anything_of_another(
    folder: Path, question: str, name: str
) -> None:
    code, said, _ = run(question, "--from", folder)
    assert code == 0
    about = "what follows is about Deployment shop/fatura."
    assert said.startswith(f"Note: There is no {name} in the files; {about}")


@pytest.mark.parametrize("question", ["is deployment/absent ok?", "why is sts/slow-db slow?"])
def test_of_what_is_not_there_no_other_is_shown(folder: Path, question: str) -> None:
    code, said, _ = run(question, "--from", folder)
    assert code == 1
    assert said.startswith("Note: There is no ")
    assert "REGION" not in said


@pytest.mark.parametrize(
    "question",
    ["what is broken with ingress/egress?", "is it up and/or down, yes/no?", "why pods/jobs fail?"],
)
def test_two_words_with_a_stroke_are_no_object(folder: Path, question: str) -> None:
    code, said, _ = run(question, "--from", folder)
    assert (code, said.startswith("Deployment shop/fatura")) == (0, True)


@pytest.mark.parametrize(
    "question", ["why is slow-app in shop-2 slow?", "why does slow-app return errors in shop-2?"]
)
def test_the_log_of_what_is_asked_about_is_read_though_nothing_fails(
    folder: Path, tmp_path: Path, question: str
) -> None:
    objects = standing("slow-app")
    for each in objects:
        each["metadata"]["namespace"] = "shop-2"
    logs = {f"shop-2/slow-app-{HASH}-k4k4k/api.log": SPIKES}
    code, said, _ = run(question, "--from", folder_of(tmp_path / "calm", *objects, logs=logs))
    assert code == 0
    assert "Nothing is known" not in said
    assert "Deployment shop-2/slow-app" in said
    assert "rate limit of 100 exceeded by 10.0.50.123" in said


def test_files_may_come_over_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = json.dumps(listed(crashing_pod("api-1"))).encode()
    code, said, _ = run("why does api-1 crash?", "--from", "-", given=given)
    assert code == 0
    assert "Pod shop/api-1" in said


@pytest.mark.parametrize(
    ("namespace", "why"),
    [("", "name a namespace, or leave -n out"), (" ", "leave -n out"), ("Bad Name", "can be no")],
)
def test_what_names_no_namespace_is_refused(folder: Path, namespace: str, why: str) -> None:
    code, _, said = run("what is broken?", "--from", folder, "-n", namespace)
    assert code == 2
    assert why in " ".join(said.split())
