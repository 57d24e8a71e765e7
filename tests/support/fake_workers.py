"""Store workers that fail on purpose, and a client of them."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from kausa.memory.edge.client import EdgeStore
from kausa.memory.filters import EVERYTHING
from kausa.memory.store import Schema

__all__ = ["TINY", "FakeWorkers", "counted", "opened"]

TINY = Schema(model="tiny", dimensions=2)
PACKAGES = str(Path(msgspec.__file__).parents[1])

# Answers each call as the test says: {name of the call: expression}; notes every start in a file.
# It has the frames written out, because the product's own modules take longer to import than most
# of these tests take.
FAKE_WORKER = """
import os, sys, time
sys.path.insert(0, sys.argv[3])
import msgspec
with open(sys.argv[1], "a") as starts:
    starts.write("x")
starts = os.path.getsize(sys.argv[1])
def read(length):
    data = b""
    while len(data) < length:
        chunk = os.read(0, length - len(data))
        if not chunk:
            raise SystemExit
        data += chunk
    return data
def answered(result=None, *, kind=None, reason=None, message=""):
    failure = {"kind": kind or "Unavailable", "reason": reason, "message": message}
    return {"id": id, "result": result, "failure": failure if message else None}
def frame(answer):
    body = msgspec.msgpack.encode(answer)
    return len(body).to_bytes(4, "big") + body
while True:
    request = msgspec.msgpack.decode(read(int.from_bytes(read(4), "big")))
    id, kind = request["id"], request["call"]["type"]
    answer = answered()
    exec(sys.argv[2])
    os.write(1, frame(answer))
"""


class FakeWorkers:
    """Makes stores whose worker runs a line of Python for every call."""

    def __init__(self, folder: Path) -> None:
        self._starts = folder / "starts"

    def store(self, behaviour: str, *, hung_after_seconds: float = 30) -> EdgeStore:
        command = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            FAKE_WORKER,
            str(self._starts),
            behaviour,
            PACKAGES,
        ]
        return EdgeStore(
            folder=self._starts.parent,
            command=lambda _: command,
            hung_after_seconds=hung_after_seconds,
        )

    @property
    def starts(self) -> int:
        return len(self._starts.read_text()) if self._starts.exists() else 0


async def opened(store: EdgeStore) -> EdgeStore:
    await store.open(TINY, deadline_seconds=5)
    return store


async def counted(store: EdgeStore, *, deadline_seconds: float = 5) -> int:
    return await store.count("failures", where=EVERYTHING, deadline_seconds=deadline_seconds)
