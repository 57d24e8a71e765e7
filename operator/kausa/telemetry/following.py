"""Which look at which failure a log line belongs to, told to every line that is written meanwhile.

Several failures are diagnosed at the same time, each by steps in many places. So whoever begins a
look says so once; it travels with the task, into those that it starts and over to another event
loop (`asyncio.run_coroutine_threadsafe` takes the context along), and `telemetry.logs` puts it on
each line as `diagnosis`: the resource's namespace and name, and a random end, because a resource is
looked at many times.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars

__all__ = ["follow", "followed", "following", "traced"]

_DIAGNOSIS = "diagnosis"
_TRACE = "trace"


def followed() -> str | None:
    """The look that is under way here; None where none is."""
    found = get_contextvars().get(_DIAGNOSIS)
    return found if isinstance(found, str) else None


def follow(name: str) -> None:
    """From here to the end of this task all lines belong to a new look at this resource."""
    bind_contextvars(**{_DIAGNOSIS: _look(name)})


@contextmanager
def following(name: str) -> Iterator[str]:
    """Lines that are written meanwhile belong to a look at this resource (`namespace/name`): the
    one that is under way here, or a new one. Yields what stands on them.
    """
    under_way = followed()
    if under_way is not None and under_way.rpartition("#")[0] == name:
        yield under_way
        return
    look = _look(name)
    with bound_contextvars(**{_DIAGNOSIS: look}):
        yield look


def traced(trace_id: str) -> AbstractContextManager[None]:
    """Lines that are written meanwhile name this trace; an empty one is not named."""
    return bound_contextvars(**{_TRACE: trace_id}) if trace_id else nullcontext()


def _look(name: str) -> str:
    return f"{name}#{secrets.token_hex(3)}"
