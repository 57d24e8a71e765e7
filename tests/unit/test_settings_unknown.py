"""A misspelt variable is told once, with the setting that was meant; nobody else's is."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.settings import Settings
from kausa.settings.unknown import MOST_TOLD, find_unknown
from kausa_embedder.settings import Settings as EmbedderSettings

ROOT = Path(__file__).parents[2]
DOCUMENTED = tuple(
    sorted(set(re.findall(r"^\| `(KAUSA_\w+)`", (ROOT / "docs/configure.md").read_text(), re.M)))
)


def told(*names: str) -> tuple[str, ...]:
    unknown = find_unknown(dict.fromkeys(names, "sk-very-secret"))
    return unknown.told if unknown is not None else ()


# -- what is told --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("KAUSA_MODEL_URI", "KAUSA_MODEL_URL"),
        ("KAUSA_LOGLEVEL", "KAUSA_LOG_LEVEL"),
        ("KAUSA_NAMESPACE_INCLUDE", "KAUSA_NAMESPACES_INCLUDE"),
        ("KAUSA_MODEL_CAFILE", "KAUSA_MODEL_CA_FILE"),
        ("KAUSA_EMBEDDER_TOKN", "KAUSA_EMBEDDER_TOKEN"),
        ("KAUSA_PROB_PORT", "KAUSA_PROBE_PORT"),
        ("kausa_model_uri", "KAUSA_MODEL_URL"),
        ("Kausa_Memory_Pat", "KAUSA_MEMORY_PATH"),
    ],
)
def test_a_misspelt_name_is_told_with_the_one_that_was_meant(written: str, meant: str) -> None:
    assert told(written) == (f"{written} (did you mean {meant}?)",)


@pytest.mark.parametrize("name", ["KAUSA_", "KAUSA_X", "KAUSA_OLLAMA_HOST", "KAUSA_PORT"])
def test_a_name_that_is_like_no_other_is_told_alone(name: str) -> None:
    assert told(name) == (name,)


def test_it_is_said_what_it_means_and_what_to_do() -> None:
    assert str(find_unknown({"KAUSA_MODEL_URI": "http://ollama:11434"})) == (
        "KAUSA_MODEL_URI (did you mean KAUSA_MODEL_URL?) is no setting of Kausa, so it changes "
        "nothing. Correct or unset it; docs/configure.md lists every setting. Leave it where "
        "another program reads it."
    )
    assert str(find_unknown({"KAUSA_B": "", "KAUSA_A": ""})) == (
        "KAUSA_A, KAUSA_B are no settings, so they change nothing. Correct or unset them; "
        "docs/configure.md lists every setting. Leave them where another program reads them."
    )


def test_no_value_is_ever_told() -> None:
    unknown = find_unknown({"KAUSA_MODEL_KEYS": "sk-very-secret", "KAUSA_PORT": "sk-very-secret"})
    assert "sk-very-secret" not in f"{unknown} {unknown!r}"


def test_names_are_bounded_in_number_and_length_and_can_be_shown() -> None:
    many = {f"KAUSA_{number:04}{'_SERVICE_PORT' * 9_000}\x1b[2J": "" for number in range(200)}
    unknown = find_unknown(many | {"KAUSA_\x1b[31m\udcff\u202e": ""})
    assert unknown is not None
    assert len(unknown.told) == MOST_TOLD
    assert unknown.more == 201 - MOST_TOLD
    assert str(unknown).isascii()
    assert str(unknown).isprintable()
    assert len(str(unknown)) < 1000
    assert f"and {unknown.more} more are no settings" in str(unknown)


# -- what is known -------------------------------------------------------------------------------


@given(st.sampled_from(DOCUMENTED), st.text(max_size=20))
def test_every_documented_setting_is_known(name: str, value: str) -> None:
    assert find_unknown({name: value}) is None


def test_the_reference_documents_every_setting() -> None:
    ours = {f"KAUSA_{name.upper()}" for name in Settings.model_fields}
    workers = {f"KAUSA_EMBEDDER_{name.upper()}" for name in EmbedderSettings.model_fields}
    assert set(DOCUMENTED) == ours | workers | {"KAUSA_CACHE"}
    assert told(*ours, *workers) == ()


@given(st.sampled_from(DOCUMENTED), st.data())
def test_a_documented_name_that_lost_a_letter_is_told_with_a_documented_one(
    name: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(min_value=len("KAUSA_"), max_value=len(name) - 1))
    written = name[:at] + name[at + 1 :]
    if written in DOCUMENTED:
        return
    (found,) = told(written)
    meant = re.fullmatch(rf"{written} \(did you mean (KAUSA_\w+)\?\)", found)
    assert meant is not None or len(name) <= len("KAUSA_ABCD"), found
    assert meant is None or meant[1] in DOCUMENTED


@given(st.text(alphabet=string.ascii_uppercase + "_", max_size=12))
def test_a_name_that_does_not_begin_as_ours_is_nobody_s_business(name: str) -> None:
    assert told(f"XKAUSA_{name}", f"OTHER_{name}", "KAUSA", "POD_NAME") == ()


@pytest.mark.parametrize("service", ["KAUSA", "KAUSA_EMBEDDER", "KAUSA_2_METRICS", "KAUSA_PORT"])
def test_what_kubernetes_tells_of_a_service_is_known(service: str) -> None:
    address = "tcp://10.96.0.12:8080"
    assert (
        find_unknown(
            {
                f"{service}_SERVICE_HOST": "10.96.0.12",
                f"{service}_SERVICE_PORT": "8080",
                f"{service}_SERVICE_PORT_HTTP_METRICS": "8080",
                f"{service}_PORT": address,
                f"{service}_PORT_8080_TCP": address,
                f"{service}_PORT_8080_TCP_PROTO": "tcp",
                f"{service}_PORT_8080_TCP_PORT": "8080",
                f"{service}_PORT_8080_TCP_ADDR": "10.96.0.12",
                f"{service}_PORT_53_UDP": "udp://10.96.0.12:53",
            }
        )
        is None
    )


def test_a_port_that_a_person_sets_is_no_service_s() -> None:
    assert told("KAUSA_METRICS_PORT") == ("KAUSA_METRICS_PORT",)


def test_whatever_else_this_repository_reads_or_sets_is_known() -> None:
    read = re.compile(
        r"[\"'](KAUSA_[A-Z0-9_]*[A-Z0-9])[\"']|name: (KAUSA_\w+)|\bexport (KAUSA_\w+)"
    )
    files = [
        path
        for folder in ("operator", "embedder", "hack", "charts")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yaml", ".tpl", ".sh")
    ]
    names = {
        next(filter(None, found.groups()))
        for path in (*files, ROOT / "Makefile")
        for found in read.finditer(path.read_text())
    }
    tests = re.compile(r"environ(?:\.get\(|\[)\s*[\"'](KAUSA_\w+)")
    for path in (ROOT / "tests").rglob("*.py"):
        names.update(tests.findall(path.read_text()))
    assert {"KAUSA_CACHE", "KAUSA_TEST_KUBECONFIG", "KAUSA_CLUSTER_BIN"} <= names
    assert told(*names) == ()
