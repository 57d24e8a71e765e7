"""Secrets that only a name gives away: passwords, and keys without a prefix."""

from __future__ import annotations

from random import Random

from bench.redaction.names import secret_name
from bench.redaction.secret import ALNUM, BASE64, HEX, LOWER, Maker, Secret, Shown, draw

__all__ = ["NAMED", "password"]

_SIGNS = "!#%^*+_~"
_WORDS = (
    *("correct", "horse", "battery", "staple", "orchid", "lantern", "marble", "tundra"),
    *("velvet", "cobalt"),
)
_MORE_SIGNS = _SIGNS + "@$:./,-=?&()<>{}[]|;\"'\\ "


def password(rng: Random, *, signs: str = _SIGNS) -> str:
    """A password as people and generators make them; it ends with a letter or a digit."""
    body = draw(rng, ALNUM + signs * 2, rng.randrange(7, 24))
    return f"{rng.choice(ALNUM)}{body}{draw(rng, ALNUM, 6)}"


def _named(kind: str, text: str, *names: str) -> Secret:
    return Secret(kind=kind, text=text, parts=(text,), shown=Shown.NAMED, names=names)


def _env_value(rng: Random) -> Secret:
    return _named("sensitive-name", password(rng), secret_name(rng))


def _odd_password(rng: Random) -> Secret:
    return _named("password-with-signs", password(rng, signs=_MORE_SIGNS), secret_name(rng))


def _words_password(rng: Random) -> Secret:
    text = rng.choice("-_.").join([*rng.sample(_WORDS, 4), str(rng.randrange(10, 99))])
    return _named("passphrase", text, rng.choice(["passphrase", "PASSPHRASE", "db_password"]))


def _entropy(rng: Random) -> Secret:
    """Beside a name that says little: only both together tell."""
    name = rng.choice(
        [
            *("STRIPE_KEY", "maps_key", "sendgridKey", "MAILGUN_KEY", "salt", "JWT_SALT", "rpcKey"),
            *("otp_seed", "csrf", "hmac", "client_key", "fernet_key", "algoliaKey", "licenseKey"),
        ]
    )
    alphabet, size = rng.choice([(ALNUM, 32), (HEX, 64), (ALNUM, 24), (BASE64, 44), (HEX, 40)])
    return _named("high-entropy", draw(rng, alphabet, size), name)


def _aws_secret(rng: Random) -> Secret:
    names = ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", "secretAccessKey", "SecretAccessKey")
    return _named("aws-secret-key", draw(rng, BASE64, 40), rng.choice(names))


def _aws_session(rng: Random) -> Secret:
    names = ("AWS_SESSION_TOKEN", "aws_session_token", "SessionToken", "X-Amz-Security-Token")
    head = rng.choice(["FwoGZXIvYXdz", "IQoJb3JpZ2luX2Vj"])
    return _named("aws-session-token", head + draw(rng, BASE64, 280), rng.choice(names))


def _azure_storage(rng: Random) -> Secret:
    names = ("AccountKey", "AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY", "storageAccountKey")
    return _named("azure-storage-key", draw(rng, BASE64, 86) + "==", rng.choice(names))


def _datadog(rng: Random) -> Secret:
    name, size = rng.choice([("DD_API_KEY", 32), ("DD_APP_KEY", 40), ("DATADOG_API_KEY", 32)])
    return _named("datadog", draw(rng, HEX, size), name)


def _twilio_auth(rng: Random) -> Secret:
    return _named("twilio-auth-token", draw(rng, HEX, 32), "TWILIO_AUTH_TOKEN")


def _bootstrap(rng: Random) -> Secret:
    text = f"{draw(rng, LOWER, 6)}.{draw(rng, LOWER, 16)}"
    return _named(
        "bootstrap-token", text, rng.choice(["token", "bootstrap-token", "tlsBootstrapToken"])
    )


def _heroku_uuid(rng: Random) -> Secret:
    parts = [draw(rng, HEX, size) for size in (8, 4, 4, 4, 12)]
    return _named("heroku-uuid", "-".join(parts), "HEROKU_API_KEY", "HEROKU_API_TOKEN")


def _session(rng: Random) -> Secret:
    name = rng.choice(["sessionid", "JSESSIONID", "PHPSESSID", "session_id", "connect.sid"])
    return _named("session-id", draw(rng, ALNUM, 32), name)


NAMED: dict[str, Maker] = {
    "sensitive-name": _env_value,
    "password-with-signs": _odd_password,
    "passphrase": _words_password,
    "high-entropy": _entropy,
    "aws-secret-key": _aws_secret,
    "aws-session-token": _aws_session,
    "azure-storage-key": _azure_storage,
    "datadog": _datadog,
    "twilio-auth-token": _twilio_auth,
    "bootstrap-token": _bootstrap,
    "heroku-uuid": _heroku_uuid,
    "session-id": _session,
}
