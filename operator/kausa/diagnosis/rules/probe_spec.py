"""A probe as the Pod's spec has it, in words, and what is odd about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kausa.diagnosis.rules.facts import Fields
from kausa.diagnosis.rules.wording import clip, plural
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import at, number, rows, strings, table, text

__all__ = ["ProbeSpec", "probe_spec"]

KINDS = ("httpGet", "tcpSocket", "exec", "grpc")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSpec:
    """What a probe asks and how patient it is; times in seconds, as the API defaults them."""

    kind: str
    asks: str
    """`GET /healthz on port 8080`."""
    path: str = ""
    port: str = ""
    command: tuple[str, ...] = ()
    initial_delay: int = 0
    period: int = 10
    timeout: int = 1
    failures: int = 3
    declared_ports: tuple[str, ...] = ()
    """The numbers and names of the ports that the container declares; it may use others."""

    @property
    def patience(self) -> int:
        """Seconds after the start until it has failed for good."""
        return self.initial_delay + self.period * self.failures

    @property
    def times(self) -> str:
        """`after 5 s, every 10 s, timeout 1 s, 3 failures`."""
        begins = f"initial delay {self.initial_delay} s, " if self.initial_delay else ""
        failures = plural(self.failures, "failure")
        return f"{begins}every {self.period} s, timeout {self.timeout} s, gives up after {failures}"

    @property
    def port_is_odd(self) -> bool:
        """Whether the container declares ports, and not the one that is asked."""
        return bool(self.port and self.declared_ports) and self.port not in self.declared_ports


def probe_spec(dossier: Dossier, container: str | None, probe: str) -> ProbeSpec | None:
    """The `liveness`, `readiness` or `startup` probe of a container, where its Pod was read."""
    found = next(_containers(dossier, container), None)
    fields = table(found, f"{probe}Probe")
    if not fields:
        return None
    kind = next((each for each in KINDS if each in fields), "")
    port = text(fields, kind, "port")
    return ProbeSpec(
        kind=kind,
        asks=_asks(fields, kind, port),
        path=text(fields, "httpGet", "path") or ("/" if kind == "httpGet" else ""),
        port=port,
        command=strings(fields, "exec", "command"),
        initial_delay=_seconds(fields, "initialDelaySeconds", 0),
        period=_seconds(fields, "periodSeconds", 10),
        timeout=_seconds(fields, "timeoutSeconds", 1),
        failures=_seconds(fields, "failureThreshold", 3),
        declared_ports=tuple(
            str(value)
            for each in rows(found, "ports")
            for value in (at(each, "containerPort"), at(each, "name"))
            if value not in (None, "")
        ),
    )


def _containers(dossier: Dossier, name: str | None) -> Iterator[Fields]:
    pod = dossier.object("Pod", dossier.pod.metadata.name)
    for group in ("containers", "initContainers"):
        for each in rows(pod, "spec", group):
            if name is None or text(each, "name") == name:
                yield each


def _asks(fields: Fields, kind: str, port: str) -> str:
    where = f" on port {port}" if port else ""
    if kind == "httpGet":
        scheme = text(fields, "httpGet", "scheme").upper()
        verb = "GET over HTTPS" if scheme == "HTTPS" else "GET"
        return f"{verb} {text(fields, 'httpGet', 'path') or '/'}{where}"
    if kind == "exec":
        return f"the command {clip(' '.join(strings(fields, 'exec', 'command')), characters=80)}"
    return f"{'a gRPC call' if kind == 'grpc' else 'a TCP connection'}{where}"


def _seconds(fields: Fields, name: str, default: int) -> int:
    found = number(fields, name)
    return found if found is not None and found >= 0 else default
