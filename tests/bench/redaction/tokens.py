"""Secrets with a shape of their own: whoever issues them gives them a prefix or a form.

None is real: the shapes are those that the issuers document, the rest is random. Prefixes are put
together at run time, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import base64
import json
from random import Random

from bench.redaction.secret import ALNUM, BASE64, HEX, LOWER, URLSAFE, Maker, Secret, Shown, draw

__all__ = ["TOKENS"]

UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _base64url(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def jwt_text(rng: Random, claims: dict[str, object]) -> str:
    """A JSON web token as it is sent."""
    head = {"alg": rng.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}
    parts = (_base64url(json.dumps(head)), _base64url(json.dumps(claims)))
    return ".".join((*parts, draw(rng, URLSAFE, rng.choice([43, 86, 342]))))


def _jwt(rng: Random) -> str:
    return jwt_text(rng, {"sub": draw(rng, ALNUM, 12), "exp": rng.randrange(10**9, 2 * 10**9)})


def _service_account(rng: Random) -> str:
    subject = f"system:serviceaccount:shop:{draw(rng, LOWER, 6)}"
    return jwt_text(rng, {"iss": "https://kubernetes.default.svc", "sub": subject})


def _joined(*parts: str) -> str:
    return "".join(parts)


def _discord(rng: Random) -> str:
    user = _base64url(str(rng.randrange(10**17, 10**18)))
    return f"{user}.{draw(rng, URLSAFE, 6)}.{draw(rng, URLSAFE, 38)}"


def _slack(rng: Random) -> str:
    numbers = f"{rng.randrange(10**11, 10**12)}-{rng.randrange(10**12, 10**13)}"
    return f"xo{rng.choice('xx')}{rng.choice('bpas')}-{numbers}-{draw(rng, ALNUM, 24)}"


def _hook(rng: Random) -> tuple[str, str]:
    secret = (
        f"T{draw(rng, UPPER + '0123456789', 10)}/B{draw(rng, UPPER, 10)}/{draw(rng, ALNUM, 24)}"
    )
    return f"https://hooks.slack.com/services/{secret}", secret


def _discord_hook(rng: Random) -> tuple[str, str]:
    secret = draw(rng, URLSAFE, 68)
    host = rng.choice(["discord.com", "discordapp.com"])
    return f"https://{host}/api/webhooks/{rng.randrange(10**17, 10**18)}/{secret}", secret


# kind: how a random one is made, and what it is called in configurations.
_SHAPES = {
    "jwt": (_jwt, ("ID_TOKEN", "accessToken", "jwt")),
    "service-account-token": (_service_account, ("token", "SA_TOKEN")),
    "aws-access-key-id": (
        lambda r: _joined("AK", "IA") + draw(r, UPPER + "234567", 16),
        ("AWS_ACCESS_KEY_ID", "accessKeyId"),
    ),
    "gcp-api-key": (lambda r: _joined("AI", "za") + draw(r, URLSAFE, 35), ("GOOGLE_API_KEY",)),
    "gcp-oauth": (
        lambda r: r.choice([_joined("ya", "29.a0"), _joined("GOC", "SPX-")]) + draw(r, URLSAFE, 28),
        ("GOOGLE_CLIENT_SECRET", "access_token"),
    ),
    "azure-client-secret": (
        lambda r: draw(r, ALNUM, 3) + _joined("8", "Q~") + draw(r, ALNUM + "_.~-", 34),
        ("AZURE_CLIENT_SECRET", "clientSecret"),
    ),
    "github-classic": (
        lambda r: _joined("gh", "p_") + draw(r, ALNUM, 36),
        ("GITHUB_TOKEN", "GH_TOKEN"),
    ),
    "github-fine-grained": (
        lambda r: _joined("github", "_pat_") + draw(r, ALNUM, 22) + "_" + draw(r, ALNUM, 59),
        ("GITHUB_TOKEN",),
    ),
    "github-app": (
        lambda r: _joined("gh", r.choice("suro"), "_") + draw(r, ALNUM, 36),
        ("GH_APP_TOKEN",),
    ),
    "gitlab": (
        lambda r: _joined("gl", r.choice(["pat", "dt", "rt", "ptt"]), "-") + draw(r, URLSAFE, 20),
        ("GITLAB_TOKEN", "CI_JOB_TOKEN"),
    ),
    "slack-token": (_slack, ("SLACK_BOT_TOKEN",)),
    "stripe": (
        lambda r: (
            _joined(r.choice("sr"), "k_", r.choice(["live", "test"]), "_")
            + draw(r, ALNUM, r.choice([24, 99]))
        ),
        ("STRIPE_SECRET_KEY", "STRIPE_API_KEY"),
    ),
    "twilio": (lambda r: _joined("S", "K") + draw(r, HEX, 32), ("TWILIO_API_KEY",)),
    "sendgrid": (
        lambda r: _joined("S", "G.") + draw(r, URLSAFE, 22) + "." + draw(r, URLSAFE, 43),
        ("SENDGRID_API_KEY",),
    ),
    "npm": (lambda r: _joined("np", "m_") + draw(r, ALNUM, 36), ("NPM_TOKEN", "_authToken")),
    "pypi": (
        lambda r: _joined("py", "pi-AgEIcHlwaS5vcmc") + draw(r, URLSAFE, 120),
        ("PYPI_TOKEN", "TWINE_PASSWORD"),
    ),
    "docker-hub": (
        lambda r: _joined("dckr", "_pat_") + draw(r, URLSAFE, 27),
        ("DOCKER_PASSWORD", "DOCKERHUB_TOKEN"),
    ),
    "vault": (lambda r: _joined("hv", "s.") + draw(r, URLSAFE, 24), ("VAULT_TOKEN",)),
    "openai": (
        lambda r: _joined("s", "k-") + r.choice(["", "proj-"]) + draw(r, ALNUM, 48),
        ("OPENAI_API_KEY",),
    ),
    "anthropic": (
        lambda r: _joined("s", "k-ant-api03-") + draw(r, URLSAFE, 93) + "AA",
        ("ANTHROPIC_API_KEY",),
    ),
    "hugging-face": (lambda r: _joined("h", "f_") + draw(r, ALNUM, 34), ("HF_TOKEN",)),
    "databricks": (lambda r: _joined("da", "pi") + draw(r, HEX, 32), ("DATABRICKS_TOKEN",)),
    "digitalocean": (
        lambda r: _joined("do", r.choice("por"), "_v1_") + draw(r, HEX, 64),
        ("DIGITALOCEAN_TOKEN",),
    ),
    "heroku": (lambda r: _joined("HR", "KU-AA") + draw(r, URLSAFE, 58), ("HEROKU_API_KEY",)),
    "shopify": (
        lambda r: _joined("shp", r.choice(["at", "ss", "ca", "pa"]), "_") + draw(r, HEX, 32),
        ("SHOPIFY_ACCESS_TOKEN",),
    ),
    "square": (
        lambda r: r.choice(
            [
                _joined("sq0", "atp-") + draw(r, URLSAFE, 22),
                _joined("EA", "AA") + draw(r, URLSAFE, 60),
            ]
        ),
        ("SQUARE_ACCESS_TOKEN",),
    ),
    "telegram-bot": (
        lambda r: f"{r.randrange(10**8, 10**10)}:{_joined('A', 'A')}{draw(r, URLSAFE, 33)}",
        ("TELEGRAM_BOT_TOKEN",),
    ),
    "discord-bot": (_discord, ("DISCORD_TOKEN",)),
    "new-relic": (
        lambda r: r.choice(
            [
                _joined("NR", "AK-") + draw(r, UPPER + "0123456789", 27),
                draw(r, HEX, 36) + _joined("NR", "AL"),
            ]
        ),
        ("NEW_RELIC_LICENSE_KEY", "NEW_RELIC_API_KEY"),
    ),
    "grafana": (
        lambda r: r.choice(
            [
                _joined("gl", "sa_") + draw(r, ALNUM, 32) + "_" + draw(r, HEX, 8),
                _joined("gl", "c_") + draw(r, BASE64, 60),
            ]
        ),
        ("GRAFANA_TOKEN", "GRAFANA_API_KEY"),
    ),
}


def _alone(kind: str) -> Maker:
    make, names = _SHAPES[kind]

    def maker(rng: Random) -> Secret:
        text = make(rng)
        return Secret(kind=kind, text=text, parts=(text,), shown=Shown.ALONE, names=names)

    return maker


def _inside(kind: str, make: object, names: tuple[str, ...]) -> Maker:
    assert callable(make)

    def maker(rng: Random) -> Secret:
        text, secret = make(rng)
        return Secret(kind=kind, text=text, parts=(secret,), shown=Shown.ALONE, names=names)

    return maker


TOKENS: dict[str, Maker] = {
    **{kind: _alone(kind) for kind in _SHAPES},
    "slack-webhook": _inside("slack-webhook", _hook, ("SLACK_WEBHOOK_URL",)),
    "discord-webhook": _inside("discord-webhook", _discord_hook, ("DISCORD_WEBHOOK_URL",)),
}
