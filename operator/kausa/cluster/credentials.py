"""Who we are to an API server, in the one form that our client and Kopf both take.

A token file is read again once a minute, because a kubelet replaces a ServiceAccount's token every
hour and the API server refuses the old one. Exec plugins are asked again when their token expires.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re
import ssl
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kausa.cluster.errors import KubeconfigError

__all__ = [
    "Credentials",
    "Token",
    "TokenSource",
    "check_server",
    "check_token",
    "in_cluster_credentials",
    "read_token_file",
]

SERVICE_ACCOUNT_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_FILE_LIFETIME_SECONDS = 60.0
_LABEL = "[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token and the moment (time.monotonic) after which it must be asked for again."""

    value: str
    valid_until: float


TokenSource = Callable[[], Token]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Where the API server is and how to prove who we are; certificates are PEM text."""

    server: str
    ca_pem: str | None = None
    insecure: bool = False
    certificate_pem: str | None = None
    key_pem: str | None = field(default=None, repr=False)
    token_source: TokenSource | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    namespace: str = "default"
    origin: str = ""
    """Where these come from, for messages: a file and context, or the Pod's ServiceAccount."""

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS side of the connection; None for plain http.

        Raises:
            KubeconfigError: a certificate or key is not PEM, or the two do not belong together.
        """
        if not self.server.startswith("https://"):
            return None
        try:
            context = ssl.create_default_context(cadata=self.ca_pem)
            if self.insecure:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if self.certificate_pem and self.key_pem:
                _load_client_certificate(context, self.certificate_pem, self.key_pem)
        except (ssl.SSLError, ValueError) as error:
            raise KubeconfigError(
                f"The certificates of {self.origin} cannot be used ({error}). "
                "Check certificate-authority, client-certificate and client-key there."
            ) from error
        return context

    def authorization(self, *, token: Token | None) -> str | None:
        """The Authorization header, where one is needed."""
        if token is not None:
            return f"Bearer {token.value}"
        if self.username is not None:
            pair = f"{self.username}:{self.password or ''}".encode()
            return "Basic " + base64.b64encode(pair).decode()
        return None


def _load_client_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    # ssl reads client certificates from files only; the file is ours alone and gone at once.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:
        os.fchmod(both.fileno(), 0o600)
        both.write(certificate.rstrip() + "\n" + key)
        both.flush()
        context.load_cert_chain(both.name)


def check_server(server: str, *, origin: str) -> None:
    """Whether an API server can be asked there; the URL is never shown, as it may hold a password.

    Raises:
        KubeconfigError: it is not an http or https URL of a host; `origin` says whose it is.
    """
    problem = _server_problem(server)
    if problem:
        raise KubeconfigError(f"{origin} {problem}. It must look like https://host:6443.")


def _server_problem(server: str) -> str | None:
    try:
        parts = urlsplit(server)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is not a URL, or its port is not one"
    if parts.scheme not in ("http", "https"):
        return "is not an http or https URL"
    if "@" in parts.netloc:
        return "holds a user name or password, which belong into a user of the kubeconfig"
    if not _is_host(host):
        return "has no valid host"
    if port == 0 or parts.netloc.endswith(":"):
        return "has no valid port"
    if re.search(r"[\s\x00-\x1f\x7f?#\\]", server):
        return "has characters that do not belong into it"
    return None


def _is_host(text: str) -> bool:
    if ":" not in text:
        return _HOST_NAME.fullmatch(text) is not None and len(text) <= 253
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def check_token(token: object, *, origin: str) -> str:
    """The token, if it can be sent in a header; it is never shown.

    Raises:
        KubeconfigError: it is empty, or has characters that no token has.
    """
    if not isinstance(token, str) or not re.fullmatch("[!-~]+", token):
        raise KubeconfigError(f"{origin} is empty, or holds characters that no token has.")
    return token


def read_token_file(path: Path) -> TokenSource:
    """A source that reads the file again when a minute has passed."""

    def read() -> Token:
        value = check_token(
            _read(path, why="without it the API server does not know us"),
            origin=f"The token in {path}",
        )
        return Token(value=value, valid_until=time.monotonic() + TOKEN_FILE_LIFETIME_SECONDS)

    return read


def _read(path: Path, *, why: str) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise KubeconfigError(
            f"The file {path} cannot be read ({error.strerror}); {why}."
        ) from error
    except ValueError:
        raise KubeconfigError(f"The file {path} is not text; {why}.") from None


def in_cluster_credentials(*, folder: Path = SERVICE_ACCOUNT_FOLDER) -> Credentials | None:
    """The ServiceAccount of the Pod we run in; None outside of a Pod.

    Raises:
        KubeconfigError: what the kubelet gave this Pod cannot be read.
    """
    host, port = (
        os.environ.get("KUBERNETES_SERVICE_HOST"),
        os.environ.get("KUBERNETES_SERVICE_PORT", "443"),
    )
    token_file = folder / "token"
    if not host or not token_file.exists():
        return None
    namespace_file, ca_file = folder / "namespace", folder / "ca.crt"
    address = f"[{host}]" if ":" in host else host
    server = f"https://{address}:{port}"
    check_server(server, origin="The address in KUBERNETES_SERVICE_HOST and _PORT")
    why = "without it the API server cannot be trusted"
    return Credentials(
        server=server,
        ca_pem=_read(ca_file, why=why) if ca_file.exists() else None,
        token_source=read_token_file(token_file),
        namespace=_read(namespace_file, why="it names our namespace")
        if namespace_file.exists()
        else "default",
        origin="the Pod's ServiceAccount",
    )
