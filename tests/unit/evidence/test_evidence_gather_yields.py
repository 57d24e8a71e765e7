"""Hiding secrets takes CPU, and whoever waits for a stream or a Lease must not wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from support.dossiers import DEPLOYMENT, FakeReader
from support.pods import pod

from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor
from kausa.evidence.redaction.redactor import Redacted


class SlowRedactor(Redactor):
    """Waits in `tree` until the event loop has gone on."""

    __slots__ = ("at_once", "running", "wait")

    def __init__(self, wait: Callable[[], bool]) -> None:
        super().__init__(key=b"k" * 32)
        self.wait = wait
        self.running = self.at_once = 0

    def tree(self, value: Any) -> Redacted[Any]:
        self.running += 1
        self.at_once = max(self.at_once, self.running)
        assert self.wait(), "the event loop stood still while secrets were looked for"
        self.running -= 1
        return super().tree(value)


async def test_the_event_loop_goes_on_while_secrets_are_hidden() -> None:
    went_on = threading.Event()
    redactor = SlowRedactor(lambda: went_on.wait(timeout=10))
    gatherer = Gatherer(reader=FakeReader(), redactor=redactor)
    both = [
        asyncio.create_task(gatherer.gather(owner=DEPLOYMENT, pod=pod(), symptom=None))
        for _ in range(2)
    ]
    while not redactor.running:
        await asyncio.sleep(0.001)
    went_on.set()

    await asyncio.gather(*both)

    assert redactor.at_once == 1, "several at once would take the interpreter from the event loop"
