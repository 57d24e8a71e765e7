"""The cases that rules leave to a model: two halves, one of which nobody tunes by."""

from __future__ import annotations

from pathlib import Path

import yaml

from kausa.evaluation.cases import find_cases, read_case

FOLDER = Path(__file__).parents[2] / "cases_for_models"
CASES = {each.name: each for each in find_cases([FOLDER])}


def test_there_are_two_dozen_and_each_says_where_it_is_from() -> None:
    assert len(CASES) == 24
    for name, folder in CASES.items():
        case = read_case(folder)
        assert case.id == name
        assert "by hand" in case.source
        assert case.expect.says


def test_even_ones_are_tuned_by_and_odd_ones_scored() -> None:
    for name, folder in CASES.items():
        half, number = name.split("-")[:2]
        assert half == ("scored" if int(number) % 2 else "tuning")
        assert yaml.safe_load((folder / "case.yaml").read_text())["half"] == half


def test_each_kind_of_workload_and_container_is_among_them() -> None:
    kinds = {read_case(folder).kind for folder in CASES.values()}
    assert kinds == {"Deployment", "StatefulSet", "Job"}
    specs = [(folder / "objects.json").read_text() for folder in CASES.values()]
    assert any('"initContainerStatuses"' in each for each in specs)
    assert any('"restartPolicy":"Always","name"' in each or '"restartPolicy":"Always"}' in each
               for each in specs)  # fmt: skip
