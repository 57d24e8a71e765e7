"""Whose logs are read, which run of them, and how much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from support.pods import container, pod, running, terminated, waiting

from kausa.cluster.errors import ApiUnreachableError, OverloadedError, api_error
from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.symptom import Symptom
from kausa.evidence.log_stream import TAIL_LINES
from kausa.evidence.pod_logs import gather_logs
from kausa.evidence.reading import Reading
from kausa.evidence.redaction import Redactor
from kausa.resources.category import Category
from kausa.telemetry.clock import utc_now

EXCUSE = "unable to retrieve container logs for containerd://0f7b0c2472f9"


class Logs:
    """Logs by container and run, as a kubelet has them."""

    def __init__(self, *, tails: bool = True, slow: float = 0.0, breaks: bool = False) -> None:
        self.found: dict[tuple[str, bool], bytes | Exception] = {}
        self.asked: list[tuple[str, bool, bool]] = []
        """Container, whether the previous run, whether all of it."""
        self.closed = 0
        self.tails = tails
        self.slow = slow
        self.breaks = breaks

    def has(self, container: str, *lines: str, previous: bool = False) -> Logs:
        """Take in one log."""
        self.found[container, previous] = "\n".join(lines).encode()
        return self

    async def pod_log(
        self,
        *,
        container: str,
        previous: bool,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
        **_: Any,
    ) -> AsyncGenerator[bytes, None]:
        """As a reader does."""
        self.asked.append((container, previous, tail_lines is None))
        found = self.found.get((container, previous))
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise api_error(status=400, reason="BadRequest", message="no such log")
        if tail_lines is not None and self.tails:
            found = b"\n".join(found.split(b"\n")[-tail_lines:])
        found = found[:limit_bytes]
        try:
            for start in range(0, len(found), 10_000):
                yield found[start : start + 10_000]
                if tail_lines is None:
                    await asyncio.sleep(self.slow)
                    if self.breaks:
                        raise ApiUnreachableError("the connection broke")
        finally:
            self.closed += 1


async def gathered(logs: Logs, failing: Pod, symptom: Symptom | None = None) -> Reading:
    return await gather_logs(
        logs,  # type: ignore[arg-type]
        pod=failing,
        symptom=symptom,
        redactor=Redactor(key=b"k" * 32),
        deadline_seconds=0.5,
    )


def symptom_of(failing: Pod) -> Symptom:
    return detect_pod(failing, now=utc_now()).symptoms[0]


CRASHING = pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3))
HEALTHY = pod(container(running(), ready=True))
TICKS = [f"INFO tick {number}" for number in range(9000)]


async def test_a_fatal_end_is_read_and_no_more() -> None:
    logs = Logs().has("api", *TICKS, "panic: no ledger", previous=True)
    reading = await gathered(logs, CRASHING, symptom_of(CRASHING))
    assert reading.logs[0].decisive == "no ledger"
    assert logs.asked == [("api", True, False)]
    assert not reading.logs[0].complete


@pytest.mark.parametrize("tails", [True, False], ids=["an API server", "a folder of files"])
async def test_where_the_end_does_not_tell_all_of_the_log_is_read(tails: bool) -> None:
    logs = Logs(tails=tails).has("api", *TICKS[:10], "ERROR no ledger", *TICKS)
    (excerpt,) = (await gathered(logs, HEALTHY)).logs
    assert excerpt.decisive == "no ledger"
    assert (excerpt.lines, excerpt.complete) == (9011, True)
    assert excerpt.entries[0].line == 11
    assert excerpt.text.endswith(TICKS[-1])
    assert logs.asked[-1] == ("api", False, True)
    assert logs.closed == len(logs.asked)


async def test_a_short_log_is_asked_for_once() -> None:
    logs = Logs().has("api", *TICKS[: TAIL_LINES - 1])
    (excerpt,) = (await gathered(logs, HEALTHY)).logs
    assert excerpt.complete
    assert len(logs.asked) == 1


@pytest.mark.slow
@pytest.mark.parametrize("logs", [Logs(slow=0.2), Logs(breaks=True)], ids=["slow", "broken"])
async def test_what_cannot_be_read_to_its_end_is_told_by_its_beginning_and_end(logs: Logs) -> None:
    logs.has("api", "ERROR no ledger", *TICKS, "ERROR no till")
    started = time.monotonic()
    (excerpt,) = (await gathered(logs, HEALTHY)).logs
    assert time.monotonic() - started < 2
    assert not excerpt.complete
    assert {each.message for each in excerpt.entries} == {"no ledger", "no till"}
    assert excerpt.text.endswith("ERROR no till")


async def test_containers_that_failed_are_read_the_symptoms_first() -> None:
    failing = pod(
        container(running(), name="proxy", ready=True),
        container(terminated(2), name="sidecar"),
        container(waiting("CrashLoopBackOff"), name="api", last=terminated(1), restarts=3),
    )
    logs = Logs().has("api", "a", previous=True).has("sidecar", "b").has("proxy", "c")
    symptom = next(
        each for each in detect_pod(failing, now=utc_now()).symptoms if each.container == "api"
    )
    reading = await gathered(logs, failing, symptom)
    assert [(each.container, each.text) for each in reading.logs] == [
        ("api", "a"),
        ("sidecar", "b"),
    ]


async def test_where_none_failed_all_that_run_are_read() -> None:
    fine = pod(
        container(running(), name="api", ready=True),
        container(running(), name="proxy", ready=True),
        container(waiting("PodInitializing"), name="late"),
    )
    logs = Logs().has("api", "a").has("proxy", "b")
    reading = await gathered(logs, fine)
    assert [each.container for each in reading.logs] == ["api", "proxy"]


async def test_of_a_container_that_runs_again_but_is_not_ready_both_runs_are_read() -> None:
    unready = pod(container(running(), name="api", ready=False, last=terminated(1), restarts=1))
    symptom = Symptom(
        category=Category.PROBE,
        reason="Unhealthy",
        reason_class="Unhealthy",
        detail="",
        message="",
        container="api",
    )
    logs = Logs().has("api", "now").has("api", "then", previous=True)
    reading = await gathered(logs, unready, symptom)
    assert [(each.text, each.previous) for each in reading.logs] == [("now", False), ("then", True)]


async def test_the_runtimes_excuse_is_no_log() -> None:
    logs = Logs().has("api", EXCUSE, previous=True).has("api", "the real thing")
    reading = await gathered(logs, CRASHING, symptom_of(CRASHING))
    assert [each.text for each in reading.logs] == ["the real thing"]
    logs = Logs().has("api", EXCUSE, previous=True).has("api", EXCUSE)
    reading = await gathered(logs, CRASHING, symptom_of(CRASHING))
    assert not reading.logs
    assert "the container runtime does not have it" in reading.gaps[0].why


async def test_an_error_of_the_api_server_is_passed_on() -> None:
    logs = Logs()
    logs.found["api", False] = OverloadedError("away", status=502)
    with pytest.raises(OverloadedError):
        await gathered(logs, HEALTHY)
