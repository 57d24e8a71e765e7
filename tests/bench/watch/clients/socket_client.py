"""The floor: a socket of the kernel, read into one buffer, and nothing done with what comes.

What other clients need above this is theirs. It blocks, so there is no event loop either; only the
ends of lines are looked for, to know when all has come.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from bench.watch.measure import Measured, Meter, run_client

BUFFER_BYTES = 256 * 1024
"""As much as our own watch receives in one go."""
CLOSES_CHANGE = ord("}")
"""Ends of lines are also in the heads of chunks; only a change's comes after this."""
SILENCE_SECONDS = 30.0


async def work(meter: Meter) -> Measured:
    """Read until everything has come."""
    server = urlsplit(meter.task.server)
    address = server.hostname or "", server.port or 80
    with socket.create_connection(address, timeout=SILENCE_SECONDS) as connection:
        path = f"/api/v1/{meter.task.kind}?watch=true"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        buffer, last = bytearray(BUFFER_BYTES), 0
        wanted = meter.task.changes + 1
        while meter.received < wanted:
            received = connection.recv_into(buffer)
            if not received:
                raise ConnectionError(f"the server ended after {meter.received} changes")
            # One byte is looked for at the speed of memory, two of them at a tenth of it.
            end = buffer.find(b"\n", 0, received)
            while end >= 0:
                if (buffer[end - 1] if end else last) == CLOSES_CHANGE:
                    meter.count()
                end = buffer.find(b"\n", end + 1, received)
            last = buffer[received - 1]
    return meter.measured()


if __name__ == "__main__":
    run_client(work)
