"""Keys and certificates of one cluster, made anew for each by the openssl command.

The standard library cannot sign a certificate, and openssl is on nearly every machine. P-256 keys,
because an RSA key takes longer to make than all of these together.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import ClusterError
from localcluster.processes import run

DAYS = "365"
SERVER = "https://127.0.0.1:6443"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a certificate is for."""

    name: str
    subject: str
    extensions: tuple[str, ...] = ("extendedKeyUsage=clientAuth",)


def identities(*, node: str, addresses: tuple[str, ...]) -> tuple[Identity, ...]:
    names = ("localhost", *_service_names())
    alternatives = ",".join([*(f"IP:{one}" for one in addresses), *(f"DNS:{one}" for one in names)])
    return (
        Identity(
            "apiserver",
            "/CN=kube-apiserver",
            ("extendedKeyUsage=serverAuth", f"subjectAltName={alternatives}"),
        ),
        Identity("admin", "/O=system:masters/CN=admin"),
        Identity("kube-controller-manager", "/CN=system:kube-controller-manager"),
        Identity("kube-scheduler", "/CN=system:kube-scheduler"),
        Identity("kubelet", f"/O=system:nodes/CN=system:node:{node}"),
        Identity("kube-proxy", "/CN=system:kube-proxy"),
        # No role that every cluster has lets anyone read what it reads.
        Identity("coredns", "/O=system:masters/CN=coredns"),
        Identity("apiserver-kubelet", "/O=system:masters/CN=kube-apiserver-kubelet-client"),
        Identity("front-proxy", "/CN=front-proxy-client"),
    )


def _service_names() -> tuple[str, ...]:
    name = ("kubernetes", "default", "svc", "cluster", "local")
    return tuple(".".join(name[:length]) for length in (1, 2, 3, 5))


def make_all(folder: Path, who: tuple[Identity, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(folder / "sa.key"))
    _openssl(
        *_request(folder / "ca", "/CN=kausa-local-cluster"),
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
    )
    for identity in who:
        extensions = (part for value in identity.extensions for part in ("-addext", value))
        _openssl(
            *_request(folder / identity.name, identity.subject),
            *("-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key")),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
            *extensions,
        )


def _request(stem: Path, subject: str) -> tuple[str, ...]:
    return (
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-subj", subject, "-days", DAYS, "-keyout", f"{stem}.key", "-out", f"{stem}.crt"),
    )


def _openssl(*arguments: str) -> None:
    done = run(("openssl", *arguments))
    if done.returncode:
        raise ClusterError(f"openssl {arguments[0]} failed: {done.stderr.strip()[-300:]}")


def kubeconfig(folder: Path, name: str) -> str:
    """A kubeconfig with everything inside, so that a copy of it works; JSON is YAML."""
    cluster = {"server": SERVER, "certificate-authority-data": _inline(folder / "ca.crt")}
    user = {
        "client-certificate-data": _inline(folder / f"{name}.crt"),
        "client-key-data": _inline(folder / f"{name}.key"),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kausa", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "kausa", "context": {"cluster": "kausa", "user": name}}],
        "current-context": "kausa",
    }
    return json.dumps(document, indent=2)


def _inline(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode("ascii")


def write_kubeconfig(folder: Path, name: str, target: Path) -> None:
    target.touch(mode=0o600)
    target.write_text(kubeconfig(folder, name))
