"""Secrets that were written in one syntax and then in another around it."""

from __future__ import annotations

import base64
import html
import json
import shlex
import urllib.parse
from collections.abc import Callable

import pytest
from support.fake_secrets import FAKE, HIGH, pem

from kausa.evidence.redaction import Redactor

REDACTOR = Redactor(key=b"one key for one cluster")


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _unicode(text: str) -> str:
    for char in "\"'=&<>+":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


LAYERS: dict[str, Callable[[str], str]] = {
    "percent": _quoted,
    "percent twice": lambda text: _quoted(_quoted(text)),
    "form": urllib.parse.quote_plus,
    "form in an address": lambda text: _quoted(f"a=b&c={urllib.parse.quote_plus(text)}"),
    "json": json.dumps,
    "json four times": lambda text: json.dumps(json.dumps(json.dumps(json.dumps(text)))),
    "unicode": _unicode,
    "nginx": lambda text: text.replace('"', "\\x22"),
    "html": html.escape,
    "html twice": lambda text: html.escape(html.escape(text)),
    "shell": lambda text: f"sh -c {shlex.quote(shlex.quote(text))}",
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
}
TEXTS = (
    '{"user":"app","password":"%s"}',
    "postgres://app:%s@db.shop:5432/orders",
    "Authorization: Bearer %s",
    "<password>%s</password>",
    "mysql -u app --password=%s orders",
)


@pytest.mark.parametrize("layer", sorted(LAYERS))
@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_is_found_under_a_layer_and_hidden_above_it(layer: str, text: str) -> None:
    written = LAYERS[layer](text % FAKE)

    found = REDACTOR.text(f"GET /x?next={written} 200\nport=80")

    assert FAKE not in found.value
    assert LAYERS["base64"](text % FAKE) not in found.value
    assert found.value.startswith("GET /x?next=")
    assert found.value.endswith("\nport=80")


@pytest.mark.parametrize("layer", ["percent", "form", "json", "base64", "unicode"])
def test_a_private_key_is_found_under_a_layer(layer: str) -> None:
    found = REDACTOR.text(f"key={LAYERS[layer](pem())} end")

    assert HIGH[:24] not in found.value
    assert LAYERS["base64"](HIGH)[:40] not in found.value
    assert found.value.endswith(" end")


def test_base64_that_is_broken_into_lines_is_hidden_whole() -> None:
    encoded = base64.encodebytes(pem().encode()).decode().strip()

    found = REDACTOR.text(f"tls:\n{encoded}\nport: 80\n")

    assert not any(line in found.value for line in encoded.splitlines())
    assert found.value.endswith("\nport: 80\n")


def test_a_log_that_a_runtime_wrote_into_objects_is_read_as_one() -> None:
    lines = ["env:", "- name: DB_PASSWORD", f'  value: "{FAKE}"', "- name: PORT"]
    text = "\n".join(json.dumps({"log": f"{line}\n", "stream": "stderr"}) for line in lines)

    found = REDACTOR.text(text)

    assert FAKE not in found.value
    assert found.value.splitlines()[3] == text.splitlines()[3]


@pytest.mark.parametrize(
    "text",
    [
        "GET /v1/items?q=red%20shoes%26size%3D10 200",
        "progress 100%25 of 3 files, 50%",
        "digest 4Q2n8Zk0r5uXv7b1Cw3Ty6Ls9Pd2Mf5Hj8Kq1Wa4Xe= verified",
        base64.b64encode(b"the quick brown fox jumps over the lazy dog").decode(),
        "&lt;html&gt; &amp;amp; &quot;quoted&quot;",
        "echo 'it'\\''s fine' && echo ''",
        "time=2026-01-02T03:04:05+01:00 level=info",
    ],
)
def test_layers_without_a_secret_stay(text: str) -> None:
    assert REDACTOR.text(text).value == text
