"""Fetching from a server of our own, which cuts, forgets and lies as networks do."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kausa_embedder.errors import ChecksumError, ModelMissingError
from kausa_embedder.fetching import ATTEMPTS, Progress, fetch
from kausa_embedder.models import ModelFile, ModelSpec

CONTENT = bytes(range(256)) * 512


@dataclass
class Server:
    url: str = ""
    content: bytes = CONTENT
    cut_at: list[int] = field(default_factory=list)
    """Of each of the next replies: after how many bytes the connection ends."""
    codes: list[int] = field(default_factory=list)
    """Answered to the next requests instead."""
    ranges_known: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            state.requests.append((self.path, wanted))
            start = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
            code = state.codes.pop(0) if state.codes else 200
            if code != 200 or start > len(state.content):
                self.send_error(code if code != 200 else 416)
                return
            start = start if state.ranges_known else 0
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.cut_at.pop(0) if state.cut_at else None])

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


def spec() -> ModelSpec:
    digest = sha256(CONTENT).hexdigest()
    return ModelSpec(
        name="m", folder="m", backend="onnx", max_tokens=8, pooling="cls", licence="MIT",
        repository="someone/model", revision="abc",
        files=(ModelFile(name="model.onnx", path="onnx/q.onnx", sha256=digest),),
    )  # fmt: skip


def bring(server: Server, folder: Path, **others: Any) -> list[str]:
    return fetch(spec(), folder, hub=server.url, sleep=lambda seconds: None, **others)


def test_a_model_is_fetched_once_and_its_progress_told(server: Server, tmp_path: Path) -> None:
    told: list[Progress] = []
    assert bring(server, tmp_path / "m", report=told.append) == ["model.onnx"]
    assert bring(server, tmp_path / "m") == []
    assert (tmp_path / "m/model.onnx").read_bytes() == CONTENT
    assert server.requests == [("/someone/model/resolve/abc/onnx/q.onnx", "")]
    assert told[-1] == Progress(
        file="model.onnx", done_bytes=len(CONTENT), total_bytes=len(CONTENT)
    )
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["model.onnx"]


def test_a_download_that_was_cut_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.cut_at = [1000, 5000]
    bring(server, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.requests] == ["", "bytes=1000-", "bytes=6000-"]


def test_a_fetch_that_was_killed_is_resumed_by_the_next(server: Server, tmp_path: Path) -> None:
    server.cut_at = [1000] + [0] * (ATTEMPTS - 1)
    with pytest.raises(ModelMissingError, match="cut off after 1000"):
        bring(server, tmp_path)
    assert not (tmp_path / "model.onnx").exists()
    server.requests.clear()
    bring(server, tmp_path)
    assert server.requests[0][1] == "bytes=1000-"
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT


def test_two_workers_that_share_a_volume_do_not_write_into_one_file(
    server: Server, tmp_path: Path
) -> None:
    server.cut_at = [1000]
    other: list[list[str]] = []

    def while_the_first_waits(_: float) -> None:
        if not other:
            other.append([])
            other[0] = bring(server, tmp_path)

    assert fetch(spec(), tmp_path, hub=server.url, sleep=while_the_first_waits) == ["model.onnx"]
    assert other == [["model.onnx"]]
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.requests] == ["", "", "bytes=1000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_where_no_locks_are_known_a_file_is_fetched_all_the_same(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr("kausa_embedder.fetching.fcntl.flock", refuse)
    server.cut_at = [1000]
    assert bring(server, tmp_path) == ["model.onnx"]
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_what_a_killed_worker_wrote_on_its_own_is_removed_a_day_later(
    server: Server, tmp_path: Path
) -> None:
    digest = sha256(CONTENT).hexdigest()[:12]
    old, new = (tmp_path / f"model.onnx.part.{digest}.{each}" for each in ("old", "new"))
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (1, 1))
    bring(server, tmp_path)
    assert new.exists()
    assert not old.exists()


def test_a_server_without_ranges_is_read_from_the_beginning(server: Server, tmp_path: Path) -> None:
    server.ranges_known, server.cut_at = False, [1000]
    bring(server, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT


def test_other_bytes_than_the_pinned_ones_are_thrown_away(server: Server, tmp_path: Path) -> None:
    server.content = b"x" * len(CONTENT)
    with pytest.raises(ChecksumError, match="thrown away"):
        bring(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"half")
    assert bring(server, tmp_path) == ["model.onnx"]


def test_a_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not(
    server: Server, tmp_path: Path
) -> None:
    server.codes = [503, 429]
    assert bring(server, tmp_path / "a") == ["model.onnx"]
    server.requests.clear()
    server.codes = [404]
    with pytest.raises(ModelMissingError, match="answers 404"):
        bring(server, tmp_path / "b")
    assert len(server.requests) == 1


def test_without_a_network_it_says_what_else_can_be_done(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"preset offline.*HF_ENDPOINT"):
        fetch(spec(), tmp_path, hub="http://127.0.0.1:9", sleep=lambda seconds: None)


def test_a_model_that_is_not_pinned_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="not pinned"):
        fetch(
            ModelSpec(
                name="m", folder="m", backend="onnx", max_tokens=8, pooling="cls", licence="MIT"
            ),
            tmp_path,
        )
