"""The worker's own loop, on a thread of this process, with the real engine."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from support.records import NOON, RECORD

from kausa.memory.edge import messages, worker
from kausa.memory.records import to_payload
from kausa.memory.store import RecordFilter


class Peer:
    """The operator's end of the two pipes."""

    def __init__(self, folder: Path) -> None:
        source, self._out = os.pipe()
        self._in, sink = os.pipe()
        self._ends = [source, sink, self._in]
        self._worker = worker.Worker(folder, source=source, sink=sink)
        self._thread = threading.Thread(target=self._worker.serve)
        self._thread.start()

    def ask(self, call: messages.Call) -> Any:
        os.write(self._out, messages.encode(messages.Request(id=1, call=call)))
        length = messages.body_length(os.read(self._in, messages.HEADER_BYTES))
        answer = messages.decode_answer(os.read(self._in, length))
        assert answer.reason is None, answer.message
        return answer.result

    def leave(self) -> None:
        os.close(self._out)
        self._thread.join()
        for end in self._ends:
            os.close(end)


def test_between_two_calls_the_worker_takes_out_what_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "FLUSH_SECONDS", 0.05)
    peer = Peer(tmp_path)
    try:
        peer.ask(messages.Open(model="tiny", dimensions=2, most_records=2))
        payload = to_payload(RECORD)
        ids = [f"{number:032x}" for number in range(1, 6)]
        seen = [{**payload, "last_seen": NOON.replace(hour=hour).isoformat()} for hour in range(5)]
        peer.ask(
            messages.Upsert(points=[(i, [1.0, 0.0], p) for i, p in zip(ids, seen, strict=True)])
        )
        until = time.monotonic() + 3
        while peer.ask(messages.Count(where=RecordFilter(cluster="test"))) != 2:
            assert time.monotonic() < until, "the worker did not tidy up"
            time.sleep(0.01)
        kept = [peer.ask(messages.Get(point_id=id_)) is not None for id_ in ids]
        assert kept == [False, False, False, True, True]
    finally:
        peer.leave()
