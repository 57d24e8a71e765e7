"""`kausa diagnose` on a terminal: answers, exit codes, and sentences for what cannot be used."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import yaml
from click.testing import CliRunner
from support.snapshots import (
    BEGAN,
    crashing_pod,
    deployment,
    folder_of,
    listed,
    replica_set,
    thin_pod,
)

from kausa import cli
from kausa.cluster.snapshot import Snapshot
from kausa.diagnosis.decide import decide

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAUSA_REDACTION_KEY_PATH", str(tmp_path / "state" / "redaction.key"))


def run(*arguments: str | Path, given: bytes | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.main, ["diagnose", *map(str, arguments)], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def case(tmp_path: Path) -> Path:
    api = deployment("api")
    middle = replica_set("api-5d8f9c7b6d", of=api)
    return folder_of(
        tmp_path / "case",
        api,
        middle,
        crashing_pod("api-1", owner=middle),
        crashing_pod("twin"),
        crashing_pod("twin", namespace="front"),
        logs={"shop/api-1/api.previous.log": "FATAL: variable REGION is not set\n"},
    )


def refused(*arguments: str | Path) -> str:
    code, said, why = run(*arguments)
    assert (code, said) == (2, "")
    assert why.startswith("kausa diagnose: ")
    assert why.count("\n") == 1
    return why


def test_everything_that_fails_is_told_first_in_lines_then_in_full(case: Path) -> None:
    code, said, why = run("--from", case)
    assert why == ""
    assert said.startswith("3 failures, as of 2026-01-31 12:10:05 UTC:")
    assert "Deployment/api" in said
    assert "REGION" in said
    assert said.count("\nCAUSE\n") == 3
    assert code in (0, 3)


def test_one_target_is_told_in_full(case: Path) -> None:
    code, said, _ = run("--from", case, "--target", "deploy/shop/api")
    assert code == 0
    assert said.startswith("CAUSE\n")
    assert "REGION" in said
    assert run("--from", case, "--target", "deploy/api", "-n", "shop")[1] == said


def test_no_colours_go_into_a_pipe(case: Path) -> None:
    assert "\x1b" not in run("--from", case)[1]


def test_json_is_one_resource_for_a_target_and_a_list_without_one(case: Path) -> None:
    one = json.loads(run("--from", case, "--target", "deploy/api", "-o", "json")[1])
    assert (one["kind"], one["spec"]["target"]["name"]) == ("FailureDiagnosis", "api")
    many = json.loads(run("--from", case, "-o", "json")[1])
    assert many["kind"] == "List"
    assert len(many["items"]) == 3
    assert yaml.safe_load(run("--from", case, "-o", "yaml")[1])["kind"] == "List"


def test_nothing_that_fails_is_a_success(tmp_path: Path) -> None:
    pod = crashing_pod("a")
    pod["status"]["conditions"][0]["status"] = "True"
    running = {"ready": True, "restartCount": 0, "state": {"running": {"startedAt": BEGAN}}}
    pod["status"]["containerStatuses"][0] |= {**running, "lastState": {}}
    folder = folder_of(tmp_path / "well", pod)
    code, said, _ = run("--from", folder)
    assert (code, said[:21]) == (0, "Nothing fails in this")
    code, said, _ = run("--from", folder, "--target", "pod/a")
    assert (code, said[:7]) == (0, "HEALTHY")
    assert json.loads(run("--from", folder, "-o", "json")[1])["items"] == []


def test_a_cause_that_is_not_determined_has_an_exit_code_of_its_own(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "kausa.offline.diagnosing.decide",
        lambda each: dataclasses.replace(decide(each), determined=False),
    )
    assert run("--from", case)[0] == 3


def test_standard_input_is_read(case: Path) -> None:
    given = json.dumps(listed(crashing_pod("a"))).encode()
    code, said, _ = run("--from", "-", "--target", "pod/a", "-o", "json", given=given)
    assert json.loads(said)["spec"]["target"]["name"] == "a"
    assert code in (0, 3)


def test_the_clock_can_be_given(case: Path) -> None:
    _, said, _ = run("--from", case, "--now", "2026-01-31T13:00:00Z")
    assert "as of 2026-01-31 13:00:00 UTC" in said


@pytest.mark.parametrize(
    ("now", "why"), [("noon", "is no time"), ("2026-01-31T13:00:00", "has no time zone")]
)
def test_a_time_that_is_none_is_refused(case: Path, now: str, why: str) -> None:
    code, _, said = run("--from", case, "--now", now)
    assert code == 2
    assert why in said


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    assert "missing: there is no such file or folder" in refused("--from", tmp_path / "missing")


def test_an_empty_folder_is_said_to_hold_nothing(tmp_path: Path) -> None:
    assert "no object of Kubernetes" in refused("--from", tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("objects.json", '{"items": [', "objects.json: not JSON at line 1"),
        ("objects.yaml", "a: [", "objects.yaml: not YAML at line 2"),
        ("pods.json", "Error from server (Forbidden)", "Error from server (Forbidden)"),
        ("pods.yaml", "Error from server (Forbidden): pods is forbidden", "pods is forb"),
        ("objects.json", "", "objects.json is empty; did kubectl fail?"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, name: str, text: str, why: str) -> None:
    (tmp_path / name).write_text(text)
    assert why in refused("--from", tmp_path)


def test_a_target_that_is_not_there_is_answered_with_what_is_near(case: Path) -> None:
    assert "Did you mean Deployment/shop/api?" in refused("--from", case, "--target", "deploy/ap")
    assert "Deployment, Pod, ReplicaSet" in refused("--from", case, "--target", "wombat/api")


def test_a_target_that_is_two_is_answered_with_both(case: Path) -> None:
    said = refused("--from", case, "--target", "pod/twin")
    assert "Pod/front/twin, Pod/shop/twin" in said


def test_a_setting_that_cannot_be_used_is_named(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAUSA_QUEUE_SIZE", "many")
    assert "KAUSA_QUEUE_SIZE" in refused("--from", case)


def test_what_was_left_out_is_said_beside_the_answer(case: Path) -> None:
    odd = json.loads((case / "objects.json").read_text())
    odd["items"] += [3, thin_pod("odd", status={"containerStatuses": "none"})]
    (case / "objects.json").write_text(json.dumps(odd))
    _, said, why = run("--from", case)
    assert "3 failures" in said
    assert "1 of what the files hold are no objects" in why
    assert "1 objects have fields that Kubernetes does not send" in why


def test_a_namespace_chooses_what_is_told(case: Path) -> None:
    code, said, _ = run("--from", case, "-n", "front")
    assert code == 3
    assert "1 failure" in said
    assert "front" in said
    assert "Deployment/api" not in said


def test_an_unknown_namespace_is_refused_with_those_that_there_are(case: Path) -> None:
    assert "namespace frnt" in (why := refused("--from", case, "-n", "frnt"))
    assert "Did you mean front? In it are: front, shop." in why


def test_two_sources_are_refused(case: Path) -> None:
    code, said, why = run("--from", case, "--from", case)
    assert (code, said) == (2, "")
    assert "given 2 times" in why


def test_a_log_that_is_not_there_is_asked_for_with_its_command(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "case", crashing_pod("twin"))
    code, said, _ = run("--from", folder)
    assert code == 3
    advice = said.partition("WHAT TO DO")[2].partition("EVIDENCE")[0]
    assert "kubectl -n shop logs twin -c api --previous" in advice
    assert "container runtime does not have it" not in said


def test_a_suspended_cron_job_is_a_note_and_no_failure(tmp_path: Path) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": "shop", "creationTimestamp": BEGAN},
        "spec": {"schedule": "0 3 * * *", "suspend": True},
    }
    code, said, _ = run("--from", folder_of(tmp_path / "case", job))
    assert code == 0
    assert said.startswith("Nothing fails in this snapshot")
    assert "Note: CronJob shop/nightly is suspended" in said


def test_a_folder_that_may_not_be_read_is_told_in_words(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> Snapshot:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr("kausa.commands.snapshot_files.load_snapshot", denied)
    said = refused("--from", case)
    assert f"{case} cannot be read, so nothing was diagnosed: permission denied. Run it as" in said


def test_a_log_that_may_not_be_read_is_a_gap_in_words(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> BinaryIO:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr("kausa.cluster.snapshot.logs._opened", denied)
    for output in ("text", "json"):
        _, said, _ = run("--from", case, "--target", "deploy/shop/api", "-o", output)
        assert "Errno" not in said
        assert "permission denied" in " ".join(said.split())
