"""Whom to trust for the address of the model: the usual authorities, and those of a file beside.

The file is read once, at the start, so that one that cannot be used is told then and not at the
first failure. What is in it is trusted as it is, an authority in the middle of a chain included:
whoever names it means it, and a company often hands out only that one.
"""

from __future__ import annotations

import ssl
import stat
from pathlib import Path
from typing import Final

import httpx

from kausa.errors import SettingsError

__all__ = ["trust_of", "untrusted_certificate"]

_MOST_BYTES: Final = 4 * 1024 * 1024
"""The authorities of a whole system take a twentieth of it."""
_MOST_CAUSES: Final = 16
_OTHER_NAME: Final = frozenset({62, 64})
_OTHER_TIME: Final = frozenset({9, 10})
"""As OpenSSL numbers what it found (X509_V_ERR_...); another authority is no remedy for these."""


def trust_of(ca_file: Path | None, *, url: str) -> ssl.SSLContext | bool:
    """Return what httpx takes as `verify`; True is what it trusts by itself.

    Raises:
        SettingsError: the file cannot be used, or would not be for this address.
    """
    if ca_file is None:
        return True
    if not url.lower().startswith("https://"):
        raise SettingsError(
            "KAUSA_MODEL_URL is plain http, and KAUSA_MODEL_CA_FILE names whom to trust for https: "
            "the evidence would be sent for anybody to read. Make the address https, or leave "
            "KAUSA_MODEL_CA_FILE out."
        )
    context = httpx.create_ssl_context()
    try:
        context.load_verify_locations(cadata=_pem(ca_file))
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"The file that KAUSA_MODEL_CA_FILE names, {ca_file}, holds no certificate that can be "
            "used, so nobody could vouch for the model server. Name a PEM file (its text has "
            "-----BEGIN CERTIFICATE-----); `openssl x509 -inform der -in FILE` makes one of the "
            "binary form."
        ) from error
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _pem(path: Path) -> str:
    try:
        # A pipe or a device would be read for ever.
        content = b""
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(
            f"The file that KAUSA_MODEL_CA_FILE names, {path}, cannot be read ({error.strerror}), "
            "so nobody could vouch for the model server. Name a file that is there and that this "
            "process may read; in a Pod it has to be mounted."
        ) from error
    if len(content) > _MOST_BYTES:
        raise SettingsError(
            f"The file that KAUSA_MODEL_CA_FILE names, {path}, is larger than 4 MiB, so it was not "
            "read. Name one with the certificates of the authority (CA) alone."
        )
    # Comments between certificates may be in any language; ssl takes ASCII only.
    return content.decode("ascii", errors="ignore")


def untrusted_certificate(error: BaseException, *, where: str) -> str | None:
    """Return what to say of a certificate that was refused; None where none was.

    The library of Ollama, and httpx, put other errors around it.
    """
    found: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if found is None:
            return None
        if isinstance(found, ssl.SSLCertVerificationError):
            return _words(found, where=where)
        found = found.__cause__ or found.__context__
    return None


def _words(error: ssl.SSLCertVerificationError, *, where: str) -> str:
    why = error.verify_message.rstrip(".")
    begin = (
        f"The certificate of the model server at {where} is not trusted ({why}), so nothing was "
        "sent"
    )
    if error.verify_code in _OTHER_NAME:
        return f"{begin}: KAUSA_MODEL_URL has to name the server as its certificate does."
    if error.verify_code in _OTHER_TIME:
        return f"{begin}: the certificate has to be renewed, or the clock of this machine set."
    return (
        f"{begin}: set KAUSA_MODEL_CA_FILE to a PEM file with the certificate of the authority "
        "(CA) that signed it; where that is set, the file lacks it."
    )
