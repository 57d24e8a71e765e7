"""What can be set from the environment, what is found out, and what is said of bad values."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from kausa.errors import SettingsError
from kausa.settings import Settings, surroundings


@pytest.fixture(autouse=True)
def outside_of_a_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No setting is given; the file that makes it a Pod is there as soon as it is written."""
    for name in os.environ:
        if name.startswith("KAUSA_") or name == "POD_NAME":
            monkeypatch.delenv(name)
    path = tmp_path / "namespace"
    monkeypatch.setattr(surroundings, "NAMESPACE_FILE", path)
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
    return path


@pytest.fixture
def inside_of_a_pod(outside_of_a_pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside_of_a_pod.write_text("ops\n")
    monkeypatch.setattr(socket, "gethostname", lambda: "kausa-7d9f-x2kpw")


# -- lists of namespaces -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("shop", ("shop",)),
        ("shop,team-*", ("shop", "team-*")),
        (" shop , team-[ab]  team-? ", ("shop", "team-[ab]", "team-?")),
        ("", ()),
        (",", ()),
    ],
)
@pytest.mark.parametrize("which", ["include", "exclude"])
def test_namespaces_are_separated_by_commas_or_spaces(
    monkeypatch: pytest.MonkeyPatch, which: str, written: str, meant: tuple[str, ...]
) -> None:
    monkeypatch.setenv(f"KAUSA_NAMESPACES_{which.upper()}", written)
    assert getattr(Settings.from_environment(), f"namespaces_{which}") == meant


def test_without_a_setting_all_namespaces_are_watched() -> None:
    found = Settings.from_environment()
    assert (found.namespace, found.namespaces_include, found.namespaces_exclude) == (None, (), ())


# -- bad values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NAMESPACES_INCLUDE", "shop,Team_A"),
        ("NAMESPACES_EXCLUDE", "shop," + 64 * "a"),
        ("NAMESPACE", "Shop"),
        ("NAMESPACE", "-shop"),
        ("OWN_NAMESPACE", "../etc"),
        ("IDENTITY", 254 * "a"),
        ("STABILISATION_SECONDS", "0"),
        ("LEASE_SECONDS", "2"),
        ("STREAM_DEAD_SECONDS", "29"),
        ("PROBE_PORT", "65536"),
        ("LEADER_ELECTION", "perhaps"),
        ("QUEUE_SIZE", "many"),
        ("LOG_LEVEL", "loud"),
        ("MODEL_KIND", "gpt"),
        ("MODEL_URL", "ollama:11434"),
        ("MODEL_THRESHOLD", "1.1"),
        ("MODEL_TOKENS_PER_DIAGNOSIS", "5999"),
        ("MODEL_CONTEXT_TOKENS", "2048"),
        ("MODEL_KEEP_ALIVE", "a while"),
        ("MODEL_CONCURRENCY", "0"),
    ],
)
def test_a_bad_value_is_told_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"KAUSA_{name}", value)
    with pytest.raises(SettingsError, match=rf"KAUSA_{name}: \S+"):
        Settings.from_environment()


def test_all_bad_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAUSA_QUEUE_SIZE", "many")
    monkeypatch.setenv("KAUSA_NAMESPACES_INCLUDE", "A,B")
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment()
    assert str(caught.value).count("KAUSA_NAMESPACES_INCLUDE") == 2
    assert str(caught.value).count("KAUSA_QUEUE_SIZE") == 1


# -- who this process is -------------------------------------------------------------------------


def test_outside_of_a_pod_no_namespace_is_its_own_and_the_lease_is_in_default() -> None:
    found = Settings.from_environment()
    assert (found.own_namespace, found.home_namespace) == (None, "default")


@pytest.mark.usefixtures("inside_of_a_pod")
def test_in_a_pod_the_own_namespace_is_the_pods_and_the_lease_is_there() -> None:
    found = Settings.from_environment()
    assert (found.own_namespace, found.home_namespace) == ("ops", "ops")


@pytest.mark.usefixtures("inside_of_a_pod")
def test_an_own_namespace_that_is_set_goes_before_the_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAUSA_OWN_NAMESPACE", "kausa-system")
    assert Settings.from_environment().home_namespace == "kausa-system"


def test_an_empty_namespace_file_is_no_namespace(outside_of_a_pod: Path) -> None:
    outside_of_a_pod.write_text("\n")
    assert Settings.from_environment().own_namespace is None


def test_two_processes_outside_of_a_pod_have_two_names_of_one_host() -> None:
    one, other = Settings.from_environment().identity, Settings.from_environment().identity
    assert one != other
    assert one.startswith("laptop-")
    assert other.startswith("laptop-")


def test_outside_of_a_pod_the_lease_is_in_the_namespace_that_is_watched() -> None:
    found = Settings.from_environment(namespace="shop")
    assert (found.home_namespace, found.left_out_namespace) == ("shop", None)


@pytest.mark.usefixtures("inside_of_a_pod")
def test_the_own_namespace_is_left_out_unless_it_is_asked_for() -> None:
    assert Settings.from_environment().left_out_namespace == "ops"
    assert Settings.from_environment(namespace="shop").left_out_namespace == "ops"
    assert Settings.from_environment(watch_own_namespace=True).left_out_namespace is None


@pytest.mark.usefixtures("inside_of_a_pod")
def test_a_namespace_that_is_named_is_watched_though_the_operator_runs_in_it() -> None:
    found = Settings.from_environment(namespace="ops")
    assert (found.left_out_namespace, found.home_namespace) == (None, "ops")


@pytest.mark.usefixtures("inside_of_a_pod")
def test_a_container_that_was_restarted_in_its_pod_goes_on_under_the_name_of_its_pod(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POD_NAME", "kausa-0")
    one, other = Settings.from_environment().identity, Settings.from_environment().identity
    assert one == other == "kausa-0"


@pytest.mark.usefixtures("inside_of_a_pod")
def test_two_pods_that_have_the_name_of_their_node_have_two_names() -> None:
    one, other = Settings.from_environment().identity, Settings.from_environment().identity
    assert one != other
    assert one.startswith("kausa-7d9f-x2kpw-")


def test_the_name_of_a_host_that_is_too_long_for_a_lease_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: 253 * "h")
    assert len(Settings.from_environment().identity) <= 253


def test_an_identity_that_is_set_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAUSA_IDENTITY", "the-one")
    assert Settings.from_environment().identity == "the-one"


# -- the command line ----------------------------------------------------------------------------


def test_what_is_given_goes_before_the_environment_and_none_is_not_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAUSA_NAMESPACE", "other")
    assert Settings.from_environment(namespace="shop").namespace == "shop"
    assert Settings.from_environment(namespace=None).namespace == "other"


@pytest.mark.parametrize("name", ["PROBE_PORT", "NAMESPACE", "LOG_LEVEL", "IDENTITY"])
def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"KAUSA_{name}", "")
    assert Settings.from_environment().log_level == "info"


# -- the model -----------------------------------------------------------------------------------


def test_the_key_of_the_model_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAUSA_MODEL_KEY", "sk-very-secret")
    found = Settings.from_environment()
    assert "sk-very-secret" not in repr(found)
    assert found.model_key is not None
    assert found.model_key.get_secret_value() == "sk-very-secret"


KEYS = ("MODEL_KEY", "MEMORY_API_KEY", "EMBEDDER_TOKEN")


@pytest.mark.parametrize("name", KEYS)
def test_the_end_of_a_line_is_no_part_of_a_key(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    # `echo key | base64` is how many a Secret is made.
    monkeypatch.setenv(f"KAUSA_{name}", " sk-very-secret\n")
    found = getattr(Settings.from_environment(), name.lower())
    assert found.get_secret_value() == "sk-very-secret"


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("key", ["schl\u00fcssel-99", "sk-one\nsk-two", "sk-\x01", " \n"])
def test_a_key_that_no_header_takes_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, key: str
) -> None:
    monkeypatch.setenv(f"KAUSA_{name}", key)
    with pytest.raises(SettingsError, match=f"KAUSA_{name}") as caught:
        Settings.from_environment()
    told = f"{caught.value} {caught.value.__cause__!r} {caught.value.__cause__}"
    assert "sk-" not in told
    assert "ssel-99" not in told


@pytest.mark.parametrize("name", ["MODEL_URL", "MEMORY_URL", "EMBEDDER_URL"])
def test_an_address_with_a_password_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"KAUSA_{name}", "http://user:hunter2@model:11434")
    with pytest.raises(SettingsError, match=f"KAUSA_{name}") as caught:
        Settings.from_environment()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["SIMPLE_MODEL", "REASONING_MODEL"])
@pytest.mark.parametrize("model", [" ", "a b;c", "-rf", "$(id)"])
def test_what_is_no_name_of_a_model_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, model: str
) -> None:
    monkeypatch.setenv(f"KAUSA_{name}", model)
    with pytest.raises(SettingsError, match=f"KAUSA_{name}"):
        Settings.from_environment()


@pytest.mark.parametrize("written", ["-1", "0", "10m", "90s", "2h", "500ms"])
def test_a_model_is_kept_for_as_long_as_ollama_can_read(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("KAUSA_MODEL_KEEP_ALIVE", written)
    assert Settings.from_environment().model_keep_alive == written
