"""The watch benchmark notices when its figures would mean nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestServer
from bench.watch.clients import bytes_client, msgspec_client, ours
from bench.watch.measure import Measured, Meter, Task
from bench.watch.run import BrokenRunError, Run, check, same_symptoms, verdict
from bench.watch.server import Account, Scene, application

CHANGES = 300


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with TestServer(application(), handler_cancellation=True) as server:
        yield str(server.make_url("/")).rstrip("/")


async def begin(url: str, scene: Scene) -> None:
    async with aiohttp.ClientSession() as session:
        body = msgspec.json.encode(scene)
        async with session.post(url + "/bench/begin", data=body) as answer:
            assert answer.status == 200


async def account(url: str) -> Account:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url + "/bench/account") as answer,
    ):
        return msgspec.json.decode(await answer.read(), type=Account)


def run(
    *, received: int = CHANGES, sent: int = CHANGES, watches: int = 1, symptoms: int = 5
) -> Run:
    return Run(
        task=Task(server="", kind="pods", changes=CHANGES),
        measured=Measured(
            received=received,
            cpu_seconds=0.003,
            ended=2.0,
            rss_bytes=0,
            peak_rss_bytes=0,
            symptoms=symptoms,
        ),
        account=Account(watches=watches, changes=sent, began=1.0),
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pods", "events"])
async def test_our_watch_receives_what_was_sent_and_finds_something(url: str, kind: str) -> None:
    await begin(url, Scene(kind=kind, changes=CHANGES))
    task = Task(server=url, kind=kind, changes=CHANGES)
    measured = await ours.work(Meter(task))
    check("ours", Run(task=task, measured=measured, account=await account(url)))
    assert measured.symptoms
    assert measured.peak_rss_bytes >= measured.rss_bytes > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pods", "events"])
async def test_the_least_that_ours_is_compared_with_receives_and_decodes_all(
    url: str, kind: str
) -> None:
    await begin(url, Scene(kind=kind, changes=CHANGES))
    task = Task(server=url, kind=kind, changes=CHANGES)
    measured = await msgspec_client.work(Meter(task))
    check("the least", Run(task=task, measured=measured, account=await account(url)))


@pytest.mark.slow
async def test_our_list_comes_in_pages_and_is_complete(url: str) -> None:
    await begin(url, Scene(kind="pods", objects=1200))
    task = Task(server=url, kind="pods", objects=1200)
    measured = await ours.work(Meter(task))
    sent = await account(url)
    check("ours", Run(task=task, measured=measured, account=sent))
    assert sent.pages == 3


@pytest.mark.slow
async def test_a_change_too_many_is_counted(url: str) -> None:
    await begin(url, Scene(kind="events", changes=CHANGES + 1))
    measured = await bytes_client.work(Meter(Task(server=url, kind="events", changes=CHANGES)))
    assert measured.received == CHANGES + 1


@pytest.mark.slow
async def test_an_error_of_the_client_ends_its_run(url: str) -> None:
    task = Task(server="http://127.0.0.1:9", kind="events", changes=CHANGES)
    with pytest.raises(aiohttp.ClientConnectionError):
        await bytes_client.work(Meter(task))


def test_a_complete_run_is_accepted() -> None:
    check("a client", run())
    assert run().cpu_us == pytest.approx(10.0)
    assert run().per_second == pytest.approx(CHANGES)


@pytest.mark.parametrize(
    "broken",
    [
        run(received=CHANGES - 1),
        run(received=CHANGES + 1),
        run(received=2 * CHANGES, sent=2 * CHANGES),
        run(sent=0),
        run(watches=2),
    ],
)
def test_a_run_that_missed_or_doubled_something_is_refused(broken: Run) -> None:
    with pytest.raises(BrokenRunError):
        check("a client", broken)


def test_symptoms_must_be_the_same_in_every_run() -> None:
    assert same_symptoms([run(), run()]) == 5
    with pytest.raises(BrokenRunError):
        same_symptoms([run(), run(symptoms=6)])
    with pytest.raises(BrokenRunError):
        same_symptoms([run(symptoms=0), run(symptoms=0)])


def test_goals_are_said_in_words() -> None:
    assert verdict("CPU", 14.96, 15.0, "us").startswith("PASS")
    assert verdict("CPU", 15.1, 15.0, "us").startswith("FAIL")
