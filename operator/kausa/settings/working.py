"""How the operator works: its pace, its Lease, and what it shows of itself to who runs it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, HttpUrl
from pydantic_settings import BaseSettings

from kausa.settings.surroundings import name_of_this_process, standard_collector

__all__ = ["LoggingSettings", "WorkingSettings"]


class LoggingSettings(BaseSettings):
    """What the log looks like."""

    log_format: Literal["auto", "json", "text"] = "auto"
    """`json` for machines, `text` for people; `auto` is text on a terminal, else json."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is written."""


class WorkingSettings(BaseSettings):
    """When something is said, who works, and on which port one sees that it does."""

    repeat_interval_seconds: Annotated[float, Field(ge=0, le=3600)] = 10.0
    """Repeats of one failure are written at most this often; the first is written at once."""

    stabilisation_seconds: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    """A workload of which nothing has failed for this long has recovered: Resolved becomes True."""

    resync_seconds: Annotated[float, Field(ge=0, le=86_400)] = 1800.0
    """Everything is listed again this often, in case something was lost; 0 never does."""

    leader_election: bool = True
    """Of several operators on one cluster only the holder of a Lease works. False never asks for
    it: then make sure that there is only one."""

    identity: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        default_factory=name_of_this_process
    )
    """The name under which the Lease is held. In a Pod it is `POD_NAME` (from the downward API), so
    that a container that was restarted goes on soon; elsewhere the host's name with a random
    end."""

    lease_seconds: Annotated[int, Field(ge=3, le=300)] = 10
    """How long the Lease of an operator that died keeps others from taking over."""

    probe_port: Annotated[int | None, Field(ge=0, le=65_535)] = None
    """Serves /livez, /readyz and /metrics on this port; None does not, 0 takes any free one."""

    probe_host: str = "0.0.0.0"  # noqa: S104 - the kubelet and Prometheus come from outside
    """The address on which they are served."""

    debug_endpoints: bool = False
    """True serves /debug/memory and /debug/models beside the probes, for who looks for a defect:
    sizes, and names of models. Whoever reaches the port may read them."""

    otlp_endpoint: HttpUrl | None = Field(default_factory=standard_collector, validate_default=True)
    """The base of a collector (OTLP over HTTP), such as http://collector.monitoring:4318, to which
    a trace of each diagnosis is sent: times and words, never a text. Unset, the standard
    `OTEL_EXPORTER_OTLP_ENDPOINT` counts; without either nothing is traced. Needs the extra
    `tracing`."""

    stream_dead_seconds: Annotated[float, Field(ge=30, le=86_400)] = 300.0
    """/livez fails when a stream has not worked for this long."""

    refresh_seconds: Annotated[float, Field(ge=30, le=86_400)] = 600.0
    """A failure that goes on is diagnosed again after this long: its cause may have changed."""

    concurrent_diagnoses: Annotated[int, Field(ge=1, le=64)] = 4
    """How many failures are diagnosed at the same time."""

    queue_size: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    """How many changed Pods may wait for a worker; beyond it the oldest is dropped and counted."""
