"""The images' tools, as far as nothing is built, downloaded or unpacked."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hack.images import build, debian, engine, sizes, wheels
from hack.images.engine import Build
from hack.images.place import (
    BACKEND,
    IMAGES,
    REPOSITORY,
    Image,
    Place,
    fingerprint,
    reference,
    version,
)

from localcluster import images as archives
from localcluster import packages
from localcluster.errors import CannotRun, ClusterError
from localcluster.images import Image as Archived

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
OPERATOR = IMAGES["operator"]


def tree(folder: Path) -> Path:
    """A repository as far as an image is made of it."""
    for name in ("Dockerfile", ".dockerignore", "LICENSE", "README.md", "pyproject.toml"):
        (folder / name).write_text(name)
    for name in ("operator/kausa", "embedder/kausa_embedder", "hack/images", "requirements"):
        (folder / name).mkdir(parents=True)
    (folder / "operator/kausa/cli.py").write_text("one")
    for name in (OPERATOR.requirements, BACKEND):
        (folder / "requirements" / name).write_text("a==1\n")
    return folder


def of(folder: Path, *options: str) -> str:
    return fingerprint(OPERATOR, options=options, repository=folder, model=None)


def test_an_image_is_built_anew_when_what_goes_into_it_changes(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    before = of(folder, "name")
    (folder / "docs.md").write_text("not a part of it")
    (folder / "operator/kausa/__pycache__").mkdir()
    (folder / "operator/kausa/__pycache__/cli.pyc").write_bytes(b"compiled")
    assert of(folder, "name") == before
    assert of(folder, "another name") != before
    (folder / "operator/kausa/cli.py").write_text("two")
    changed = of(folder, "name")
    assert changed != before
    (folder / "requirements" / BACKEND).write_text("a==2\n")
    assert of(folder, "name") not in {before, changed}


def test_a_model_is_a_part_of_its_image(tmp_path: Path) -> None:
    folder, model = tree(tmp_path), tmp_path / "model"
    model.mkdir()
    (model / "model.onnx").write_bytes(b"weights")
    before = fingerprint(OPERATOR, options=(), repository=folder, model=model)
    (model / "model.onnx").write_bytes(b"others")
    assert fingerprint(OPERATOR, options=(), repository=folder, model=model) != before


def test_sizes_are_of_the_files_and_of_what_goes_over_the_wire(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    image = Archived("localhost/x:1", {"/a": b"a" * 100_000, "/b": b"b" * 50_000})
    archive.write_bytes(archives.archive(image))
    found = sizes.measure(archive)
    assert found.unpacked == 150_000
    assert 100 < found.compressed < 5_000
    notes = tmp_path / "image.json"
    assert sizes.read(notes, fingerprint="x") is None
    sizes.write(notes, fingerprint="x", sizes=found)
    assert sizes.read(notes, fingerprint="x") == found
    assert sizes.read(notes, fingerprint="y") is None
    notes.write_text("{half of")
    assert sizes.read(notes, fingerprint="x") is None


def test_packages_of_other_pins_lie_in_another_folder(tmp_path: Path) -> None:
    place, pins = Place(tmp_path), tmp_path / "pins.txt"
    pins.write_text("a==1\n")
    before = place.wheels([pins])
    pins.write_text("a==2\n")
    assert place.wheels([pins]) != before


def test_another_python_than_the_images_is_told_what_to_do() -> None:
    wheels.check_python((3, 11))
    with pytest.raises(CannotRun, match=r"run Python 3\.11, and this is 3\.13.*Use Python 3\.11"):
        wheels.check_python((3, 13))


def test_a_build_is_told_its_target_arguments_and_contexts() -> None:
    told = Build(
        target="operator",
        name="x:1",
        folder=Path("/src"),
        arguments={"VERSION": "1"},
        contexts={"models": Path("/models")},
    ).options()
    assert told == [
        *("--target", "operator", "--tag", "x:1", "--build-arg", "VERSION=1"),
        *("--build-context", "models=/models", "/src"),
    ]


def test_docker_comes_before_buildah_where_its_daemon_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(packages, "ensure", lambda _: None)
    monkeypatch.setattr(engine, "docker_answers", lambda: True)
    assert engine.choose("auto", storage=tmp_path).name == "docker"
    assert engine.choose("buildah", storage=tmp_path).name == "buildah"
    monkeypatch.setattr(engine, "docker_answers", lambda: False)
    assert engine.choose("auto", storage=tmp_path).name == "buildah"


def test_a_failed_build_is_not_taken_for_an_image() -> None:
    engine.follow([sys.executable, "-c", ""])
    with pytest.raises(ClusterError, match="build failed"):
        engine.follow([sys.executable, "-c", "raise SystemExit(3)"])
    failed = subprocess.CompletedProcess(["x"], 1, "", "no space")
    with pytest.raises(ClusterError, match="was not saved: no space"):
        engine.check(failed, "x was not saved")


def test_an_image_that_nobody_knows_and_a_model_that_is_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAUSA_CACHE", str(tmp_path))
    assert build.main(["api"]) == 2
    assert "There is no image api; there are operator, embedder" in capsys.readouterr().err
    assert build.main(["embedder"]) == 2
    assert "make embedded-models" in capsys.readouterr().err


def test_names_are_those_that_the_chart_asks_for() -> None:
    asked = "ghcr.io/kausa-dev/kausa/operator:1.2.3"
    assert reference(OPERATOR, tag="1.2.3") == asked
    assert version() in (REPOSITORY / "pyproject.toml").read_text()


def test_the_base_has_neither_a_shell_nor_a_package_manager() -> None:
    unwanted = {"dash", "bash", "busybox-static", "dpkg", "apt", "perl-base", "python3-pip"}
    assert not unwanted & set(debian.PACKAGES)
    assert not set(debian.BUILD_PACKAGES) & set(debian.PACKAGES)


# -- the Dockerfile --------------------------------------------------------------------------------


def stages() -> dict[str, str]:
    """Each stage's text by its name."""
    parts = re.split(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)
    return dict(zip(parts[2::3], parts[3::3], strict=True))


@pytest.mark.parametrize("image", IMAGES.values(), ids=lambda one: one.target)
def test_an_image_is_its_base_and_what_is_copied_and_runs_as_nobody_in_particular(
    image: Image,
) -> None:
    text = stages()[image.target]
    assert "USER 65532:65532" in text
    assert "RUN" not in text
    assert f"COPY --from={image.target}-build /opt/kausa /opt/kausa" in text
    assert ("COPY --from=models" in text) == image.model
    assert f"requirements/{image.requirements}" in stages()[f"{image.target}-build"]


def test_no_step_needs_a_shell() -> None:
    steps = re.findall(r"^RUN (.*)$", DOCKERFILE, flags=re.MULTILINE)
    assert len(steps) == 2 * len(IMAGES)
    assert all(step.startswith('["python3", ') for step in steps)


def test_everything_that_is_copied_is_let_into_the_build_and_nothing_else() -> None:
    let_in = re.findall(r"^!(.+)$", (REPOSITORY / ".dockerignore").read_text(), flags=re.MULTILINE)
    copied = [
        source
        for words in re.findall(r"^COPY (?!--)(.+)$", DOCKERFILE, flags=re.MULTILINE)
        for source in words.split()[:-1]
    ]
    assert copied
    for source in copied:
        assert (REPOSITORY / source).exists(), source
        assert any(Path(source).match(pattern) for pattern in let_in), source
    for pattern in let_in:
        assert any(Path(source).match(pattern) for source in copied), pattern


@pytest.mark.parametrize("name", [BACKEND, *(each.requirements for each in IMAGES.values())])
def test_every_package_of_an_image_is_pinned_by_its_hash_and_names_no_index(name: str) -> None:
    text = (REPOSITORY / "requirements" / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    pins = re.findall(r"^[a-zA-Z0-9_.\[\],-]+==.*(?:\n    --hash=.*)*", text, flags=re.MULTILINE)
    assert pins
    assert all("--hash=sha256:" in pin for pin in pins)


@pytest.mark.parametrize("target", ["embedder", "embedder-gpu"])
def test_libraries_that_report_to_their_makers_are_told_not_to(target: str) -> None:
    for variable in ("ORT_DISABLE_TELEMETRY=1", "HF_HUB_DISABLE_TELEMETRY=1"):
        assert variable in stages()[target]
