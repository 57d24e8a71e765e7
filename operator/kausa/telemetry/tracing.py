"""Traces of diagnoses: a span for every step, told to a collector where one is named.

Where none is, a step costs one call that does nothing, and the SDK of OpenTelemetry is not even
imported (`otlp.py` does, and it is an extra). What a span may hold is decided by its types: numbers
and words of closed lists. A text has no way in, redacted or not, so that no mistake of somebody who
adds a step can send one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol, TypeAlias

from kausa.errors import SettingsError

__all__ = ["NO_TRACING", "Span", "Tracer", "Value", "tracing"]

Value: TypeAlias = bool | int | float | StrEnum
"""What may be said of a step."""


class Span(Protocol):
    """A step that is under way."""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits, the same in all steps of a look; empty where none is sent."""

    def tell(self, **values: Value) -> None:
        """What came of it; each value is shown under `kausa.<name>`."""

    def failed(self, reason: str) -> None:
        """It came to nothing; `reason` is a word such as conditions have, from our own code."""


class Tracer(Protocol):
    """Makes spans; they lie within each other as the calls do, also across tasks."""

    def span(self, name: str, **values: Value) -> AbstractContextManager[Span]:
        """A step, for as long as it is entered. An exception that leaves it marks it as failed, by
        the exception's type alone.
        """


class _Nothing:
    """A tracer and its only span, which do nothing."""

    trace_id: Final = ""

    def span(self, name: str, **values: Value) -> _Nothing:
        """This one."""
        return self

    def tell(self, **values: Value) -> None:
        """Nobody listens."""

    def failed(self, reason: str) -> None:
        """Nobody listens."""

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


NO_TRACING: Final[Tracer] = _Nothing()


@asynccontextmanager
async def tracing(
    endpoint: str | None, *, about: Mapping[str, str] | None = None
) -> AsyncIterator[Tracer]:
    """A tracer that sends to this collector (OTLP over HTTP), or one that does nothing.

    `endpoint` is its base, such as `http://collector:4318`; `about` says who sends. At the end what
    waits is sent, if that takes no longer than some seconds.

    Raises:
        SettingsError: a collector is named, and the packages that speak with it are missing.
    """
    if endpoint is None:
        yield NO_TRACING
        return
    try:
        from kausa.telemetry.otlp import OtlpTracer
    except ImportError as error:
        raise SettingsError(
            "KAUSA_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, and a package "
            f"that they need is missing ({error.name}); nothing was started. Install kausa with "
            "its extra `tracing`, or unset both."
        ) from error
    tracer = OtlpTracer(endpoint=endpoint, about=about or {})
    try:
        yield tracer
    finally:
        await tracer.close()
