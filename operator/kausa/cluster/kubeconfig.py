"""Credentials from a kubeconfig, for an operator that runs on a laptop.

Certificates, tokens, token files and basic auth are read here. Exec credential plugins (EKS, GKE,
AKS, OIDC) are run by the official client, which is there only with the extra `cli`.
"""

from __future__ import annotations

import base64
import binascii
import importlib.util
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from kausa.cluster.credentials import Credentials, Token, TokenSource, read_token_file
from kausa.cluster.errors import KubeconfigError

__all__ = ["find_kubeconfig", "load_kubeconfig"]

T = TypeVar("T")


class _Cluster(msgspec.Struct, rename="kebab"):
    server: str
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool = False
    proxy_url: str | None = None


class _User(msgspec.Struct, rename="kebab"):
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    token: str | None = None
    token_file: str | None = msgspec.field(default=None, name="tokenFile")
    username: str | None = None
    password: str | None = None
    exec: dict[str, Any] | None = None
    auth_provider: dict[str, Any] | None = None


class _Context(msgspec.Struct):
    cluster: str
    user: str
    namespace: str | None = None


class _NamedCluster(msgspec.Struct):
    name: str
    cluster: _Cluster


class _NamedUser(msgspec.Struct):
    name: str
    user: _User | None = None


class _NamedContext(msgspec.Struct):
    name: str
    context: _Context


class _Kubeconfig(msgspec.Struct, rename="kebab"):
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None
    current_context: str | None = None


def find_kubeconfig(*, named: Path | None) -> Path | None:
    """The file to use: the named one, the first that exists of $KUBECONFIG, or ~/.kube/config."""
    if named is not None:
        return named
    listed = [
        Path(part).expanduser()
        for part in os.environ.get("KUBECONFIG", "").split(os.pathsep)
        if part
    ]
    if listed:
        return next((path for path in listed if path.exists()), listed[0])
    home = Path.home() / ".kube" / "config"
    return home if home.exists() else None


def load_kubeconfig(path: Path, *, context: str | None = None) -> Credentials:
    """The credentials of one context of a kubeconfig.

    Raises:
        KubeconfigError: the file is missing or malformed, or names what is not there.
    """
    config = _parse(path)
    wanted = context or config.current_context
    if not wanted:
        raise KubeconfigError(
            f"{path} has no current-context. "
            "Choose one with --context or `kubectl config use-context`."
        )
    chosen = _pick(
        wanted, {each.name: each.context for each in config.contexts or []}, "context", path
    )
    cluster = _pick(
        chosen.cluster, {each.name: each.cluster for each in config.clusters or []}, "cluster", path
    )
    user = (
        _pick(chosen.user, {each.name: each.user for each in config.users or []}, "user", path)
        or _User()
    )
    origin = f"context {wanted} in {path}"
    if cluster.proxy_url:
        raise KubeconfigError(
            f"{origin} asks for a proxy (proxy-url), which kausa does not support. "
            "Run it inside the cluster, or choose a context without a proxy."
        )
    read = _Reader(folder=path.parent, origin=origin)
    return Credentials(
        server=cluster.server.rstrip("/"),
        ca_pem=read.pem(cluster.certificate_authority_data, cluster.certificate_authority),
        insecure=cluster.insecure_skip_tls_verify,
        certificate_pem=read.pem(user.client_certificate_data, user.client_certificate),
        key_pem=read.pem(user.client_key_data, user.client_key),
        token_source=_token_source(user, cluster=cluster, read=read),
        username=user.username,
        password=user.password,
        namespace=chosen.namespace or "default",
        origin=origin,
    )


def _parse(path: Path) -> _Kubeconfig:
    try:
        return msgspec.convert(yaml.safe_load(path.read_text()) or {}, _Kubeconfig)
    except OSError as error:
        raise KubeconfigError(
            f"The kubeconfig {path} cannot be read ({error.strerror}). "
            "Name another with --kubeconfig or KUBECONFIG."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = " ".join(str(error).split())[:200]
        raise KubeconfigError(
            f"The kubeconfig {path} is not YAML ({where}). Nothing was started; mend the file."
        ) from error
    except msgspec.ValidationError as error:
        raise KubeconfigError(
            f"The kubeconfig {path} does not have the shape of one ({error}). "
            "Nothing was started; compare it with `kubectl config view`."
        ) from error


def _pick(name: str, named: dict[str, T], what: str, path: Path) -> T:
    if name not in named:
        known = ", ".join(sorted(named)) or "none"
        raise KubeconfigError(f"{path} has no {what} {name!r}; it has: {known}.")
    return named[name]


class _Reader:
    """Reads what a kubeconfig refers to; relative paths start at the kubeconfig's own folder."""

    def __init__(self, *, folder: Path, origin: str) -> None:
        self.folder = folder
        self.origin = origin

    def pem(self, data: str | None, file: str | None) -> str | None:
        """PEM text from inline base64 (which wins, as in kubectl) or from a file."""
        try:
            if data:
                return base64.b64decode(data, validate=True).decode()
            if file:
                return self.path(file).read_text()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise KubeconfigError(
                f"{self.origin} holds certificate data that is not base64 of PEM text ({error})."
            ) from error
        except OSError as error:
            raise KubeconfigError(
                f"{self.origin} names the file {error.filename}, which cannot be read "
                f"({error.strerror})."
            ) from error
        return None

    def path(self, file: str) -> Path:
        """The absolute place of a file that the kubeconfig names."""
        return self.folder / Path(file).expanduser()


def _token_source(user: _User, *, cluster: _Cluster, read: _Reader) -> TokenSource | None:
    if user.token_file:
        return read_token_file(read.path(user.token_file))
    if user.token:
        fixed = Token(value=user.token, valid_until=float("inf"))
        return lambda: fixed
    if user.exec:
        return _exec_token_source(user.exec, cluster=cluster, read=read)
    if user.auth_provider:
        raise KubeconfigError(
            f"{read.origin} uses an auth-provider, which Kubernetes removed in 1.26. "
            "Move it to an exec plugin."
        )
    return None


def _exec_token_source(plugin: dict[str, Any], *, cluster: _Cluster, read: _Reader) -> TokenSource:
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
        value = status.get("token")
        if not value:
            raise KubeconfigError(f"The login plugin of {read.origin} gave no token.")
        return Token(value=value, valid_until=_valid_until(status.get("expirationTimestamp")))

    return ask


def _valid_until(expiration: str | None) -> float:
    if not expiration:
        return float("inf")
    left = datetime.fromisoformat(expiration.replace("Z", "+00:00")) - datetime.now(UTC)
    return time.monotonic() + max(0.0, left.total_seconds() - 30.0)
