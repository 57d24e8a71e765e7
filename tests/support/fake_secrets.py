"""Obviously fake secrets, put together at run time so that none stands in the tree."""

from __future__ import annotations

import string

from hypothesis import strategies as st

FAKE = "Fake" + "0Secret" + "9Value"
HIGH = "A1b2C3d4" * 8

ALNUM = string.ascii_letters + string.digits


def _of(*, size: int) -> st.SearchStrategy[str]:
    return st.text(alphabet=ALNUM, min_size=size, max_size=size)


def _joined(*parts: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(p) if isinstance(p, str) else p for p in parts)).map("".join)


UPPER = st.text(alphabet=string.ascii_uppercase + string.digits, min_size=16, max_size=16)

TOKENS: dict[str, st.SearchStrategy[str]] = {
    "jwt": _joined("ey" + "J", _of(size=20), ".ey" + "J", _of(size=30), ".", _of(size=43)),
    "aws-key": _joined("AK" + "IA", UPPER),
    "gcp-key": _joined("AI" + "za", _of(size=35)),
    "github-token": _joined("gh" + "p_", _of(size=36)) | _joined("github" + "_pat_", _of(size=60)),
    "gitlab-token": _joined("gl" + "pat-", _of(size=20)),
    "slack-token": _joined("xo" + "xb-", _of(size=24)),
    "stripe-key": _joined("sk" + "_live_", _of(size=24)),
    "npm-token": _joined("np" + "m_", _of(size=36)),
    "pypi-token": _joined("py" + "pi-AgE", _of(size=60)),
    "model-key": _joined("sk" + "-proj-", _of(size=40)),
    "vault-token": _joined("hv" + "s.", _of(size=24)),
    "docker-token": _joined("dckr" + "_pat_", _of(size=27)),
}

# What people use as passwords: any printable character but those that end a value in most
# syntaxes, and at least one digit, so that it is no word of a sentence.
PASSWORDS = st.builds(
    lambda body, digit, tail: f"{body}{digit}{tail}",
    st.text(alphabet=ALNUM + "!#%^*+_~", min_size=5, max_size=24),
    st.sampled_from(string.digits),
    st.text(alphabet=ALNUM, min_size=2, max_size=8),
)

KEYS = st.sampled_from(
    [
        "password",
        "DB_PASSWORD",
        "PGPASSWORD",
        "dbPassword",
        "spring.datasource.password",
        "passwd",
        "pwd",
        "SMTP_PASS",
        "SMTP_PW",
        "creds",
        "dockerconfigjson",
        "API_TOKEN",
        "accessToken",
        "client_secret",
        "clientSecret",
        "API_KEY",
        "apiKey",
        "APIKey",
        "AWS_SECRET_ACCESS_KEY",
        "access-key",
        "private_key",
        "SharedAccessKey",
        "credentials",
        "connectionString",
        "PASSWORD_BLUE",
    ]
)

PAIRS = st.sampled_from(
    [
        "{key}={value}",
        "{key} = {value}",
        "{key}: {value}",
        "  {key}: '{value}'",
        '- {key}: "{value}"',
        'level=info {key}={value} msg="started"',
        'level=info msg="starting with {key}={value}" port=80',
        '{{"{key}":"{value}","user":"app"}}',
        '{{"{key}": "{value}"}}',
        '{{"log":"{{\\"{key}\\":\\"{value}\\",\\"a\\":1}}"}}',
        '{{"a":"{{\\\\\\"{key}\\\\\\":\\\\\\"{value}\\\\\\"}}"}}',
        "{{'{key}': '{value}'}}",
        "{{'{key}' => '{value}'}}",
        "run --{key} {value} --port 80",
        "run --{key}={value} --port 80",
        'args: ["--{key}", "{value}"]',
        "args:\n- --{key}\n- {value}\n",
        "Server=db;Uid=app;{key}={value};Timeout=3",
        "map[{key}:{value} port:80]",
        "GET /v1/orders?{key}={value}&page=2",
        "env:\n- name: {key}\n  value: {value}\n",
        '{{"name":"{key}","value":"{value}"}}',
        '{{\\"name\\":\\"{key}\\",\\"value\\":\\"{value}\\"}}',
        "<{key}>{value}</{key}>",
        "first line\\n{key}={value}\\nlast line",
        "\x1b[36m{key}=\x1b[0m{value}",
        "{key}: |\n  {value}\nport: 80",
        "export {key}={value}",
    ]
)


def pem(*, label: str = "RSA ", newline: str = "\n", lines: int = 4, end: bool = True) -> str:
    """Return something that looks like a private key."""
    dashes = "-" * 5
    body = [HIGH] * lines + ["shortTail0="]
    first = f"{dashes}BEGIN {label}PRIVATE KEY{dashes}"
    last = [f"{dashes}END {label}PRIVATE KEY{dashes}"] if end else []
    return newline.join([first, *body, *last])
