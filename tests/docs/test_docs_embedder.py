"""The commands with which the page of the embedder shows its worker, typed as they stand."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from docs.pages import ROOT, Block, blocks_run_by, commands_of
from docs.running import type_in
from support.embedder_process import free_port
from support.operator_process import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

THIS = Path(__file__).relative_to(ROOT).as_posix()


def block() -> Block:
    """The one block whose page names this test."""
    (found,) = blocks_run_by(THIS)
    return found


def test_the_worker_answers_what_its_page_asks(tmp_path: Path) -> None:
    serve, *asked = commands_of(block())
    port = str(free_port())
    serve, *asked = (re.sub(r"\b8080\b", port, each) for each in (serve, *asked))
    log = (tmp_path / "log").open("w")
    with (
        log,
        subprocess.Popen(
            ["bash", "-c", f"exec {serve}"], cwd=ROOT, env=os.environ, stdout=log, stderr=log
        ) as worker,
    ):
        try:
            ready = f"curl -sf localhost:{port}/readyz"
            wait_for(
                lambda: (
                    subprocess.run(ready.split(), check=False, capture_output=True).returncode == 0
                ),
                what="the worker to be ready",
                seconds=60,
            )
            answers = [json.loads(type_in(each, folder=ROOT)) for each in asked]
        finally:
            worker.terminate()
            worker.wait(30)
    information, vectors, ranked = answers
    assert information["dimensions"] == len(vectors["data"][0]["embedding"])
    assert ranked["results"][0]["index"] == 0, "out of memory is OOMKilled"
