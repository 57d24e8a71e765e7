"""Private keys and what is made of them: PEM of every kind, bundles, service accounts."""

from __future__ import annotations

import json
import textwrap
from random import Random

from bench.redaction.secret import BASE64, HEX, Maker, Secret, Shown, draw

__all__ = ["KEYS", "pem_text"]

_DASHES = "-" * 5


def pem_text(label: str, body: str, *, headers: str = "") -> str:
    """What stands between the marks, in lines of 64."""
    lines = "\n".join(textwrap.wrap(body, 64))
    begin, end = (f"{_DASHES}{word} {label}{_DASHES}" for word in ("BEGIN", "END"))
    return f"{begin}\n{headers}{lines}\n{end}"


def _body(rng: Random, head: str) -> str:
    return head + draw(rng, BASE64, rng.choice([110, 400, 1600])) + "="


def _key(kind: str, label: str, head: str, *, encrypted: bool = False) -> Maker:
    def maker(rng: Random) -> Secret:
        body = _body(rng, head)
        headers = ""
        if encrypted:
            headers = (
                f"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,{draw(rng, HEX, 32).upper()}\n\n"
            )
        return Secret(
            kind=kind,
            text=pem_text(label, body, headers=headers),
            parts=tuple(textwrap.wrap(body, 64)),
            shown=Shown.ALONE,
            names=("tls.key", "PRIVATE_KEY", "privateKey", "ssh_key"),
        )

    return maker


def _bundle(rng: Random) -> Secret:
    """A certificate may stay, the key behind it may not."""
    body = _body(rng, "MIIEpAIB")
    text = pem_text("CERTIFICATE", _body(rng, "MIID")) + "\n" + pem_text("PRIVATE KEY", body)
    return Secret(
        kind="certificate-bundle",
        text=text,
        parts=tuple(textwrap.wrap(body, 64)),
        shown=Shown.ALONE,
        names=("server.pem", "bundle"),
    )


def _service_account(rng: Random) -> Secret:
    body, key_id = _body(rng, "MIIEvQIB"), draw(rng, HEX, 40)
    document = {
        "type": "service_account",
        "project_id": "shop-prod",
        "private_key_id": key_id,
        "private_key": pem_text("PRIVATE KEY", body) + "\n",
        "client_email": "checkout@shop-prod.iam.gserviceaccount.com",
    }
    return Secret(
        kind="gcp-service-account",
        text=json.dumps(document, indent=rng.choice([None, 2])),
        parts=tuple(textwrap.wrap(body, 64)),
        shown=Shown.WHOLE,
        names=("GOOGLE_APPLICATION_CREDENTIALS_JSON",),
    )


def _age(rng: Random) -> Secret:
    text = "AGE-SECRET-" + "KEY-1" + draw(rng, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)
    return Secret(
        kind="age-key", text=text, parts=(text,), shown=Shown.ALONE, names=("SOPS_AGE_KEY",)
    )


KEYS: dict[str, Maker] = {
    "pem-rsa": _key("pem-rsa", "RSA PRIVATE KEY", "MIIEpAIBAAKCAQEA"),
    "pem-ec": _key("pem-ec", "EC PRIVATE KEY", "MHcCAQEEI"),
    "pem-openssh": _key("pem-openssh", "OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEAAAAA"),
    "pem-pkcs8": _key("pem-pkcs8", "PRIVATE KEY", "MIIEvQIBADANBgkqhkiG9w0"),
    "pem-encrypted-pkcs8": _key("pem-encrypted-pkcs8", "ENCRYPTED PRIVATE KEY", "MIIFHDBOBgkq"),
    "pem-encrypted": _key("pem-encrypted", "RSA PRIVATE KEY", "MIIE", encrypted=True),
    "pem-pgp": _key("pem-pgp", "PGP PRIVATE KEY BLOCK", "lQOYBF"),
    "certificate-bundle": _bundle,
    "gcp-service-account": _service_account,
    "age-key": _age,
}
