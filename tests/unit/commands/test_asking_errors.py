"""A cluster that cannot be asked is told with why and with what to do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner
from support.fake_api_server import FakeApiServer

from kausa.commands.ask import ask

EMPTY: dict[str, Any] = {"metadata": {}, "items": []}


def status(reason: str, message: str) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "reason": reason, "message": message}


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAUSA_MEMORY_ENABLED", "false")
    monkeypatch.delenv("KAUSA_MODEL_URL", raising=False)
    monkeypatch.delenv("KAUSA_NAMESPACE", raising=False)


def kubeconfig(folder: Path, server: str) -> Path:
    path = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "x"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


async def run(server: str, folder: Path, *arguments: str) -> tuple[int, str]:
    config = str(kubeconfig(folder, server))
    given = ["what is broken?", "--kubeconfig", config, *arguments]
    result = await asyncio.to_thread(CliRunner().invoke, ask, given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        (
            status("NotFound", "404 page not found"),
            404,
            ("does not know FailureDiagnosis", "kubectl apply --server-side -f crds/"),
        ),
        (
            status("Unauthorized", "Unauthorized"),
            401,
            ("log in again, or name other credentials", "Unauthorized"),
        ),
        (
            status("Forbidden", "cannot list resource failurediagnoses"),
            403,
            ("may not read", "cannot list resource failurediagnoses", "(-n)"),
        ),
    ],
)
async def test_what_the_cluster_refuses_is_told_with_what_to_do(
    tmp_path: Path, document: dict[str, Any], code: int, words: tuple[str, ...]
) -> None:
    async with FakeApiServer() as server:
        server.answers(document, code=code)
        found, said = await run(server.credentials.server, tmp_path)
    assert found == 2
    assert all(each in said for each in words), said


async def test_a_server_that_is_dead_is_told_plainly(tmp_path: Path) -> None:
    code, said = await run("http://127.0.0.1:9", tmp_path)
    assert code == 2
    assert "does not answer (connection refused), so nothing was read" in said
    assert "Errno" not in said
    assert "--from FILES" in said


@pytest.mark.parametrize(("there", "code"), [(False, 2), (True, 1)])
async def test_a_namespace_that_does_not_exist_is_no_namespace_without_failures(
    tmp_path: Path, there: bool, code: int
) -> None:
    missing = status("NotFound", 'namespaces "nons" not found')
    missing["details"] = {"kind": "namespaces", "name": "nons"}

    def choose(request: web.Request) -> tuple[Any, int]:
        if request.path.endswith("/api/v1/namespaces/nons"):
            return ({"metadata": {"name": "nons"}}, 200) if there else (missing, 404)
        return EMPTY, 200

    async with FakeApiServer() as server:
        server.answers_by(choose)
        found, said = await run(server.credentials.server, tmp_path, "-n", "nons")
    assert found == code
    assert ("There is no namespace nons in the cluster" in said) is not there


async def test_who_may_not_read_namespaces_may_ask_about_one(tmp_path: Path) -> None:
    def choose(request: web.Request) -> tuple[Any, int]:
        if request.path.endswith("/api/v1/namespaces/shop"):
            return status("Forbidden", "cannot get namespaces"), 403
        return EMPTY, 200

    async with FakeApiServer() as server:
        server.answers_by(choose)
        code, _ = await run(server.credentials.server, tmp_path, "-n", "shop")
    assert code == 1
