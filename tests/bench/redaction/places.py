"""Where a secret is planted: a log, a stack trace, an event, the environment, an annotation."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import yaml
from bench.redaction.clean_lines import LINES, stamp
from bench.redaction.secret import Secret, Shown
from bench.redaction.syntaxes import SYNTAXES

__all__ = ["TRACES", "Planted", "logged", "secret_manifest", "written"]

_SENTENCES = (
    *("could not log in with {}: denied", "using {} for the request", "got {}", "({})", "'{}'"),
    *("retrying https://api.example.com/v1 with {} in 5 s", "unexpected value {}, giving up"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A text with a secret in it, and in which syntax it was written."""

    secret: Secret
    text: str
    how: str


def written(rng: Random, secret: Secret) -> Planted:
    """The secret in a syntax that can hold it and that gives it away."""
    while True:
        how, text = _written(rng, secret)
        if text is not None:
            return Planted(secret=secret, text=text, how=how)


def _written(rng: Random, secret: Secret) -> tuple[str, str | None]:
    if secret.shown is not Shown.NAMED and rng.random() < 0.4:
        if "\n" in secret.text:
            return "raw", rng.choice(["{}", "tls.key:\n{}", "loaded\n{}\ndone"]).format(secret.text)
        if secret.shown is Shown.WHOLE:
            return "raw", secret.text
        return "sentence", rng.choice(_SENTENCES).format(secret.text)
    names = list(secret.names)
    if secret.shown is not Shown.NAMED:
        names += ["value", "config", "x", "payload"]
    how = rng.choice(list(SYNTAXES))
    return how, SYNTAXES[how](rng, rng.choice(names), secret.text)


def secret_manifest(rng: Random, secret: Secret) -> Planted:
    """A Kubernetes Secret, as an object or printed; its keys say nothing."""
    key = rng.choice(["a", "config", "values.yaml", "tls.crt", "username"])
    encoded = base64.b64encode(secret.text.encode()).decode()
    field, value = rng.choice([("data", encoded), ("stringData", secret.text)])
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db-credentials", "namespace": "shop"},
        field: {key: value, "port": "ODA=" if field == "data" else "80"},
        "type": "Opaque",
    }
    form = rng.choice(["json", "json lines", "yaml", "in json"])
    text = {
        "json": lambda: json.dumps(document),
        "json lines": lambda: json.dumps(document, indent=2),
        "yaml": lambda: yaml.safe_dump(document, sort_keys=rng.random() < 0.5),
        "in json": lambda: json.dumps({"log": json.dumps(document)}),
    }[form]()
    return Planted(secret=secret, text=text, how=f"Secret {field} as {form}")


def _prefixed(rng: Random, text: str) -> str:
    """The lines of a log as runtimes and shippers write them."""
    prefix = rng.choice(
        [
            *("", "", "", f"{stamp(rng)} ", f"{stamp(rng)} INFO  [main] "),
            "I0102 03:04:05.000001       1 main.go:12] ",
            "2026-01-02T03:04:05.000000001Z stdout F ",
        ]
    )
    if rng.random() < 0.1:
        return "\n".join(
            json.dumps({"log": line + "\n", "stream": "stderr"}) for line in text.split("\n")
        )
    if "\n" in text and rng.random() < 0.5:
        return text
    return "\n".join(prefix + line for line in text.split("\n"))


def logged(rng: Random, text: str) -> str:
    """The text among clean lines, as a runtime or a logger writes it."""
    before = [rng.choice(LINES)(rng) for _ in range(rng.randrange(3))]
    after = [rng.choice(LINES)(rng) for _ in range(rng.randrange(3))]
    return "\n".join([*before, _prefixed(rng, text), *after]) + "\n"


def _java(rng: Random, text: str) -> str:
    return (
        f'Exception in thread "main" java.lang.IllegalStateException: {text}\n'
        "\tat com.example.shop.Config.load(Config.java:42)\n"
        f"Caused by: java.sql.SQLException: {text}\n\t... 12 more\n"
    )


def _python(rng: Random, text: str) -> str:
    return (
        'Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>\n'
        f"    connect(settings)\nRuntimeError: {text}\n"
    )


def _go(rng: Random, text: str) -> str:
    return f"panic: {text}\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:9 +0x1d\n"


def _node(rng: Random, text: str) -> str:
    return f"/app/server.js:12\nError: {text}\n    at Object.<anonymous> (/app/server.js:12:9)\n"


TRACES: dict[str, Callable[[Random, str], str]] = {
    "java trace": _java,
    "python trace": _python,
    "go trace": _go,
    "node trace": _node,
}
