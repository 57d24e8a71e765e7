"""A kubeconfig is read as kubectl reads it, and what is wrong with it is said in one sentence."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kausa.cluster.errors import KubeconfigError
from kausa.cluster.kubeconfig import find_kubeconfig, load_kubeconfig


def document(**changes: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "home",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443/"}}],
        "contexts": [{"name": "home", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        **changes,
    }


def write(folder: Path, content: dict[str, Any] | str) -> Path:
    path = folder / "config"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def test_server_token_and_namespace_are_read(tmp_path: Path) -> None:
    contexts = [{"name": "home", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}]
    found = load_kubeconfig(write(tmp_path, document(contexts=contexts)))
    assert (found.server, found.namespace) == ("https://127.0.0.1:6443", "shop")
    assert found.token_source is not None
    assert found.token_source().value == "t"


def test_files_are_looked_for_beside_the_kubeconfig_and_inline_data_wins(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("from the file")
    user = {
        "client-certificate": "ca.crt",
        "client-certificate-data": base64.b64encode(b"inline").decode(),
        "client-key": "ca.crt",
    }
    found = load_kubeconfig(write(tmp_path, document(users=[{"name": "u", "user": user}])))
    assert (found.certificate_pem, found.key_pem) == ("inline", "from the file")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("clusters: [", "is not YAML"),
        ("- a list", "does not have the shape"),
        ({"clusters": "none"}, "does not have the shape"),
        (document(**{"current-context": None}), "has no current-context"),
        (document(**{"current-context": "away"}), "has no context 'away'; it has: home"),
        (document(users=[]), "has no user 'u'; it has: none"),
        (document(clusters=[{"name": "c", "cluster": {}}]), "does not have the shape"),
        (
            document(users=[{"name": "u", "user": {"client-key-data": "%%%"}}]),
            "not base64 of PEM text",
        ),
        (
            document(users=[{"name": "u", "user": {"client-certificate": "gone.crt"}}]),
            "cannot be read",
        ),
        (
            document(users=[{"name": "u", "user": {"auth-provider": {"name": "gcp"}}}]),
            "auth-provider",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(
    tmp_path: Path, content: dict[str, Any] | str, said: str
) -> None:
    with pytest.raises(KubeconfigError, match=said) as caught:
        load_kubeconfig(write(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="No such file"):
        load_kubeconfig(tmp_path / "nowhere")


def test_certificates_that_are_no_certificates_are_refused_before_any_request(
    tmp_path: Path,
) -> None:
    cluster = {
        "server": "https://127.0.0.1:6443",
        "certificate-authority-data": base64.b64encode(b"no pem").decode(),
    }
    path = write(tmp_path, document(clusters=[{"name": "c", "cluster": cluster}]))
    with pytest.raises(KubeconfigError, match="certificates of context home"):
        load_kubeconfig(path).ssl_context()


def test_an_exec_plugin_gives_the_token(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    answer = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
    answer += '"status":{"token":"from-the-plugin","expirationTimestamp":"2999-01-01T00:00:00Z"}}'
    plugin.write_text(f"#!/bin/sh\necho '{answer}'\n")
    plugin.chmod(0o755)
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(plugin),
            "interactiveMode": "Never",
        }
    }
    found = load_kubeconfig(write(tmp_path, document(users=[{"name": "u", "user": user}])))
    assert found.token_source is not None
    assert found.token_source().value == "from-the-plugin"


def test_the_named_file_comes_before_the_environment_and_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'none'}:{write(tmp_path, document())}")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_kubeconfig(named=Path("x")) == Path("x")
    assert find_kubeconfig(named=None) == tmp_path / "config"
    monkeypatch.delenv("KUBECONFIG")
    assert find_kubeconfig(named=None) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["clusters", "users", "contexts", "current-context", "name", "user"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=10,
    )
)
def test_any_yaml_is_either_used_or_refused_with_our_error(tmp_path: Path, content: object) -> None:
    path = write(tmp_path, yaml.safe_dump(content))
    with pytest.raises(KubeconfigError):
        load_kubeconfig(path)
