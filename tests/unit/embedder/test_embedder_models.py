from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kausa_embedder.checking import check_files
from kausa_embedder.cpus import available_cpus
from kausa_embedder.errors import (
    ChecksumError,
    ModelBrokenError,
    ModelMissingError,
    ProviderMissingError,
)
from kausa_embedder.loading import load
from kausa_embedder.models import (
    DEFAULT_MODEL,
    DESCRIPTION_FILE,
    MODELS,
    PRESETS,
    ModelFile,
    ModelSpec,
    find_folder,
    find_spec,
)
from kausa_embedder.options import EngineOptions
from kausa_embedder.providers import ProviderChoice, ProviderName, choose

OWN = {"name": "own", "max_tokens": 64, "pooling": "cls", "licence": "MIT"}


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"KAUSA_EMBEDDER_MODEL_PATH": "/m", "KAUSA_CACHE": "/k"}, "/m"),
        ({"KAUSA_CACHE": "/k", "XDG_CACHE_HOME": "/x"}, f"/k/models/{DEFAULT_MODEL.folder}"),
        ({"XDG_CACHE_HOME": "/x"}, f"/x/kausa/models/{DEFAULT_MODEL.folder}"),
        ({}, str(Path.home() / f".cache/kausa/models/{DEFAULT_MODEL.folder}")),
    ],
)
def test_the_model_is_looked_for_where_it_is_put(environment: dict[str, str], folder: str) -> None:
    assert find_folder(DEFAULT_MODEL, environment=environment) == Path(folder)


def test_no_two_models_share_a_name_a_folder_or_vectors() -> None:
    assert len({spec.folder for spec in MODELS.values()}) == len(MODELS)
    assert all(name == spec.name for name, spec in MODELS.items())
    assert {spec.name for spec in PRESETS.values()} <= set(MODELS)
    assert PRESETS["offline"] is DEFAULT_MODEL
    assert not DEFAULT_MODEL.repository, "the offline preset fetches nothing"


@pytest.mark.parametrize("spec", MODELS.values(), ids=lambda spec: spec.name)
def test_every_model_has_what_a_reader_must_know(spec: ModelSpec) -> None:
    assert spec.licence
    assert all(len(file.sha256) == 64 for file in spec.files)
    assert not spec.reranker or MODELS[spec.reranker].cross_encoder


def test_only_queries_of_a_model_that_was_trained_so_get_a_prefix() -> None:
    bge = PRESETS["cpu"]
    assert bge.prefix("query").startswith("Represent this sentence")
    assert bge.prefix("passage") == DEFAULT_MODEL.prefix("query") == ""


def test_a_folder_describes_itself(tmp_path: Path) -> None:
    (tmp_path / DESCRIPTION_FILE).write_text(json.dumps(OWN))
    for name in ("offline", "own"):
        spec = find_spec(name, folder=tmp_path)
        assert (spec.name, spec.max_tokens, spec.pooling, spec.backend) == (
            "own",
            64,
            "cls",
            "onnx",
        )
    with pytest.raises(ModelMissingError, match="holds the model own"):
        find_spec("another", folder=tmp_path)


@pytest.mark.parametrize(
    "wrong",
    ["", "[]", "{}", {"max_tokens": "many"}, {"max_tokens": 1}, {"pooling": "max"},
     {"backend": "tensorflow"}, {"surprise": 1}, {"files": [{"name": "x"}]}],
)  # fmt: skip
def test_a_description_that_cannot_be_right_is_refused(tmp_path: Path, wrong: Any) -> None:
    text = wrong if isinstance(wrong, str) else json.dumps(OWN | wrong)
    (tmp_path / DESCRIPTION_FILE).write_text(text)
    with pytest.raises(ModelBrokenError, match=DESCRIPTION_FILE):
        find_spec("offline", folder=tmp_path)


def test_a_name_that_nobody_knows_is_answered_with_those_that_are_known() -> None:
    with pytest.raises(ModelMissingError, match=r"offline, cpu, gpu.*kausa-model.json"):
        find_spec("word2vec")


def test_an_empty_folder_is_a_missing_model_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError) as missing:
        load(EngineOptions(folder=tmp_path))
    for said in ("model.onnx", "tokenizer.json", str(tmp_path), "embedded-models"):
        assert said in str(missing.value)


def said_of(spec: ModelSpec, folder: Path, *, given: bool) -> str:
    with pytest.raises(ModelMissingError) as missing:
        check_files(spec, folder, given=given)
    return str(missing.value)


def test_our_own_command_is_advised_only_where_it_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAUSA_CACHE", str(tmp_path / "cache"))
    ours = tmp_path / "cache" / "models" / DEFAULT_MODEL.folder
    assert "run `make embedded-models`, which repairs it" in said_of(
        DEFAULT_MODEL, ours, given=False
    )
    elsewhere = said_of(DEFAULT_MODEL, tmp_path / "elsewhere", given=True)
    assert f"copy it from {ours}, which `make embedded-models` fills" in elsewhere
    assert "or correct KAUSA_EMBEDDER_MODEL_PATH" in elsewhere
    own = ModelSpec(
        name="our-model", folder="m", backend="onnx", max_tokens=8, pooling="cls", licence="MIT"
    )
    said = said_of(own, tmp_path / "own", given=True)
    assert "make embedded-models" not in said
    assert "bring the files there that its kausa-model.json lists" in said


def test_a_model_of_the_hub_is_fetched_into_a_cache_and_never_into_a_folder_of_somebody(
    tmp_path: Path,
) -> None:
    small = PRESETS["cpu"]
    command = f"`kausa-embedder fetch --model {small.name}`"
    assert f"run {command}, which repairs it" in said_of(small, tmp_path / "cache", given=False)
    assert f"which {command} fills" in said_of(small, tmp_path / "own", given=True)
    scorer = MODELS["Xenova/ms-marco-MiniLM-L-6-v2"]
    assert "correct KAUSA_EMBEDDER_RERANKER_PATH" in said_of(scorer, tmp_path / "own", given=True)
    large = said_of(PRESETS["gpu"], tmp_path / "large", given=False)
    assert f"hf download BAAI/bge-m3 --local-dir {tmp_path / 'large'}" in large


def test_a_file_that_was_changed_is_never_loaded(tmp_path: Path) -> None:
    spec = ModelSpec(
        name="m", folder="m", backend="fastembed", max_tokens=8, pooling="cls", licence="MIT",
        files=(ModelFile(name="weights", sha256="0" * 64),),
    )  # fmt: skip
    (tmp_path / "weights").write_bytes(b"other")
    with pytest.raises(ChecksumError, match="pinned"):
        check_files(spec, tmp_path)


def test_a_cross_encoder_is_no_embedding_model_and_the_other_way_round() -> None:
    with pytest.raises(ModelMissingError, match="makes no vectors"):
        load(EngineOptions(model="Xenova/ms-marco-MiniLM-L-6-v2"))


@pytest.mark.parametrize(
    ("wanted", "available", "chosen"),
    [
        ("auto", {"cpu", "cuda"}, "cuda"),
        ("auto", {"cpu"}, "cpu"),
        ("cpu", {"cpu", "cuda"}, "cpu"),
        ("cuda", {"cpu", "cuda"}, "cuda"),
    ],
)
def test_the_device_is_what_is_there_unless_one_is_asked_for(
    wanted: ProviderChoice, available: set[ProviderName], chosen: ProviderName
) -> None:
    assert choose(wanted, available=available) == chosen


def test_cuda_where_there_is_none_is_an_error_unless_the_cpu_will_do() -> None:
    with pytest.raises(ProviderMissingError, match=r"kausa\[gpu\]"):
        choose("cuda", available={"cpu"})
    assert choose("cuda", available={"cpu"}, fallback=True) == "cpu"


def cpus(folder: Path, membership: str) -> int:
    (folder / "membership").write_text(membership)
    return available_cpus(mount=folder, membership=folder / "membership")


@pytest.mark.parametrize("limit", ["50000 100000", "100000 100000"])
@pytest.mark.parametrize("place", ["", "kubepods", "kubepods/pod7"])
def test_a_quota_of_version_2_counts_wherever_it_stands(
    tmp_path: Path, limit: str, place: str
) -> None:
    (tmp_path / "kubepods/pod7").mkdir(parents=True)
    (tmp_path / place / "cpu.max").write_text(limit)
    assert cpus(tmp_path, "0::/kubepods/pod7\n") == 1


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct"])
def test_a_quota_of_version_1_counts_too(tmp_path: Path, controllers: str) -> None:
    folder = tmp_path / controllers / "kubepods"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("30000\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    assert cpus(tmp_path, f"5:{controllers}:/kubepods/unseen\n") == 1


@pytest.mark.parametrize("limit", ["max 100000", "", "none", "1 0"])
def test_no_quota_leaves_the_affinity(tmp_path: Path, limit: str) -> None:
    (tmp_path / "cpu.max").write_text(limit)
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("-1")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000")
    without = available_cpus(mount=tmp_path / "absent", membership=tmp_path / "absent")
    assert cpus(tmp_path, "0::/\n1:cpu:/\nnonsense") == without >= 1
