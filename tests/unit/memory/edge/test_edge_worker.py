"""The worker's own loop, on a thread of this process, with the real engine."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.store_contract import SCHEMA, id_of, point

from kausa.memory.edge import messages, packing, shard, worker
from kausa.memory.edge.generation import make_generation
from kausa.memory.filters import EVERYTHING


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
        frame = messages.encode(messages.Request(id=1, call=call, schema=SCHEMA))
        threading.Thread(target=os.write, args=(self._out, frame)).start()
        length = messages.body_length(self._read(messages.HEADER_BYTES))
        answer = messages.decode_answer(self._read(length))
        assert answer.failure is None, answer.failure
        return msgspec.msgpack.decode(answer.result)

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            data += os.read(self._in, length - len(data))
        return data

    def leave(self) -> None:
        os.close(self._out)
        self._thread.join()
        for end in self._ends:
            os.close(end)


@pytest.fixture
def peer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    monkeypatch.setattr(worker, "FLUSH_SECONDS", 0.02)
    peer = Peer(folder)
    yield peer
    peer.leave()


async def upserted(numbers: range, **payload: Any) -> messages.Upsert:
    points = [point(number, cluster="c", chunk=number, **payload) for number in numbers]
    return messages.Upsert("failures", await packing.pack(points, dimensions=SCHEMA.dimensions))


async def test_between_two_calls_the_worker_takes_out_the_oldest_of_what_is_too_much(
    peer: Peer,
) -> None:
    peer.ask(messages.Own(most_points=2))
    peer.ask(messages.Open())
    points = [
        point(number, cluster="c", last_seen=f"2026-03-01T0{number}:00:00Z") for number in range(5)
    ]
    packed = await packing.pack(points, dimensions=SCHEMA.dimensions)
    peer.ask(messages.Upsert("failures", packed))
    _wait(lambda: peer.ask(messages.Count("failures", EVERYTHING)) == 2)
    found = peer.ask(messages.Get("failures", [id_of(number) for number in range(5)], False))
    assert [id_ for id_, *_ in found] == [id_of(3), id_of(4)]


async def test_records_whose_end_nobody_saw_go_before_lessons_and_records_go_whole(
    peer: Peer,
) -> None:
    peer.ask(messages.Own(most_points=4))
    peer.ask(messages.Open())
    told = [
        ("lesson", "2026-01-01T00:00:00Z", "Resolved"),
        ("open", "2026-02-01T00:00:00Z", "Open"),
        ("open", "2026-02-01T00:00:00Z", "Open"),
        ("superseded", "2026-02-02T00:00:00Z", "Superseded"),
        ("goes on", "2026-03-01T00:00:00Z", "Open"),
        ("goes on", "2026-03-01T00:00:00Z", "Open"),
    ]
    points = [
        point(number, cluster="c", record_id=record, last_seen=seen, outcome=outcome)
        for number, (record, seen, outcome) in enumerate(told)
    ]
    peer.ask(messages.Upsert("failures", await packing.pack(points, dimensions=SCHEMA.dimensions)))
    _wait(lambda: peer.ask(messages.Count("failures", EVERYTHING)) == 4)
    assert peer.ask(messages.Trimmed()) == 2
    assert peer.ask(messages.Trimmed()) == 0
    found = peer.ask(messages.Get("failures", [id_of(number) for number in range(6)], False))
    assert [id_ for id_, *_ in found] == [id_of(number) for number in (0, 3, 4, 5)]


async def test_points_are_counted_at_the_start_and_then_once_in_a_thousand(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHECK_EVERY", 100)
    peer.ask(messages.Own(most_points=50))
    peer.ask(messages.Open())
    peer.ask(await upserted(range(60), last_seen="2026-03-01T00:00:00Z"))
    _wait(lambda: peer.ask(messages.Count("failures", EVERYTHING)) == 50)
    peer.ask(await upserted(range(100, 160), last_seen="2026-03-02T00:00:00Z"))
    for _ in range(10):  # some rounds of tidying
        _pause()
    assert peer.ask(messages.Count("failures", EVERYTHING)) == 110
    peer.ask(await upserted(range(200, 260), last_seen="2026-03-03T00:00:00Z"))
    _wait(lambda: peer.ask(messages.Count("failures", EVERYTHING)) == 50)
    found = peer.ask(messages.Get("failures", [id_of(number) for number in range(200, 260)], False))
    assert len(found) == 50


@pytest.mark.slow
async def test_what_was_written_lately_is_settled_in_a_pause(
    quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "SETTLE_POINTS", 60)
    monkeypatch.setattr(worker, "SETTLE_POINTS", 60)
    monkeypatch.setattr(worker, "QUIET_SECONDS", 0.0)
    make_generation(quick / "made", schema=SCHEMA)
    opened = shard.Shard(quick / "made" / "failures")
    packed = await packing.pack([point(n) for n in range(105)], dimensions=SCHEMA.dimensions)
    opened.upsert(packed[:59])
    assert opened.unsettled == 59
    opened.upsert(packed[:100])
    assert opened.unsettled >= 100
    opened.settle()
    assert opened.unsettled == 0
    opened.upsert(packed[100:])
    opened.close()
    again = shard.Shard(quick / "made" / "failures")
    assert again.unsettled == 5
    assert again.count() == 105
    again.close()


async def test_the_worker_settles_by_itself(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    settled = threading.Event()
    monkeypatch.setattr(worker, "SETTLE_POINTS", 10)
    monkeypatch.setattr(worker, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(shard.Shard, "settle", lambda self: settled.set())
    peer.ask(messages.Own(most_points=50))
    peer.ask(messages.Open())
    peer.ask(await upserted(range(9)))
    _pause()
    assert not settled.is_set()
    peer.ask(await upserted(range(9, 11)))
    assert settled.wait(5)


async def test_what_is_written_is_flushed_without_being_asked(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = threading.Event()
    monkeypatch.setattr("kausa.memory.edge.shard.Shard.flush", lambda self: _note(self, flushed))
    peer.ask(messages.Own(most_points=50))
    peer.ask(messages.Open())
    assert not flushed.is_set()
    peer.ask(await upserted(range(1)))
    assert flushed.wait(5)


def _note(shard: Any, flushed: threading.Event) -> None:
    shard.dirty = False
    flushed.set()


def _wait(holds: Any) -> None:
    until = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < until, "the worker did not tidy up"
        _pause()


def _pause() -> None:
    time.sleep(0.01)


async def test_a_question_whose_time_has_passed_is_not_answered_and_a_write_is_done(
    folder: Path,
) -> None:
    serving = worker.Worker(folder, source=-1, sink=-1)

    def answered(call: messages.Call, *, expires_at: float | None) -> messages.Answer:
        request = messages.Request(id=1, call=call, schema=SCHEMA, expires_at=expires_at)
        return messages.decode_answer(serving.answer(request)[messages.HEADER_BYTES :])

    past, soon = time.monotonic() - 1, time.monotonic() + 60
    count = messages.Count("failures", EVERYTHING)
    for call in (messages.Own(most_points=100), messages.Open(), await upserted(range(3))):
        assert answered(call, expires_at=past).failure is None
    late = answered(count, expires_at=past).failure
    assert late is not None
    assert late.reason == "DeadlineExceeded"
    assert msgspec.msgpack.decode(answered(count, expires_at=soon).result) == 3
    assert answered(count, expires_at=None).failure is None
    serving.close()
