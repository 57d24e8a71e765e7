from __future__ import annotations

from pathlib import Path

import pytest

from kausa_embedder.models import DEFAULT_MODEL, find_folder
from kausa_embedder.session import available_cpus


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"KAUSA_EMBEDDER_MODEL_PATH": "/m", "KAUSA_CACHE": "/k"}, "/m"),
        ({"KAUSA_CACHE": "/k", "XDG_CACHE_HOME": "/x"}, "/k/models/all-MiniLM-L6-v2-int8"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/kausa/models/all-MiniLM-L6-v2-int8"),
        ({}, str(Path.home() / ".cache/kausa/models/all-MiniLM-L6-v2-int8")),
    ],
)
def test_the_model_is_looked_for_where_it_is_put(environment: dict[str, str], folder: str) -> None:
    assert find_folder(DEFAULT_MODEL, environment=environment) == Path(folder)


@pytest.mark.parametrize("limit", ["50000 100000", "100000 100000"])
def test_a_cgroup_of_one_cpu_or_less_is_one_cpu(tmp_path: Path, limit: str) -> None:
    (tmp_path / "cpu.max").write_text(limit)
    assert available_cpus(cgroup=tmp_path) == 1


@pytest.mark.parametrize("limit", ["max 100000", "", "none"])
def test_no_quota_leaves_the_affinity(tmp_path: Path, limit: str) -> None:
    (tmp_path / "cpu.max").write_text(limit)
    assert available_cpus(cgroup=tmp_path) == available_cpus(cgroup=tmp_path / "absent") >= 1
