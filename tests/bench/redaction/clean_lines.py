"""Log lines as programs write them, without any secret: each call makes another one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from random import Random

from bench.redaction.secret import HEX, LOWER, draw

__all__ = ["LINES", "stamp"]

_PATHS = ("/v1/orders", "/healthz", "/api/v2/users/42", "/static/app.3f2a9c.js", "/login", "/token")
_HOSTS = ("db.shop.svc.cluster.local", "cache-0.cache", "api.example.com", "10.42.0.17", "orders")
_PROSE = """
the connection was closed by its peer before all of the answer had been read so the
request is tried again after a while unless the deadline is over and the caller has
gone away in the meantime which happens when the author of a message key or the
keyboard token bucket secrets manager passes authority session control or credential
provider says that nothing matched
"""
_WORDS = tuple(_PROSE.split())


def stamp(rng: Random) -> str:
    """A time, as one of the many ways to write it."""
    day, hour, minute = rng.randrange(1, 29), rng.randrange(24), rng.randrange(60)
    second, milli = rng.randrange(60), rng.randrange(1000)
    return rng.choice(
        [
            f"2026-01-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z",
            f"2026-01-{day:02} {hour:02}:{minute:02}:{second:02},{milli:03}",
            f"2026/01/{day:02} {hour:02}:{minute:02}:{second:02}",
        ]
    )


def _prose(rng: Random) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randrange(4, 14)))


def _pod(rng: Random) -> str:
    name = rng.choice(["checkout", "orders", "auth-proxy"])
    return f"{name}-{draw(rng, HEX, 9)}-{draw(rng, LOWER, 5)}"


def _uid(rng: Random) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128))


def _access(rng: Random) -> str:
    agent = rng.choice(["curl/8.5.0", "kube-probe/1.36", "Mozilla/5.0 (X11; Linux x86_64)"])
    query = rng.choice(["", "?page=2&size=10", "?q=red+shoes&sort=price", "?sort_key=name"])
    return (
        f"10.42.{rng.randrange(256)}.{rng.randrange(256)} - - [02/Jan/2026:03:04:05 +0000] "
        f'"GET {rng.choice(_PATHS)}{query} HTTP/1.1" {rng.choice([200, 301, 404, 500])} '
        f'{rng.randrange(9999)} "-" "{agent}"'
    )


def _java(rng: Random) -> str:
    name = rng.choice(
        ["c.e.shop.OrderService", "o.s.b.w.embedded.tomcat", "o.a.k.clients.Metadata"]
    )
    thread = f"[nio-8080-exec-{rng.randrange(9)}]"
    level = rng.choice(["INFO", "WARN"])
    return f"{stamp(rng)}  {level} 1 --- {thread} {name} : {_prose(rng)}"


def _java_trace(rng: Random) -> str:
    frames = [
        f"\tat com.example.shop.{rng.choice(['Orders', 'TokenFilter', 'KeyStore'])}."
        f"{rng.choice(['load', 'apply', 'lambda$run$0'])}(Orders.java:{rng.randrange(400)})"
        for _ in range(rng.randrange(2, 6))
    ]
    return "\n".join([f"java.lang.IllegalStateException: {_prose(rng)}", *frames, "\t... 23 more"])


def _python_trace(rng: Random) -> str:
    return (
        "Traceback (most recent call last):\n"
        f'  File "/app/orders/{rng.choice(["views", "keys", "tokens"])}.py", '
        f"line {rng.randrange(300)}, in handle\n"
        "    return self.inner(request, *args, **kwargs)\n"
        f"KeyError: '{rng.choice(['customer_id', 'DB_PASSWORD', 'token', 'sort_key'])}'"
    )


def _go(rng: Random) -> str:
    return (
        f"I0102 03:04:05.{rng.randrange(10**6):06}       1 "
        f"{rng.choice(['controller', 'reflector'])}.go:{rng.randrange(900)}] "
        f'"{_prose(rng)}" pod="shop/{_pod(rng)}" uid="{_uid(rng)}"'
    )


def _go_trace(rng: Random) -> str:
    return (
        f"goroutine {rng.randrange(900)} [running]:\n"
        f"main.(*Server).Handle(0x{draw(rng, HEX, 10)}, {{0x{draw(rng, HEX, 8)}, 0x5}})\n"
        f"\t/src/cmd/server/main.go:{rng.randrange(300)} +0x{draw(rng, HEX, 3)}"
    )


def _json_line(rng: Random) -> str:
    return json.dumps(
        {
            "level": rng.choice(["info", "warn", "debug"]),
            "ts": stamp(rng),
            "msg": _prose(rng),
            "trace_id": draw(rng, HEX, 32),
            "span_id": draw(rng, HEX, 16),
            "status": rng.choice([200, 404, 503]),
            "key": rng.choice(["orders:42", "user:7:cart", "cache/v2/home"]),
            "session": rng.choice(["closed", "active", "7"]),
        }
    )


def _logfmt(rng: Random) -> str:
    return (
        f"time={stamp(rng).replace(' ', 'T')} level=info caller=main.go:{rng.randrange(99)} "
        f'msg="{_prose(rng)}" path={rng.choice(_PATHS)} duration={rng.randrange(900)}ms '
        f"request_id={uuid.UUID(int=rng.getrandbits(128))} key={rng.choice(['abc', 'orders:1'])}"
    )


def _node(rng: Random) -> str:
    return (
        f"Error: connect ECONNREFUSED 10.0.0.{rng.randrange(256)}:5432\n"
        f"    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:{rng.randrange(2000)}:16)\n"
        f"    at processTicksAndRejections (/app/node_modules/pg-pool/index.js:"
        f"{rng.randrange(99)}:11)"
    )


def _event(rng: Random) -> str:
    digest = draw(rng, HEX, 64)
    return rng.choice(
        [
            f"Warning BackOff pod/{_pod(rng)} Back-off restarting failed container api",
            f'Normal Pulled Successfully pulled image "registry.example/api@sha256:{digest}" in 1s',
            'Warning Failed Error: secret "db-credentials" not found',
            "Warning Failed Error: couldn't find key password in Secret shop/db-credentials",
            "Warning FailedMount MountVolume.SetUp failed for volume "
            f'"kube-api-access-{draw(rng, LOWER, 5)}" : '
            f'failed to fetch token: serviceaccounts "checkout" not found',
            f"0/5 nodes are available: {rng.randrange(5)} Insufficient cpu, 1 had a taint",
        ]
    )


def _build(rng: Random) -> str:
    commit = draw(rng, HEX, 40)
    return rng.choice(
        [
            f"commit {commit} merged into main by maya",
            f"version=1.{rng.randrange(40)}.4 git_commit={commit[:12]} go=go1.24.1",
            f"sha256:{draw(rng, HEX, 64)}  layer {rng.randrange(9)} of 9, {rng.randrange(99)} MB",
            f"  - package-{draw(rng, 'abcdefgh', 5)}@{rng.randrange(9)}.4.1 integrity checked",
            f'etag W/"{draw(rng, HEX, 20)}" for /static/app.{draw(rng, HEX, 8)}.js',
            f"Kubelet cgroup /kubepods/burstable/pod{_uid(rng)}/{draw(rng, HEX, 64)}",
        ]
    )


def _network(rng: Random) -> str:
    host = rng.choice(_HOSTS)
    return rng.choice(
        [
            f"dial tcp {host}:5432: connect: connection refused",
            f"GET https://{host}/v1/items/{rng.randrange(999)}?fields=name,price 200 OK in 7ms",
            f"connecting to postgres://orders@{host}:5432/orders as user orders",
            f"listening on http://[::]:{rng.randrange(1024, 9999)} and unix:///var/run/app.sock",
            f"x509: certificate has expired or is not yet valid: current time {stamp(rng)}",
            f'authentication failed for user "{rng.choice(["orders", "app"])}": token expired',
        ]
    )


def _settings(rng: Random) -> str:
    return rng.choice(
        [
            "HOME=/home/app PATH=/usr/local/bin:/usr/bin LANG=C.UTF-8 PWD=/app SHLVL=1",
            f"max_tokens={rng.randrange(4096)} prompt_tokens={rng.randrange(900)} total_tokens=12",
            "DB_PASSWORD_FILE=/run/secrets/db-password TOKEN_TTL=15m SECRET_NAME=db-credentials",
            "password_policy.min_length=12 keyspace=orders partition_key=customer_id keepalive=60s",
            "auth.enabled=true auth.method=oidc session.timeout=30m cookie.secure=true",
            f"primary_key=id foreign_key=order_id cache_key=user:{rng.randrange(99)}:cart",
            f"--tls-private-key-file=/etc/tls/tls.key --token-ttl=1h --v={rng.randrange(6)}",
        ]
    )


LINES: tuple[Callable[[Random], str], ...] = (
    *(_access, _access, _java, _java, _java_trace, _python_trace, _go, _go, _go_trace, _json_line),
    *(_json_line, _logfmt, _logfmt, _node, _event, _build, _network, _settings, _prose),
)
