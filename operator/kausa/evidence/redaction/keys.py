"""Which names announce a secret: `DB_PASSWORD` does, `secretName` and `tokenPath` don't.

A name is split into words (camelCase, snake_case, dotted, dashed). It is sensitive when one of
its words is, unless a later word says that the value is only *about* the secret: its name, its
path, its age. Unknown words after a sensitive one leave it sensitive: `PASSWORD_BLUE` is hidden.

A few names are suspicious rather than sensitive: `pass=12` counts tests and `auth=basic` names a
method. There the value decides.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from kausa.evidence.redaction.randomness import is_random
from kausa.evidence.redaction.values import looks_like_value

__all__ = [
    "MAX_KEY",
    "kind_beside",
    "label_kind",
    "random_kind",
    "sensitive_kind",
    "suspicious_kind",
]

MAX_KEY: Final = 96
"""Only the end of a longer name is looked at: in a path, the last segment says what it is."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SEGMENT: Final = re.compile(r"[\[\]./\"']+")
_HEADERS: Final = {
    "authorization": "authorization",
    "proxy-authorization": "authorization",
    "cookie": "cookie",
    "set-cookie": "cookie",
}

_ENDINGS: Final = (
    ("password", "password"),
    ("passwd", "password"),
    ("passwort", "password"),
    ("passcode", "password"),
    ("passkey", "password"),
    ("pswd", "password"),
    ("pwd", "password"),
    ("bindpw", "password"),
    ("rootpw", "password"),
    ("userpw", "password"),
    ("passphrase", "password"),
    ("secret", "secret"),
    ("token", "token"),
    ("apikey", "api-key"),
    ("accesskey", "api-key"),
    ("privatekey", "api-key"),
    ("secretkey", "api-key"),
    ("accountkey", "api-key"),
    ("authkey", "api-key"),
    ("encryptionkey", "api-key"),
    ("licensekey", "api-key"),
    ("masterkey", "api-key"),
    ("sharedkey", "api-key"),
    ("signingkey", "api-key"),
    ("storagekey", "api-key"),
    ("subscriptionkey", "api-key"),
    ("credentials", "credential"),
    ("connectionstring", "connection-string"),
)
_EXACT: Final = {
    **dict.fromkeys(
        _words(
            "adminpass dbpass ftppass keypass ldappass mailpass masterauth mypass mysqlpass psw "
            "redispass requirepass rootpass smtppass sshpass storepass sudopass truststorepass "
            "userpass"
        ),
        "password",
    ),
    "passwords": "password",
    "credential": "credential",
    "creds": "credential",
    "connstring": "connection-string",
    "connstr": "connection-string",
    "dockercfg": "credential",
    "dockerconfigjson": "credential",
}
_SUSPICIOUS: Final = {
    "pass": "password",
    "auth": "credential",
    "session": "session",
    "sessionid": "session",
    "sessid": "session",
    "jsessionid": "session",
    "phpsessid": "session",
    "sid": "session",
}
_GLUED: Final = re.compile(r"(password|passwd|apikey)([a-z]{1,32})\Z")
_VARIANT: Final = re.compile(
    r"(?:old|new|prod|production|dev|stage|staging|test|blue|green|primary|secondary|main|backup"
    r"|live|value|val|str|text|plain|raw|enc|v)\Z"
)
_BEFORE_KEY: Final = _words(
    "access account admin aes api app application auth bot cipher client consumer crypto "
    "decryption deploy encryption fernet function functions hmac insert integration jwt license "
    "master private query root rsa secret server service session shared signing ssh ssl storage "
    "subscription tls webhook write"
)
# `maps_key=...` may be a secret and `cache_key=...` is none, however random it looks.
_RANDOM_ENDINGS: Final = (
    *("csrf", "xsrf", "hmac", "jwt", "otp", "salt", "seed", "fernet", "signature", "sig"),
    *("key", "keys", "license", "licence", "dsn", "cookie"),
)
_ENDS_OF_SECRETS: Final = _words("id data pem")
_HARMLESS_BEFORE_KEY: Final = _words(
    "bucket cache candidate composite dedup document event foreign group hash host idempotency "
    "idempotent index item lock lookup message metric object partition primary public pub range "
    "record redis ring routing row shard sort stream surrogate trace unique"
)
_ABOUT: Final = _words(
    "age annotation arn audience audiences class count dir directory enabled endpoint error errors "
    "exists expiration expired expires expiry file files format host id ids key keys kind label "
    "length lifetime limit manager max min mode mount name names namespace path paths policy port "
    "prefix provider reader ref reference refs refresh request requests required resource review "
    "reviews role rotation seconds selector service size status store suffix timeout total ttl "
    "type uri url usage used user username version volume"
)
_COUNTED: Final = _words(
    "bos completion cont continue eos max min next num output pad page prompt stop total"
)


@functools.lru_cache(maxsize=4096)
def _kind(key: str) -> str | None:
    words = [word.lower() for word in _WORD.findall(key)]
    for index in range(len(words) - 1, -1, -1):
        kind = _kind_of_word(words, index)
        if kind is None:
            continue
        if _ABOUT.intersection(words[index + 1 :]):
            return None
        if kind == "token" and index and words[index - 1] in _COUNTED:
            return None
        return kind
    return None


def _kind_of_word(words: list[str], index: int) -> str | None:
    word = words[index]
    before = words[index - 1] if index else ""
    if word == "key":
        return "api-key" if before in _BEFORE_KEY else None
    if word == "string":
        return "connection-string" if before in ("connection", "conn") else None
    if word in ("pass", "pw"):
        # Alone the first may be the result of a test, and the second is anything.
        return "password" if before else None
    for ending, kind in _ENDINGS:
        if word.endswith(ending):
            return kind
    variant = _VARIANT.search(word)
    if variant is not None and variant.start() > 2:
        return _kind_of_word([word[: variant.start()]], 0)
    glued = _GLUED.search(word)
    if glued is not None and glued[2] not in _ABOUT:
        return "api-key" if glued[1] == "apikey" else "password"
    return _EXACT.get(word)


def sensitive_kind(key: str) -> str | None:
    """Return the kind of secret that this name announces, or None."""
    return _kind(key[-MAX_KEY:])


@functools.lru_cache(maxsize=4096)
def _suspicion(key: str) -> str | None:
    words = [word.lower() for word in _WORD.findall(key)]
    if not words:
        return None
    last = "sessionid" if words[-2:] == ["session", "id"] else words[-1]
    # A longer name with `pass` that `sensitive_kind` did not take is about something else.
    return None if last == "pass" and len(words) > 1 else _SUSPICIOUS.get(last)


def suspicious_kind(key: str) -> str | None:
    """Return the kind of secret that stands under this name if the value looks like one."""
    return _suspicion(key[-MAX_KEY:])


@functools.lru_cache(maxsize=4096)
def _chance(key: str) -> str | None:
    words = [word.lower() for word in _WORD.findall(key)]
    if not words:
        return None
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _ENDS_OF_SECRETS:
        return _kind_of_word(words[:-1], len(words) - 2) if len(words) > 1 else None
    if not last.endswith(_RANDOM_ENDINGS) or before in _HARMLESS_BEFORE_KEY:
        return None
    return "api-key" if last.endswith(("key", "keys")) else "secret"


def random_kind(key: str) -> str | None:
    """Return the kind of secret that stands under this name if the value was drawn at random."""
    return _chance(key[-MAX_KEY:])


def kind_beside(name: str, value: str) -> str | None:
    """Return the kind of secret that a value is, by its name and, where that is vague, itself."""
    kind = sensitive_kind(name)
    if kind is not None:
        return kind
    kind = suspicious_kind(name)
    if kind is not None:
        return kind if looks_like_value(value) else None
    return random_kind(name) if is_random(value) else None


def label_kind(label: str, value: str = "") -> str | None:
    """Return the kind of secret that stands next to a label: a variable, a header or a field path.

    `spec.containers[api].env[DB_PASSWORD].value` is about `DB_PASSWORD`, its last segment.
    """
    segments = [part for part in _SEGMENT.split(label[-MAX_KEY:]) if part and part != "value"]
    if not segments:
        return None
    last = "_".join(segments[-2:]) if segments[-1].lower() == "key" else segments[-1]
    kind = _HEADERS.get(last.lower()) or kind_beside(last, value)
    if kind is None and "[" not in label and "/" not in label:
        kind = kind_beside(label, value)  # `client.secret.blue` is a name, not a path.
    return kind
