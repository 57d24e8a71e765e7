"""Whoever fetches a model sees that it goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from kausa_embedder import loading
from kausa_embedder.cli import main
from kausa_embedder.errors import ModelMissingError
from kausa_embedder.fetching import Progress
from kausa_embedder.models import ModelSpec
from kausa_embedder.service.fetching_log import FetchingLog
from kausa_embedder.service.server import serve
from kausa_embedder.settings import Settings


def test_a_file_has_a_line_at_its_begin_every_few_seconds_and_at_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = iter(range(100))
    log = FetchingLog(now=lambda: float(next(clock)))
    with caplog.at_level(logging.INFO):
        for done in range(1, 13):
            log.report(Progress(file="model.onnx", done_bytes=done << 20, total_bytes=12 << 20))
        log.report(Progress(file="tokenizer.json", done_bytes=1 << 20, total_bytes=0))
    assert len(caplog.records) == 5, "at 0, 5, 10 and 11 seconds, and the next file"


async def test_both_commands_tell_how_far_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch(spec: ModelSpec, folder: Path, *, report: Callable[[Progress], None]) -> None:
        report(Progress(file=f"of {spec.name}", done_bytes=0, total_bytes=0))
        raise ModelMissingError("cut")

    monkeypatch.setattr(loading, "fetch", fetch)
    monkeypatch.setenv("KAUSA_EMBEDDER_CACHE", str(tmp_path))
    monkeypatch.setenv("KAUSA_EMBEDDER_DOWNLOAD", "true")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert await asyncio.to_thread(main, ["fetch", "--model", "cpu"]) == 1
    with pytest.raises(ModelMissingError):
        await serve(Settings(model="cpu", port=0, host="127.0.0.1"), stops=asyncio.Queue())
    assert capsys.readouterr().err.count('"file": "of ') == 2
