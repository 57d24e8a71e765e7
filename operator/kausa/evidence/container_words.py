"""A container's spec in words: what is run, with what, how it is probed, and what it may use.

Values of variables are never told, only their names and where each comes from.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kausa.evidence.fields import at, flag, number, rows, strings, table, text

__all__ = ["container_in_words", "probe_in_words", "quantities", "security_in_words"]

MOST_NAMES = 20
MOST_MOUNTS = 10
LONGEST_COMMAND = 300
_PROBES = (
    ("startupProbe", "startup probe"),
    ("livenessProbe", "liveness probe"),
    ("readinessProbe", "readiness probe"),
)


def container_in_words(container: object, *, role: str = "container") -> str:
    """The whole container in one text, what decides most often first."""
    parts = [
        f"{role} {text(container, 'name')}: image {text(container, 'image')}",
        *_run(container),
        f"requests {quantities(table(container, 'resources', 'requests'))}",
        f"limits {quantities(table(container, 'resources', 'limits'))}",
        *_probes(container),
        *_environment(container),
        *_mounts(container),
        *_ports(container),
        *_manners(container),
    ]
    return "; ".join(parts)


def _run(container: object) -> Iterator[str]:
    policy = text(container, "imagePullPolicy")
    if policy:
        yield f"imagePullPolicy {policy}"
    for field in ("command", "args"):
        words = strings(container, field)
        if words:
            yield f"{field} {_command(words)}"
    folder = text(container, "workingDir")
    if folder:
        yield f"workingDir {folder}"


def quantities(named: Mapping[str, object] | None) -> str:
    """`cpu=500m, memory=256Mi`, or `none`."""
    return ", ".join(f"{name}={value}" for name, value in sorted((named or {}).items())) or "none"


def _probes(container: object) -> Iterator[str]:
    for field, name in _PROBES:
        probe = table(container, field)
        if probe:
            yield f"{name} {probe_in_words(probe)}"


def probe_in_words(probe: object) -> str:
    """`GET :8080/healthz after 0 s every 10 s, timeout 1 s, fails after 3`."""
    delay = number(probe, "initialDelaySeconds") or 0
    period = number(probe, "periodSeconds") or 10
    timeout = number(probe, "timeoutSeconds") or 1
    failures = number(probe, "failureThreshold") or 3
    return (
        f"{_asks(probe)} after {delay} s every {period} s, timeout {timeout} s, "
        f"fails after {failures}"
    )


def _asks(probe: object) -> str:
    web = table(probe, "httpGet")
    if web:
        scheme = text(web, "scheme")
        secure = " with HTTPS" if scheme == "HTTPS" else ""
        return f"GET {text(web, 'host')}:{text(web, 'port')}{text(web, 'path') or '/'}{secure}"
    if table(probe, "tcpSocket"):
        return f"connects to :{text(probe, 'tcpSocket', 'port')}"
    remote = at(probe, "grpc")
    if isinstance(remote, Mapping):
        return f"gRPC :{text(remote, 'port')}"
    return f"runs {_command(strings(probe, 'exec', 'command')) or 'nothing'}"


def _command(words: Sequence[str]) -> str:
    """As a shell writes it. What is too long is left out by whole words: half a word may be half a
    secret, which no redactor knows any more; and the word behind `--password` is one of its own.
    """
    written = [shlex.quote(each) for each in words]
    kept, length = 0, 0
    for each in written:
        length += len(each) + 1
        if length > LONGEST_COMMAND + 1:
            break
        kept += 1
    left = len(written) - kept
    more = [f"… ({left} more)"] if left else []
    return " ".join((*written[:kept], *more))


def _environment(container: object) -> Iterator[str]:
    named = [_variable(each) for each in rows(container, "env") if text(each, "name")]
    if named:
        more = f" and {len(named) - MOST_NAMES} more" if len(named) > MOST_NAMES else ""
        yield f"environment {', '.join(named[:MOST_NAMES])}{more}"
    sources = [_source(each) for each in rows(container, "envFrom")]
    if sources:
        yield f"environment of {', '.join(sources[:MOST_NAMES])}"


def _variable(variable: Mapping[str, Any]) -> str:
    name, origin = text(variable, "name"), table(variable, "valueFrom")
    for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        reference = table(origin, field)
        if reference:
            optional = ", optional" if flag(reference, "optional") else ""
            of = f"{kind} {text(reference, 'name')}{optional}"
            return f"{name} (key {text(reference, 'key')} of {of})"
    for field, key in (("fieldRef", "fieldPath"), ("resourceFieldRef", "resource")):
        reference = table(origin, field)
        if reference:
            return f"{name} ({text(reference, key)})"
    if "value" in variable and not text(variable, "value"):
        return f"{name} (empty)"
    return name


def _source(source: Mapping[str, Any]) -> str:
    for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        reference = table(source, field)
        if reference:
            optional = " (optional)" if flag(reference, "optional") else ""
            return f"{kind} {text(reference, 'name')}{optional}"
    return "nothing"


def _mounts(container: object) -> Iterator[str]:
    mounts = [
        _mount(each)
        for each in rows(container, "volumeMounts")
        if not text(each, "mountPath").startswith("/var/run/secrets/kubernetes.io")
    ]
    if mounts:
        yield f"mounts {', '.join(mounts[:MOST_MOUNTS])}"


def _mount(mount: Mapping[str, Any]) -> str:
    below = text(mount, "subPath") or text(mount, "subPathExpr")
    read_only = " read-only" if flag(mount, "readOnly") else ""
    what = f"{text(mount, 'name')}{f'/{below}' if below else ''}"
    return f"{what} at {text(mount, 'mountPath')}{read_only}"


def _ports(container: object) -> Iterator[str]:
    ports = []
    for port in rows(container, "ports"):
        name, host = text(port, "name"), text(port, "hostPort")
        on_host = f" on host port {host}" if host else ""
        ports.append(f"{text(port, 'containerPort')}{f' ({name})' if name else ''}{on_host}")
    if ports:
        yield f"ports {', '.join(ports[:MOST_NAMES])}"


def _manners(container: object) -> Iterator[str]:
    for hook in ("postStart", "preStop"):
        found = table(container, "lifecycle", hook)
        if found:
            yield f"{hook} hook {_asks(found)}"
    security = security_in_words(table(container, "securityContext"))
    if security:
        yield f"securityContext {security}"
    policy = text(container, "restartPolicy")
    if policy:
        yield f"restartPolicy {policy}"
    ending = text(container, "terminationMessagePolicy")
    if ending and ending != "File":
        yield f"terminationMessagePolicy {ending}"


def security_in_words(security: Mapping[str, Any]) -> str:
    """The settings of a securityContext that are made, `runAsUser=1000, privileged=true`."""
    parts = []
    for key in sorted(security, key=str)[:MOST_NAMES]:
        value = security[key]
        if isinstance(value, bool):
            parts.append(f"{key}={str(value).lower()}")
        elif text(value):
            parts.append(f"{key}={text(value)}")
        elif key == "capabilities":
            for field in ("add", "drop"):
                names = strings(value, field)
                if names:
                    parts.append(f"capabilities {field} {','.join(names)}")
        elif isinstance(value, Mapping) and text(value, "type"):
            parts.append(f"{key}={text(value, 'type')}")
    return ", ".join(parts)
