"""What the streams hand on, and what they forget."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

from support.dossiers import DEPLOYMENT
from support.fake_store import FakeOwners, FakeStore
from support.pods import container, pod, terminated

from kausa.cluster.objects import Pod
from kausa.cluster.watch import Change, ChangeType
from kausa.controller.asking import Asking
from kausa.controller.looks import Looks
from kausa.controller.recorder import Recorder
from kausa.controller.streams import Streams
from kausa.controller.workqueue import WorkQueue
from kausa.evidence.redaction import Redactor

KILLED = pod(container(terminated(137, "OOMKilled")), uid="u")
RUNS_AGAIN = pod(container({"running": {}}, last=terminated(137, "OOMKilled"), restarts=1), uid="u")


class FakeWatcher:
    """Delivers what it was given, all at once, and then nothing more."""

    def __init__(self, *changes: Change[Pod]) -> None:
        self._changes = changes

    async def changes(self) -> AsyncIterator[Change[Pod]]:
        for change in self._changes:
            yield change
        await asyncio.Event().wait()


def seen(found: Pod) -> Change[Pod]:
    return Change(type=ChangeType.SEEN, uid=found.metadata.uid, object=found)


async def recorded(*changes: Change[Pod]) -> list[str]:
    """The names of the resources that are made of these changes."""
    store = FakeStore()
    owners, redactor = cast(Any, FakeOwners(DEPLOYMENT)), Redactor(key=b"k" * 32)
    streams = Streams(
        pods=cast(Any, FakeWatcher(*changes)),
        events=cast(Any, FakeWatcher()),
        owners=owners,
        recorder=Recorder(
            store=cast(Any, store),
            owners=owners,
            redactor=redactor,
            cluster="test",
            repeat_interval_seconds=10,
        ),
        asking=Asking(store=cast(Any, store), redactor=redactor, cluster="test"),
        looks=Looks(refresh_seconds=600),
        queue=WorkQueue(size=10),
    )
    running = asyncio.ensure_future(streams.run())
    await asyncio.sleep(0.1)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return [each.metadata.name for each in store.applied]


async def test_a_failure_that_is_over_before_anybody_looked_is_recorded_all_the_same() -> None:
    (name,) = await recorded(seen(KILLED), seen(RUNS_AGAIN))
    assert "oomkilled" in name


async def test_a_pod_that_is_gone_before_anybody_looked_is_not_recorded() -> None:
    gone: Change[Pod] = Change(type=ChangeType.DELETED, uid="u", object=None)
    assert await recorded(seen(KILLED), gone) == []


async def test_a_healthy_pod_is_not_recorded() -> None:
    assert await recorded(seen(RUNS_AGAIN)) == []
