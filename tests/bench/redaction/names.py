"""Names that announce a secret, in every way of writing that programs have."""

from __future__ import annotations

from random import Random

__all__ = ["secret_name", "style"]

_WHOSE = ("db", "postgres", "smtp", "admin", "my service", "ldap", "redis", "app", "stripe", "x")
_WHAT = (
    *("password", "password", "passwd", "pwd", "passphrase", "secret", "token", "api key"),
    *("access token", "auth token", "client secret", "secret key", "private key", "credentials"),
    *("encryption key", "signing key", "refresh token", "webhook secret", "master key"),
)
_AFTER = ("old", "new", "blue", "2", "prod", "v2", "primary")


def secret_name(rng: Random) -> str:
    """A sensitive name with a prefix or a suffix or neither, in some way of writing."""
    words = rng.choice(_WHAT).split()
    if rng.random() < 0.6:
        words = [*rng.choice(_WHOSE).split(), *words]
    if rng.random() < 0.15:
        words = [*words, rng.choice(_AFTER)]
    return style(rng, words)


def style(rng: Random, words: list[str]) -> str:
    """The words as one name: snake, camel, kebab, dotted, or run together."""
    capital = [each.capitalize() for each in words]
    return rng.choice(
        [
            "_".join(words),
            "_".join(words).upper(),
            "-".join(words),
            ".".join(words),
            "-".join(capital),
            words[0] + "".join(capital[1:]),
            "".join(capital),
            "".join(words),
            "".join(words).upper(),
            ".".join(["spring", "datasource", "-".join(words)]),
        ]
    )
