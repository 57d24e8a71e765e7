"""Spans reach a real collector over HTTP, hold no text, and cost nothing where none is named."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from enum import StrEnum

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from support.cluster import REPOSITORY
from support.logs import captured_log
from support.trace_collector import TraceCollector, attributes, trace_collector

from kausa.errors import SettingsError
from kausa.telemetry import otlp
from kausa.telemetry.following import following
from kausa.telemetry.otlp import OtlpTracer
from kausa.telemetry.tracing import NO_TRACING, tracing

SECRET = "hunter2-of-a-user"


class Word(StrEnum):
    SAID = "Said"


@pytest.fixture
async def collector() -> AsyncIterator[TraceCollector]:
    async with trace_collector() as running:
        yield running


async def test_steps_lie_within_each_other_as_the_calls_do_also_across_tasks(
    collector: TraceCollector,
) -> None:
    async with tracing(collector.url, about={"service.name": "kausa"}) as tracer:

        async def step(name: str) -> None:
            with tracer.span(name):
                await asyncio.sleep(0)

        with tracer.span("diagnosis", again=False) as root, tracer.span("gather", evidence=3):
            await asyncio.gather(step("redact"), step("rules"))
    spans = {each.name: each for each in collector.spans}
    assert {each.trace_id.hex() for each in collector.spans} == {root.trace_id}
    assert spans["diagnosis"].parent_span_id == b""
    assert spans["gather"].parent_span_id == spans["diagnosis"].span_id
    assert spans["redact"].parent_span_id == spans["rules"].parent_span_id
    assert spans["redact"].parent_span_id == spans["gather"].span_id
    assert spans["gather"].end_time_unix_nano >= spans["redact"].end_time_unix_nano
    assert attributes(spans["diagnosis"]) == {"kausa.again": False}
    assert attributes(spans["gather"]) == {"kausa.evidence": 3}
    assert collector.resource["service.name"] == "kausa"


async def test_looks_at_the_same_time_are_traces_of_their_own(collector: TraceCollector) -> None:
    async with tracing(collector.url) as tracer:

        async def look(name: str) -> str:
            with following(name), tracer.span("diagnosis") as root:
                for _ in range(3):
                    with tracer.span("publish"):
                        await asyncio.sleep(0)
                return root.trace_id

        first, second = await asyncio.gather(look("shop/a"), look("shop/b"))
    assert first != second
    for trace, name in ((first, "shop/a"), (second, "shop/b")):
        mine = [each for each in collector.spans if each.trace_id.hex() == trace]
        assert len(mine) == 4
        (look_id,) = {attributes(each)["kausa.diagnosis"] for each in mine}
        assert look_id.startswith(f"{name}#")


async def test_what_is_said_of_a_step_is_numbers_and_words(collector: TraceCollector) -> None:
    async with tracing(collector.url) as tracer:
        with tracer.span("rules") as span:
            span.tell(category=Word.SAID, confidence=97, share=0.5, determined=True)
    assert attributes(collector.spans[0]) == {
        "kausa.category": "Said",
        "kausa.confidence": 97,
        "kausa.share": 0.5,
        "kausa.determined": True,
    }


async def test_a_step_that_fails_says_of_what_kind_and_nothing_of_what_it_was_about(
    collector: TraceCollector,
) -> None:
    async with tracing(collector.url) as tracer:
        with pytest.raises(ValueError, match=SECRET), tracer.span("gather"):
            raise ValueError(SECRET)
        with tracer.span("recall") as span:
            span.failed("StoreUnavailable")
        with tracer.span("model") as span:
            span.failed(f"the key {SECRET} was refused")
    reasons = {each.name: attributes(each)["kausa.reason"] for each in collector.spans}
    assert reasons == {"gather": "ValueError", "recall": "StoreUnavailable", "model": "Failed"}
    assert {each.status.code for each in collector.spans} == {Status.STATUS_CODE_ERROR}
    assert SECRET.encode() not in b"".join(collector.bodies)


async def test_headers_of_the_standard_variables_are_sent(
    collector: TraceCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=shop")
    async with tracing(f"{collector.url}/") as tracer:
        with tracer.span("rules"):
            pass
    assert collector.headers[0]["x-tenant"] == "shop"
    assert collector.headers[0]["Content-Type"] == "application/x-protobuf"


@pytest.mark.parametrize(
    ("variable", "value"), [("OTEL_TRACES_SAMPLER", "always_off"), ("OTEL_SDK_DISABLED", "true")]
)
async def test_what_the_standard_variables_switch_off_is_not_sent_and_not_named(
    collector: TraceCollector, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    async with tracing(collector.url) as tracer:
        with tracer.span("diagnosis") as span, tracer.span("rules"):
            assert span.trace_id == ""
    assert collector.spans == []


async def test_spans_are_sent_while_the_operator_runs(collector: TraceCollector) -> None:
    tracer = OtlpTracer(endpoint=collector.url, about={}, send_every_seconds=0.05)
    with tracer.span("rules"):
        pass
    assert (await collector.received(1))[0].name == "rules"
    await tracer.close()


async def test_a_collector_that_hangs_costs_the_oldest_spans_and_no_more(
    collector: TraceCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "MOST_WAITING", 64)
    monkeypatch.setattr(otlp, "MOST_AT_ONCE", 16)
    collector.flowing.clear()
    tracer = OtlpTracer(endpoint=collector.url, about={}, send_every_seconds=0.01)
    began = time.monotonic()
    made = 2 * otlp.MOST_WAITING
    for number in range(made):
        with tracer.span("rules", number=number):
            pass
    assert time.monotonic() - began < 5
    await asyncio.sleep(0.1)
    collector.flowing.set()
    await tracer.close()
    numbers = {attributes(each)["kausa.number"] for each in collector.spans}
    # What was on its way when it began to hang, and what found room.
    assert len(numbers) <= otlp.MOST_WAITING + otlp.MOST_AT_ONCE
    assert made - 1 in numbers


async def test_that_the_collector_is_away_is_said_once_and_ends_nothing(
    collector: TraceCollector,
) -> None:
    collector.status = 400
    with captured_log() as log:
        tracer = OtlpTracer(endpoint=collector.url, about={}, send_every_seconds=0.01)
        for _ in range(3):
            refused = collector.refused
            with tracer.span("rules"):
                pass
            while collector.refused == refused:
                await asyncio.sleep(0.01)
        collector.status = 200
        with tracer.span("rules"):
            pass
        await collector.received(1)
        await tracer.close()
    lines = [json.loads(each) for each in log.getvalue().splitlines()]
    assert [(each["level"], each["event"]) for each in lines] == [
        ("warning", "Traces cannot be sent, going on without them"),
        ("info", "Traces are sent again"),
    ]
    assert "KAUSA_OTLP_ENDPOINT" in lines[0]["why"]


async def test_the_end_does_not_wait_for_a_collector(
    collector: TraceCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "LAST_SECONDS", 0.1)
    collector.flowing.clear()
    began = time.monotonic()
    async with tracing(collector.url) as tracer:
        with tracer.span("rules"):
            pass
    assert time.monotonic() - began < 2


async def test_without_a_collector_there_is_one_tracer_that_does_nothing() -> None:
    async with tracing(None) as tracer:
        assert tracer is NO_TRACING
        with tracer.span("rules", number=1) as span:
            span.tell(confidence=3)
            span.failed("Nothing")
            assert span.trace_id == ""
        with pytest.raises(ValueError, match="through"), tracer.span("rules"):
            raise ValueError("through")


def test_without_a_collector_nothing_of_opentelemetry_is_imported() -> None:
    program = (
        "import asyncio, sys\n"
        "import kausa.telemetry.metrics, kausa.telemetry.server\n"
        "from kausa.telemetry.tracing import tracing\n"
        "async def main():\n"
        "    async with tracing(None) as tracer:\n"
        "        with tracer.span('rules'):\n"
        "            pass\n"
        "asyncio.run(main())\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'opentelemetry'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
    importing = re.compile(r"^\s*(?:from|import) (?:opentelemetry|kausa\.telemetry\.otlp)\b", re.M)
    modules = {
        path.name
        for path in (REPOSITORY / "operator").rglob("*.py")
        if importing.search(path.read_text())
    }
    assert modules == {"otlp.py", "tracing.py"}


async def test_packages_that_are_missing_are_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "kausa.telemetry.otlp", None)
    with pytest.raises(SettingsError, match=r"KAUSA_OTLP_ENDPOINT.*extra `tracing`"):
        async with tracing("http://127.0.0.1:9"):
            pass
