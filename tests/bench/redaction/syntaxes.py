"""How a name and a value are written down, each with the escaping that the syntax asks for.

A syntax refuses (None) what it cannot hold: a value with a line break does not stand in a flag.
"""

from __future__ import annotations

import html
import json
import shlex
import urllib.parse
from collections.abc import Callable
from random import Random

__all__ = ["SYNTAXES", "Syntax"]

Syntax = Callable[[Random, str, str], str | None]
_UNQUOTABLE = set(" \t\n\"'\\`$;,&|<>(){}[]#=:@?")


def _plain(value: str) -> bool:
    return not _UNQUOTABLE.intersection(value) and not value.startswith(("!", "%", "*", "-", "~"))


def _lines(form: str) -> Syntax:
    """A form for values that need no quotes."""
    return lambda _, name, value: form.format(name, value) if _plain(value) else None


def _env_name(name: str) -> str:
    return name if name.isidentifier() else name.strip(".").replace("-", "_").replace(".", "_")


def _env(rng: Random, name: str, value: str) -> str | None:
    name = _env_name(name)
    if "\n" in value:
        return f'{name}="{value}"' if not set('"\\$`').intersection(value) else None
    return rng.choice(["{}={}", "export {}={}", "+ {}={}", "docker run -e {}={} api"]).format(
        name, shlex.quote(value)
    )


def _json(rng: Random, name: str, value: str) -> str:
    document = {"level": "info", name: value, "port": 80}
    return json.dumps(document, indent=rng.choice([None, None, 2]))


def _json_in_json(rng: Random, name: str, value: str) -> str:
    text = _json(rng, name, value)
    for _ in range(rng.choice([1, 1, 2, 3])):
        text = json.dumps({"time": "2026-01-02T03:04:05Z", "log": text})
    return text


def _escaped(rng: Random, name: str, value: str) -> str:
    text = json.dumps(json.dumps({name: value, "a": 1}))
    return f"payload={text}" if rng.random() < 0.5 else f"could not parse {text}: unexpected end"


def _unicode_escaped(_: Random, name: str, value: str) -> str:
    quote = "\\u0022"
    inner = json.dumps(value)[1:-1].replace("&", "\\u0026").replace("=", "\\u003d")
    inner = inner.replace("<", "\\u003c").replace("'", "\\u0027").replace("+", "\\u002b")
    return f"{{{quote}{name}{quote}:{quote}{inner}{quote}}}"


def _python(_: Random, name: str, value: str) -> str:
    return repr({"user": "app", name: value, "retries": 3})


def _python_object(_: Random, name: str, value: str) -> str:
    return f"Settings(host='db', {_env_name(name)}={value!r}, port=5432)"


def _url(rng: Random, name: str, value: str) -> str:
    pair = urllib.parse.urlencode({"user": "app", name: value, "page": "2"})
    form = rng.choice(
        ['"GET /v1/orders?{} HTTP/1.1" 403', "https://api.example.com/v1?{}", "body: {}"]
    )
    return form.format(pair)


def _url_in_url(rng: Random, name: str, value: str) -> str:
    inner = urllib.parse.urlencode({name: value, "a": "b"})
    for _ in range(rng.choice([1, 2])):
        inner = urllib.parse.quote(inner, safe="")
    return f"GET /login?next={inner}&x=1"


def _yaml(rng: Random, name: str, value: str) -> str | None:
    if "\n" in value:
        body = value.replace("\n", "\n    ")
        return f"config:\n  {name}: |\n    {body}\n  port: 80"
    doubled = value.replace("'", "''")
    forms = [f"{name}: '{doubled}'", f"{name}: {json.dumps(value)}"]
    if _plain(value):
        forms += [
            f"{name}: {value}",
            f"{name}: {value} # rotate",
            f"x: {{{name}: {value}, port: 80}}",
        ]
    return f"config:\n  {rng.choice(forms)}\n  port: 80"


def _yaml_variable(rng: Random, name: str, value: str) -> str | None:
    shown = json.dumps(value)
    if _plain(value) and rng.random() < 0.5:
        shown = value
    if "\n" in value:
        shown = "|\n      " + value.replace("\n", "\n      ")
    return f"env:\n  - name: {name}\n    value: {shown}\n  - name: PORT\n    value: '80'"


def _flag(rng: Random, name: str, value: str) -> str | None:
    if "\n" in value or value.startswith("-"):
        return None
    flag = "--" + name.strip(".").replace("_", "-")
    form = rng.choice(["run {} {} --port 80", "run {}={} --port 80", "exec: {} {}"])
    return form.format(flag, shlex.quote(value))


def _arguments(rng: Random, name: str, value: str) -> str | None:
    if value.startswith("-"):
        return None
    flag = "--" + name.strip(".").replace("_", "-")
    words = rng.choice([["run", flag, value, "--port=80"], ["run", f"{flag}={value}"]])
    if "\n" in value:
        words = ["run", flag, value]
    return rng.choice([json.dumps, repr])(words)


def _logfmt(rng: Random, name: str, value: str) -> str | None:
    shown = value if _plain(value) and rng.random() < 0.5 else json.dumps(value)
    return f'time=2026-01-02T03:04:05Z level=info {name}={shown} msg="started" port=80'


def _header(rng: Random, name: str, value: str) -> str | None:
    if not _plain(value):
        return None
    title = "X-" + name.strip(".").replace("_", "-").replace(".", "-").title()
    return rng.choice(["{}: {}", "> {}: {}", "[{}:[{}]]"]).format(title, value)


def _xml(rng: Random, name: str, value: str) -> str | None:
    if not name[0].isalpha():
        return None
    text, attribute = html.escape(value, quote=False), html.escape(value)
    form = rng.choice(
        [
            f"<{name}>{text}</{name}>",
            f'<{name} type="string">{text}</{name}>',
            f'<property name="{name}" value="{attribute}"/>',
            f'<add key="{name}" value="{attribute}" />',
            f'<db host="db" {name}="{attribute}" port="1"/>',
            f"<{name}><![CDATA[{value}]]></{name}>",
            f'<string name="{name}">{text}</string>',
        ]
    )
    return rng.choice([form, html.escape(form)]) if "CDATA" not in form else form


def _properties(rng: Random, name: str, value: str) -> str | None:
    if not _plain(value):
        return None
    return rng.choice(["app.{}={}", "{} = {}", "{}:{}", "[main]\n{}={}\nport=80"]).format(
        name, value
    )


def _toml(_: Random, name: str, value: str) -> str:
    return f"[db]\n{name} = {json.dumps(value)}\nport = 5432"


SYNTAXES: dict[str, Syntax] = {
    "env": _env,
    "json": _json,
    "json in json": _json_in_json,
    "escaped": _escaped,
    "unicode escaped": _unicode_escaped,
    "python dict": _python,
    "python object": _python_object,
    "url": _url,
    "url in url": _url_in_url,
    "yaml": _yaml,
    "yaml variable": _yaml_variable,
    "flag": _flag,
    "arguments": _arguments,
    "logfmt": _logfmt,
    "header": _header,
    "xml": _xml,
    "properties": _properties,
    "toml": _toml,
    "java object": _lines("Config{{user=app, {}={}, port=80}}"),
    "go struct": _lines("&{{User:app {}:{} Port:80}}"),
    "go map": _lines("map[{}:{} port:80]"),
    "ruby hash": lambda _, name, value: (
        f'{{:user=>"app", :{_env_name(name)}=>{json.dumps(value)}}}'
    ),
    "rust debug": lambda _, name, value: (
        f"Config {{ {_env_name(name)}: Some({json.dumps(value)}) }}"
    ),
    "php array": lambda _, name, value: (
        None if "'" in value or "\\" in value else f"['user' => 'app', '{name}' => '{value}']"
    ),
    "colour": _lines("\x1b[36m{}=\x1b[0m{}"),
}
