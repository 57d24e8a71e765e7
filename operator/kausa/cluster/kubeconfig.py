"""Credentials from kubeconfig files, for an operator that runs on a laptop.

Certificates, tokens, token files and basic auth are read here. Exec credential plugins (EKS, GKE,
AKS, OIDC) are run by the official client, which is there only with the extra `cli`.
"""

from __future__ import annotations

import base64
import importlib.util
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kausa.cluster.credentials import (
    Credentials,
    Token,
    TokenSource,
    check_server,
    check_token,
    read_token_file,
)
from kausa.cluster.errors import KubeconfigError
from kausa.cluster.kubeconfig_file import (
    Cluster,
    Entry,
    User,
    find_kubeconfig,
    read_kubeconfig,
)

__all__ = ["find_kubeconfig", "load_kubeconfig"]


def load_kubeconfig(path: Path | Sequence[Path], *, context: str | None = None) -> Credentials:
    """The credentials of one context of a kubeconfig, or of several merged as kubectl does it.

    Raises:
        KubeconfigError: a file is missing or malformed, or names what is not there.
    """
    config = read_kubeconfig([path] if isinstance(path, Path) else path)
    wanted = context or config.current_context
    if not wanted:
        raise KubeconfigError(
            f"{config.shown} has no current-context. "
            "Choose one with --context or `kubectl config use-context`."
        )
    chosen = config.pick(wanted, config.contexts, what="context")
    origin = f"context {wanted} in {chosen.file}"
    if not chosen.value.cluster:
        raise KubeconfigError(f"{origin} names no cluster.")
    cluster = config.pick(chosen.value.cluster, config.clusters, what="cluster")
    user = Entry(value=User(), file=chosen.file)
    if chosen.value.user:
        user = config.pick(chosen.value.user, config.users, what="user")
    return _credentials(cluster, user, namespace=chosen.value.namespace or "default", origin=origin)


def _credentials(
    cluster: Entry[Cluster], user: Entry[User], *, namespace: str, origin: str
) -> Credentials:
    if cluster.value.proxy_url:
        raise KubeconfigError(
            f"{origin} asks for a proxy (proxy-url), which kausa does not support. "
            "Run it inside the cluster, or choose a context without a proxy."
        )
    check_server(cluster.value.server, origin=f"The server of {origin}")
    server = _Reader(folder=cluster.file.parent, origin=origin)
    login = _Reader(folder=user.file.parent, origin=origin)
    return Credentials(
        server=cluster.value.server.rstrip("/"),
        ca_pem=server.pem(
            cluster.value.certificate_authority_data, cluster.value.certificate_authority
        ),
        insecure=cluster.value.insecure_skip_tls_verify,
        certificate_pem=login.pem(
            user.value.client_certificate_data, user.value.client_certificate
        ),
        key_pem=login.pem(user.value.client_key_data, user.value.client_key),
        token_source=_token_source(user.value, read=login),
        username=user.value.username,
        password=user.value.password,
        namespace=namespace,
        origin=origin,
    )


class _Reader:
    """Reads what a kubeconfig refers to; relative paths start at the kubeconfig's own folder."""

    def __init__(self, *, folder: Path, origin: str) -> None:
        self.folder = folder
        self.origin = origin

    def pem(self, data: str | None, file: str | None) -> str | None:
        """PEM text, given inline in base64 (which wins, as in kubectl) or from a file."""
        try:
            if data:
                return base64.b64decode(data, validate=True).decode()
            if file:
                return self.path(file).read_text("utf-8")
        except OSError as error:
            raise KubeconfigError(
                f"{self.origin} names the file {error.filename}, which cannot be read "
                f"({error.strerror})."
            ) from error
        except ValueError:
            raise KubeconfigError(
                f"{self.origin} holds certificate data that is not base64 of PEM text."
                if data
                else f"{self.origin} names a certificate file that is not PEM text."
            ) from None
        return None

    def path(self, file: str) -> Path:
        """The absolute place of a file that the kubeconfig names."""
        return self.folder / os.path.expanduser(file)


def _token_source(user: User, *, read: _Reader) -> TokenSource | None:
    if user.token_file:
        return read_token_file(read.path(user.token_file))
    if user.token:
        value = check_token(user.token, origin=f"The token of {read.origin}")
        fixed = Token(value=value, valid_until=float("inf"))
        return lambda: fixed
    if user.exec:
        return _exec_token_source(user.exec, read=read)
    if user.auth_provider:
        raise KubeconfigError(
            f"{read.origin} uses an auth-provider, which Kubernetes removed in 1.26. "
            "Move it to an exec plugin."
        )
    return None


def _exec_token_source(plugin: dict[str, Any], *, read: _Reader) -> TokenSource:
    if importlib.util.find_spec("kubernetes") is None:
        raise KubeconfigError(
            f"{read.origin} logs in with the plugin {plugin.get('command')!r}, which needs the "
            "official Kubernetes client. Install it with `pip install 'kausa[cli]'`."
        )
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.exec_provider import ExecProvider
    from kubernetes.config.kube_config import ConfigNode

    def ask() -> Token:
        try:
            node = ConfigNode("exec", plugin)
            status = ExecProvider(node, str(read.folder), None).run()
        except (ConfigException, OSError, ValueError) as error:
            raise KubeconfigError(f"The login plugin of {read.origin} failed ({error}).") from error
        except (AttributeError, KeyError, TypeError):
            # That client takes the shape of the entry, and of the answer, for granted.
            raise KubeconfigError(
                f"The login plugin of {read.origin}, or its entry, does not have the shape that "
                "Kubernetes defines."
            ) from None
        if not isinstance(status, dict) or not status.get("token"):
            raise KubeconfigError(f"The login plugin of {read.origin} gave no token.")
        return Token(
            value=check_token(status["token"], origin=f"The plugin's token of {read.origin}"),
            valid_until=_valid_until(status.get("expirationTimestamp"), origin=read.origin),
        )

    return ask


def _valid_until(expiration: object, *, origin: str) -> float:
    if not expiration:
        return float("inf")
    try:
        end = datetime.fromisoformat(str(expiration))
        left = end - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        raise KubeconfigError(
            f"The login plugin of {origin} gave an expirationTimestamp that is not a time of "
            "RFC 3339, such as 2026-01-31T12:00:00Z."
        ) from None
    return time.monotonic() + max(0.0, left.total_seconds() - 30.0)
