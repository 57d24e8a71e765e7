"""Where an embedder answers, and how we prove who we are and know who it is."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from kausa.errors import SettingsError

__all__ = ["Endpoint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address, with what it takes to be let in."""

    url: str
    token: SecretStr | None = None
    """Sent as a bearer token."""
    ca_file: Path | None = None
    """Who may have signed the server's certificate; None trusts whom the system trusts."""
    cert_file: Path | None = None
    """Our own certificate, where the server asks for one; with its key."""
    key_file: Path | None = None

    @property
    def root(self) -> str:
        """The address without a trailing slash, and without the `/v1` that OpenAI's clients add."""
        return self.url.rstrip("/").removesuffix("/v1").rstrip("/")

    @property
    def shown(self) -> str:
        """The address as a person may see it: without a password."""
        parts = urlsplit(self.root)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def check(self) -> None:
        """Say now what could only fail later.

        Raises:
            SettingsError: the address, or one of the files, cannot be used.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"KAUSA_EMBEDDER_URL, {self.shown!r}, is not an address of http or https: "
                "it should look like http://kausa-embedder:8080."
            )
        if parts.scheme == "http" and (self.ca_file or self.cert_file):
            raise SettingsError(
                f"KAUSA_EMBEDDER_URL, {self.shown}, is plain http, and files for TLS are given: "
                "make it https, or leave KAUSA_EMBEDDER_CA_FILE, _CERT_FILE and _KEY_FILE out."
            )
        if (self.cert_file is None) != (self.key_file is None):
            raise SettingsError(
                "Of KAUSA_EMBEDDER_CERT_FILE and KAUSA_EMBEDDER_KEY_FILE one is set: a certificate "
                "needs its key, and the other way."
            )
        self.tls()

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        if self.token is None:
            return {}
        return {"Authorization": f"Bearer {self.token.get_secret_value()}"}

    def tls(self) -> ssl.SSLContext | bool:
        """Whom we trust and who we are, read from the files anew; True is what the system trusts.

        Raises:
            SettingsError: a file is not there, or not what it should be.
        """
        if urlsplit(self.url).scheme != "https" or not (self.ca_file or self.cert_file):
            return True
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(f) for f in (self.ca_file, self.cert_file, self.key_file) if f)
            raise SettingsError(
                f"The files for TLS with the embedder cannot be used ({files}): {error}."
            ) from error
        return context
