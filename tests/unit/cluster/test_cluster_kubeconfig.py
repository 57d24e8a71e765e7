"""A kubeconfig is read as kubectl reads it, and what is wrong with it is said in one sentence."""

from __future__ import annotations

import base64
import json
import os
import traceback
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


def with_plugin(folder: Path, status: object) -> Path:
    plugin = folder / "plugin"
    answer = json.dumps(
        {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": status,
        }
    )
    plugin.write_text(f"#!/bin/sh\necho '{answer}'\n")
    plugin.chmod(0o755)
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(plugin),
            "interactiveMode": "Never",
        }
    }
    return write(folder, document(users=[{"name": "u", "user": user}]))


def test_an_exec_plugin_gives_the_token(tmp_path: Path) -> None:
    status = {"token": "from-the-plugin", "expirationTimestamp": "2999-01-01T00:00:00Z"}
    found = load_kubeconfig(with_plugin(tmp_path, status))
    assert found.token_source is not None
    assert found.token_source().value == "from-the-plugin"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"token": "sekret", "expirationTimestamp": "tomorrow"}, "expirationTimestamp"),
        ({"token": "sekret", "expirationTimestamp": "2999-01-01T00:00:00"}, "expirationTimestamp"),
        ({"token": "sekret", "expirationTimestamp": 7}, "expirationTimestamp"),
        ({"token": "sekret X: y"}, "no token has"),
        ({"token": ["sekret"]}, "no token has"),
        (None, "gave no token"),
    ],
)
def test_an_odd_answer_of_an_exec_plugin_is_refused(
    tmp_path: Path, status: object, said: str
) -> None:
    source = load_kubeconfig(with_plugin(tmp_path, status)).token_source
    assert source is not None
    with pytest.raises(KubeconfigError, match=said) as caught:
        source()
    assert "sekret" not in str(caught.value)


def test_an_odd_entry_of_an_exec_plugin_is_refused(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "v1", "command": "true", "args": 7}}
    source = load_kubeconfig(
        write(tmp_path, document(users=[{"name": "u", "user": user}]))
    ).token_source
    assert source is not None
    with pytest.raises(KubeconfigError, match="does not have the shape"):
        source()


def test_the_named_file_comes_before_the_environment_and_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'none'}:{write(tmp_path, document())}")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_kubeconfig(named=Path("x")) == (Path("x"),)
    assert find_kubeconfig(named=None) == (tmp_path / "config",)
    monkeypatch.delenv("KUBECONFIG")
    assert find_kubeconfig(named=None) is None


@pytest.mark.parametrize(
    "content",
    [
        "users:\n- name: u\n  user:\n    token: sekret: x\n",
        "users:\n- user: {token: *sekret}\n",
        "users:\n- user: {token: !sekret x}\n",
        "users:\n- user: {token: !!int sekret}\n",
        'users:\n- user: {token: "sekret\\q"}\n',
        "users:\n- user: {token: sekret\n",
        "users:\n- user: {token: \tsekret\x07}\n",
        "users: [{name: u, user: sekret}]",
        "users: [{name: u, user: {token: {sekret: 1}}}]",
        "users: [{name: u, user: {exec: [sekret]}}]",
        "users: [{name: u, user: {exec: {1: sekret}}}]",
    ],
)
def test_no_message_or_traceback_shows_what_the_file_holds(tmp_path: Path, content: str) -> None:
    with pytest.raises(KubeconfigError) as caught:
        load_kubeconfig(write(tmp_path, content))
    assert "sekret" not in "".join(traceback.format_exception(caught.value)).replace(
        f"{tmp_path}", ""
    )


def test_a_mistake_in_the_yaml_is_found_by_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match=r"\(line 2, column 11: mapping values are not"):
        load_kubeconfig(write(tmp_path, "a:\n- token: b: c\n"))


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("https://u:sekret@127.0.0.1:6443", "user name or password"),
        ("https://sekret@127.0.0.1:6443", "user name or password"),
        ("127.0.0.1:6443", "not an http or https URL"),
        ("ftp://127.0.0.1", "not an http or https URL"),
        ("", "not an http or https URL"),
        ("https://", "no valid host"),
        ("https://:6443", "no valid host"),
        ("https://a b", "no valid host"),
        ("https://a..b", "no valid host"),
        ("https://" + "x" * 64 + ".example", "no valid host"),
        ("https://[::g]", "not a URL|no valid host"),
        ("https://[::1", "not a URL"),
        ("https://host:port", "port"),
        ("https://host:65536", "port"),
        ("https://host:0", "port"),
        ("https://host:", "port"),
        ("https://host\n", "characters"),
        ("https://host/?token=sekret", "characters"),
    ],
)
def test_a_server_that_cannot_be_asked_is_refused_without_showing_it(
    tmp_path: Path, server: str, said: str
) -> None:
    clusters = [{"name": "c", "cluster": {"server": server}}]
    with pytest.raises(KubeconfigError, match=said) as caught:
        load_kubeconfig(write(tmp_path, document(clusters=clusters)))
    assert "sekret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "server",
    ["http://localhost:8080", "https://[fd00::1]:6443", "https://rancher.shop/k8s/clusters/c-1"],
)
def test_a_server_that_can_be_asked_is_taken(tmp_path: Path, server: str) -> None:
    clusters = [{"name": "c", "cluster": {"server": server + "/"}}]
    assert load_kubeconfig(write(tmp_path, document(clusters=clusters))).server == server


@pytest.mark.parametrize("context", [{"cluster": "c"}, {"cluster": "c", "user": ""}])
def test_a_context_without_a_user_is_taken(tmp_path: Path, context: dict[str, str]) -> None:
    contexts = [{"name": "home", "context": context}]
    found = load_kubeconfig(write(tmp_path, document(contexts=contexts)))
    assert (found.token_source, found.username) == (None, None)


def test_a_token_that_no_header_can_carry_is_refused(tmp_path: Path) -> None:
    users = [{"name": "u", "user": {"token": "sekret\n"}}]
    with pytest.raises(KubeconfigError, match="no token has") as caught:
        load_kubeconfig(write(tmp_path, document(users=users)))
    assert "sekret" not in str(caught.value)


def test_several_files_are_merged_and_the_first_wins_for_each_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, ca in ((first, "ca of the first"), (second, "ca of the second")):
        folder.mkdir()
        (folder / "ca.crt").write_text(ca)
    mine = write(
        first,
        {
            "contexts": [{"name": "away", "context": {"cluster": "far", "user": "u"}}],
            "users": [{"name": "u", "user": {"token": "of-the-first"}}],
        },
    )
    far = {"server": "https://far:6443", "certificate-authority": "ca.crt"}
    theirs = write(
        second,
        document(
            **{"current-context": "away"},
            clusters=[{"name": "far", "cluster": far}],
            contexts=[
                {"name": "away", "context": {"cluster": "nowhere", "user": "u"}},
                {"name": "other", "context": {"cluster": "far", "user": "u"}},
            ],
            users=[{"name": "u", "user": {"token": "of-the-second"}}],
        ),
    )
    files = [mine, tmp_path / "none", theirs]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(str(file) for file in files))
    found = find_kubeconfig(named=None)
    assert found == (mine, theirs)
    credentials = load_kubeconfig(found)
    assert credentials.server == "https://far:6443"
    assert credentials.ca_pem == "ca of the second"
    assert credentials.token_source is not None
    assert credentials.token_source().value == "of-the-first"
    assert load_kubeconfig(found, context="other").server == "https://far:6443"
    with pytest.raises(KubeconfigError, match="it has: away, other"):
        load_kubeconfig(found, context="nope")


def test_a_malformed_file_among_several_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("[")
    with pytest.raises(KubeconfigError, match="broken is not YAML"):
        load_kubeconfig([write(tmp_path, document()), tmp_path / "broken"])


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
