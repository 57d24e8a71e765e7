"""What the chart has containers do is done here, by the command and variables that it renders."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from chart.rendering import CHART, Rendered, environment
from pydantic import SecretStr
from support.qdrant_shim import running_shim
from support.store_contract import SCHEMA, SECONDS, point, write

from kausa.memory.server import ServerSettings, connect

pytestmark = [pytest.mark.chart, pytest.mark.timeout(120)]

KEY = "".join(("not", "-a-", "secret"))


def run(*command: str, told: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A program with these variables and no others."""
    return subprocess.run(
        command, env=told, capture_output=True, text=True, timeout=100, check=False
    )


async def ended(*command: str, told: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The same in a thread: who answers it is in this loop."""
    return await asyncio.to_thread(run, *command, told=told)


# -- backups ---------------------------------------------------------------------------------------


async def test_the_backup_job_backs_a_server_up(
    render: Callable[..., Rendered], tmp_path: Path
) -> None:
    async with running_shim(api_key=KEY) as shim:
        store = connect(ServerSettings(url=shim.url, api_key=SecretStr(KEY)))
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        await write(store, [point(number, cluster="prod-eu") for number in range(7)])
        values = {
            "clusterName": "prod-eu",
            "memory": {
                "mode": "external",
                "external": {"url": shim.url, "existingSecret": {"name": "qdrant"}},
            },
            "backup": {"enabled": True},
        }
        job = render(values).one("CronJob", "kausa-backup")["spec"]["jobTemplate"]["spec"]
        (container,) = job["template"]["spec"]["initContainers"]
        from_cluster = {"JOB_NAME": "kausa-backup-29384", "KAUSA_MEMORY_API_KEY": KEY}
        variables = environment(container)
        told = {
            name: value if isinstance(value, str) else from_cluster[name]
            for name, value in variables.items()
        }
        arguments = [
            # The kubelet puts the variables in.
            each.replace("$(JOB_NAME)", told["JOB_NAME"]).replace("/backups", str(tmp_path))
            for each in container["args"]
        ]
        done = await ended(
            sys.executable, "-m", "kausa", *arguments, told={**told, "HOME": str(tmp_path)}
        )
        await store.close()
    assert done.returncode == 0, done.stderr
    assert "7 passages" in done.stdout
    assert "checked by putting it back" in done.stdout
    assert list((tmp_path / "kausa-backup-29384").iterdir())


def test_old_backups_go_and_nothing_else(tmp_path: Path) -> None:
    jobs = [f"kausa-backup-{number}" for number in (8, 9, 10, 100)]
    others = ["kausa-backup-by-hand", ".kausa-backup-7", "kausa-backup-7-old", "lost+found"]
    for name in (*jobs, *others):
        (tmp_path / name / "failures").mkdir(parents=True)
    (tmp_path / "kausa-backup-1").symlink_to(tmp_path / "lost+found")
    text = (CHART / "files" / "keep_backups.py").read_text()
    command = (sys.executable, "-c", text, str(tmp_path), "kausa-backup")
    done = run(*command, "2", told={})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("removed") == 2
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*jobs[2:], *others, "kausa-backup-1"}
    again = run(*command, "14", told={})
    assert (again.returncode, again.stdout) == (0, "")


# -- helm test -------------------------------------------------------------------------------------


@pytest.fixture
async def answering() -> AsyncIterator[str]:
    """An address below which /readyz is well, /slow after a while, and /broken never."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/readyz" or asked.count("/slow") > 2:
            return web.Response(text="ok\n")
        return web.Response(text="not listed yet: pods\n", status=503)

    application = web.Application()
    application.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def script(*, patience: float) -> str:
    text = (CHART / "files" / "ask_release.py").read_text()
    impatient = text.replace("PATIENCE_SECONDS = 45.0", f"PATIENCE_SECONDS = {patience}")
    assert impatient != text
    return impatient


async def test_a_release_that_gets_ready_passes(answering: str) -> None:
    command = (sys.executable, "-c", script(patience=30.0))
    done = await ended(*command, f"{answering}/readyz", f"{answering}/slow", told={})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{answering}/readyz: ok", f"{answering}/slow: ok"]


async def test_a_release_that_is_not_ready_fails_and_says_why(answering: str) -> None:
    command = (sys.executable, "-c", script(patience=0.1))
    nowhere = "http://127.0.0.1:9/readyz"
    done = await ended(*command, f"{answering}/broken", nowhere, told={})
    assert done.returncode == 1
    broken, away = done.stdout.splitlines()
    assert broken == f"{answering}/broken: answered 503: not listed yet: pods"
    assert away.startswith(f"{nowhere}: did not answer: ")
