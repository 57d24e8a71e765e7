"""Spans by OpenTelemetry's SDK, sent with OTLP over HTTP. Imported only where a collector is named.

Sending is a thread of its own behind a bounded queue: a collector that is away or slow costs spans
and nothing else. That it is away is said once. Headers, certificates and a sampler are set with the
standard variables (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_CERTIFICATE`,
`OTEL_TRACES_SAMPLER`, ...), which the SDK reads by itself.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span as OpenSpan
from opentelemetry.trace import Status, StatusCode, format_trace_id

from kausa.telemetry.following import followed
from kausa.telemetry.logs import get_logger
from kausa.telemetry.tracing import Span, Value
from kausa.telemetry.trouble import Trouble

__all__ = ["OtlpTracer"]

MOST_WAITING = 2048
"""Spans; a look has ten to twenty. What comes when it is full pushes out the oldest."""
MOST_AT_ONCE = 256
SEND_EVERY_SECONDS = 2.0
EXPORT_SECONDS = 5.0
LAST_SECONDS = 3.0
"""At the end; whoever stops the operator does not wait for a collector."""
_WHY: Final = (
    "the collector that KAUSA_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT names cannot be "
    "reached, or does not take them; it has to speak OTLP over HTTP (port 4318, not 4317)"
)
_WORD: Final = re.compile(r"[A-Za-z]{1,64}")
_logger = get_logger("kausa.telemetry.otlp")


class OtlpTracer:
    """Makes spans and has them sent. One in a process."""

    def __init__(
        self,
        *,
        endpoint: str,
        about: Mapping[str, str],
        send_every_seconds: float = SEND_EVERY_SECONDS,
    ) -> None:
        exporter = OTLPSpanExporter(
            endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS
        )
        # No handler at the interpreter's exit: `close` is the end, and it is bounded.
        self._provider = TracerProvider(
            resource=Resource.create(dict(about)), shutdown_on_exit=False
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                _SaidOnce(exporter),
                max_queue_size=MOST_WAITING,
                max_export_batch_size=MOST_AT_ONCE,
                schedule_delay_millis=send_every_seconds * 1000,
            )
        )
        self._tracer = self._provider.get_tracer("kausa")

    @contextmanager
    def span(self, name: str, **values: Value) -> Iterator[Span]:
        """See `Tracer`."""
        # What an exception says may quote what it was about: its type is told, and no more.
        with self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        ) as open_span:
            span = _OtlpSpan(open_span)
            if (look := followed()) is not None:
                open_span.set_attribute("kausa.diagnosis", look)
            span.tell(**values)
            try:
                yield span
            except BaseException as error:
                span.failed(type(error).__name__)
                raise

    async def close(self) -> None:
        """Send what waits, for some seconds at most."""
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(done.set)

        # Not a thread of the loop's executor, which is waited for without an end.
        threading.Thread(target=shut_down, name="last traces", daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), LAST_SECONDS)


class _OtlpSpan:
    """One span of the SDK, through which only what `Value` allows gets in."""

    def __init__(self, span: OpenSpan) -> None:
        self._span = span
        # Where a sampler leaves a trace out, nobody will find it.
        known = span.is_recording()
        self.trace_id = format_trace_id(span.get_span_context().trace_id) if known else ""
        """See `Span`."""

    def tell(self, **values: Value) -> None:
        """See `Span`."""
        for name, value in values.items():
            # A StrEnum is a string to the SDK, though not of the type that it looks for.
            shown = value.value if isinstance(value, str) else value
            self._span.set_attribute(f"kausa.{name}", shown)

    def failed(self, reason: str) -> None:
        """See `Span`."""
        word = reason if _WORD.fullmatch(reason) else "Failed"
        self._span.set_attribute("kausa.reason", word)
        self._span.set_status(Status(StatusCode.ERROR, word))


class _SaidOnce(SpanExporter):
    """An exporter whose failures are one line of the log, and one more when it works again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._trouble = Trouble(
            _logger,
            failed="Traces cannot be sent, going on without them",
            recovered="Traces are sent again",
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them; what cannot be sent is gone."""
        try:
            result = self._exporter.export(spans)
        except Exception:
            result = SpanExportResult.FAILURE
        if result is SpanExportResult.SUCCESS:
            self._trouble.over()
        else:
            self._trouble.happened(ConnectionError(_WHY))
        return result

    def shutdown(self) -> None:
        """Let go of the connections."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return self._exporter.force_flush(timeout_millis)
