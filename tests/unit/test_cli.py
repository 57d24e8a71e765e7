"""The command line says in one sentence what it cannot use, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kausa import __version__, cli
from kausa.cluster.errors import LeadershipLostError, LeaseForbiddenError
from kausa.commands import run as run_command
from kausa.controller.errors import AccessRefusedError, MissingResourceDefinitionsError
from kausa.errors import KausaError


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(
        "current-context: c\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
        "users: [{name: u, user: {}}]\n"
    )
    return path


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.main, ["run", *arguments], env=environment)
    return result.exit_code, result.output


def test_the_version_is_told() -> None:
    assert __version__ in CliRunner().invoke(cli.main, ["--version"]).output


def test_a_setting_that_cannot_be_used_is_named(kubeconfig: Path) -> None:
    code, said = run("--kubeconfig", str(kubeconfig), KAUSA_QUEUE_SIZE="many")
    assert code == 2
    assert "KAUSA_QUEUE_SIZE" in said
    assert said.count("\n") == 1


def test_no_cluster_at_all_says_what_to_name(tmp_path: Path) -> None:
    code, said = run(HOME=str(tmp_path), KUBECONFIG="", KUBERNETES_SERVICE_HOST="")
    assert code == 2
    assert "--kubeconfig" in said


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MissingResourceDefinitionsError("https://x"), 3),
        (AccessRefusedError(server="https://x", origin="context c", why="Unauthorized"), 4),
        (LeaseForbiddenError("leases is forbidden: may not update", status=403), 4),
        (LeadershipLostError("another operator holds the Lease"), 5),
        (KausaError("something else"), 1),
    ],
)
def test_every_error_of_ours_ends_in_a_sentence_and_its_exit_code(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, error: KausaError, code: int
) -> None:
    async def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(run_command, "run_operator", fail)
    exit_code, said = run("--kubeconfig", str(kubeconfig))
    assert exit_code == code
    assert said == f"kausa: {error}\n"


def test_an_error_of_one_of_many_tasks_ends_in_its_own_sentence_and_exit_code(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = LeadershipLostError("another operator holds the Lease")

    async def fail(**_: Any) -> None:
        raise ExceptionGroup("tasks", [ExceptionGroup("streams", [lost])])

    monkeypatch.setattr(run_command, "run_operator", fail)
    assert run("--kubeconfig", str(kubeconfig)) == (5, f"kausa: {lost}\n")


@pytest.fixture
def never_started(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(**_: Any) -> None:
        raise AssertionError("it was started")

    monkeypatch.setattr(run_command, "run_operator", fail)


@pytest.mark.usefixtures("never_started")
@pytest.mark.parametrize(
    ("name", "value"),
    [("KAUSA_MODEL_CA_FILE", "/absent/ca.crt"), ("KAUSA_MODEL_TOKENS_PER_HOUR", "9000")],
)
def test_a_model_that_could_never_be_asked_is_told_before_anything_is_started(
    kubeconfig: Path, name: str, value: str
) -> None:
    given = {"KAUSA_MODEL_URL": "https://model.example", name: value}
    code, said = run("--kubeconfig", str(kubeconfig), **given)
    assert code == 2
    assert name in said
    assert said.count("\n") == 1


def test_a_variable_that_is_no_setting_is_told_in_one_line_of_the_log(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def end(**_: Any) -> None:
        pass

    monkeypatch.setattr(run_command, "run_operator", end)
    given = {"KAUSA_MODEL_URI": "https://sk-very-secret", "KAUSA_SERVICE_HOST": "10.96.0.12"}
    code, said = run("--kubeconfig", str(kubeconfig), "--log-format", "json", **given)
    assert code == 0
    (line,) = (json.loads(each) for each in said.splitlines())
    assert line["level"] == "warning"
    assert line["event"] == "Ignored variables of the environment"
    assert line["why"].startswith("KAUSA_MODEL_URI (did you mean KAUSA_MODEL_URL?) is no setting")
    assert "sk-very-secret" not in said


def test_what_the_command_line_says_comes_before_the_environment(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    async def remember(**arguments: Any) -> None:
        given.update(arguments)

    monkeypatch.setattr(run_command, "run_operator", remember)
    code, _ = run(
        "--kubeconfig", str(kubeconfig), "-n", "shop", "--no-memory", KAUSA_NAMESPACE="other"
    )
    assert code == 0
    assert given["settings"].namespace == "shop"
    assert given["settings"].memory_enabled is False
    assert given["credentials"].server == "http://127.0.0.1:9"
