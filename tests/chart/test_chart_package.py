"""The chart as a package: it lints, its versions agree, and what is told twice is told alike."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from chart.rendering import CHART, EVERYTHING, KUBERNETES, REPOSITORY, Helm, Rendered

pytestmark = pytest.mark.chart


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "chart_readme", REPOSITORY / "hack/chart_readme.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A repository of the files that are read and written."""
    shutil.copytree(CHART, tmp_path / "charts" / "kausa")
    (tmp_path / "hack").mkdir()
    for each in (REPOSITORY / "hack").glob("rbac*.yaml"):
        shutil.copy(each, tmp_path / "hack")
    return tmp_path


def chart() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text())
    return loaded


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_it_lints_strictly(helm: Helm, values: dict[str, Any]) -> None:
    done = helm.run("lint", "--strict", "--kube-version", KUBERNETES, str(CHART), values=values)
    assert done.returncode == 0, done.stdout + done.stderr


def test_packed_it_is_the_same_chart(helm: Helm, defaults: Rendered, tmp_path: Path) -> None:
    done = helm.run("package", str(CHART), "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (package,) = tmp_path.glob("kausa-*.tgz")
    packed = helm.template(package, {})
    assert [(each["kind"], each["metadata"]["name"]) for each in packed.manifests] == [
        (each["kind"], each["metadata"]["name"]) for each in defaults.manifests
    ]
    assert packed.one("Pod", "kausa-test") == defaults.one("Pod", "kausa-test"), "with its script"


def test_the_versions_are_those_of_the_project() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert chart()["appVersion"] == project["version"]


def test_what_the_hub_is_told_is_what_is_rendered(defaults: Rendered) -> None:
    annotations = chart()["annotations"]
    told = {each["name"] for each in yaml.safe_load(annotations["artifacthub.io/crds"])}
    assert told == set(defaults.names("CustomResourceDefinition"))
    images = {each["image"] for each in yaml.safe_load(annotations["artifacthub.io/images"])}
    assert images == {defaults.container(each)["image"] for each in ("kausa", "kausa-embedder")}
    kinds = [each["kind"] for each in yaml.safe_load(annotations["artifacthub.io/crdsExamples"])]
    assert kinds == ["FailureDiagnosis", "Runbook"]


def test_what_is_generated_is_what_is_committed(
    generator: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    code = generator.main(["--check"])
    assert (code, capsys.readouterr().out) == (0, "")


def test_a_changed_value_fails_the_check_until_it_is_generated_again(
    generator: ModuleType, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = copy / "charts/kausa/values.yaml"
    values.write_text(values.read_text().replace("size: 5Gi", "size: 7Gi"))
    assert generator.main(["--check", "--root", str(copy)]) == 1
    assert '`"7Gi"`' in capsys.readouterr().out
    assert generator.main(["--root", str(copy)]) == 0
    assert generator.main(["--check", "--root", str(copy)]) == 0


def test_a_changed_role_fails_the_check(generator: ModuleType, copy: Path) -> None:
    role = copy / "hack" / "rbac.yaml"
    role.write_text(role.read_text().replace("[pods, nodes", "[secrets, pods, nodes"))
    assert generator.main(["--check", "--root", str(copy)]) == 1


def test_a_value_that_nobody_explained_is_an_error_that_names_it(
    generator: ModuleType, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = copy / "charts/kausa/values.yaml"
    values.write_text(values.read_text() + "\nmystery:\n  size: 1\n")
    assert generator.main(["--check", "--root", str(copy)]) == 2
    assert "mystery.size has no comment" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# -- One.\na: 1\n", [("a", 1, "One.")]),
        ("# -- One,\n# two.\na: [x]\n", [("a", ["x"], "One, two.")]),
        ("a:\n  # -- Deep.\n  b: {}\n", [("a.b", {}, "Deep.")]),
        ("# -- Whole.\na:\n  b: 1\n", [("a", {"b": 1}, "Whole.")]),
        ("# -- Unset.\na:\n", [("a", None, "Unset.")]),
        ("# A heading.\n\n# -- One.\na: 1\n", [("a", 1, "One.")]),
    ],
)
def test_comments_are_read_as_helm_docs_reads_them(
    generator: ModuleType, text: str, expected: list[tuple[str, Any, str]]
) -> None:
    found = [(each.path, each.default, each.text) for each in generator.read_values(text)]
    assert found == expected


def test_the_qdrant_values_belong_to_the_other_chart_and_are_not_rendered(
    render: Callable[..., Rendered],
) -> None:
    values = yaml.safe_load((CHART / "files" / "qdrant-values.yaml").read_text())
    assert values["apiKey"] is True
    assert values["config"]["telemetry_disabled"] is True, "else Qdrant reports to its makers"
    assert not render().all("StatefulSet")
    assert "dependencies" not in chart(), "an unfetched one breaks `helm install` from a clone"
