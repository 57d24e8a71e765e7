"""What is built, and where it goes: pure values, nothing here touches the disk."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster.layout import Layout

REPOSITORY = Path(__file__).resolve().parents[2]
REGISTRY = "ghcr.io/kausa-dev"
MODEL = "all-MiniLM-L6-v2-w8a8"
# What the images' Python is; the packages are chosen for it.
PYTHON = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image of the Dockerfile."""

    target: str
    requirements: str
    most_megabytes: int
    """What it should stay below, uncompressed."""
    sources: tuple[str, ...]
    """The project's packages that it is made of."""
    model: bool = False
    """Whether a model is baked in."""


OPERATOR, EMBEDDER = "operator/kausa", "embedder/kausa_embedder"
IMAGES = {
    image.target: image
    for image in (
        Image(
            target="operator",
            requirements="operator-image.txt",
            most_megabytes=200,
            # It counts tokens and knows models as the embedder does.
            sources=(OPERATOR, EMBEDDER),
        ),
        Image(
            target="embedder",
            requirements="embedder.txt",
            most_megabytes=450,
            sources=(EMBEDDER,),
            model=True,
        ),
        Image(
            target="embedder-gpu",
            requirements="embedder-gpu-image.txt",
            most_megabytes=4000,
            sources=(EMBEDDER,),
            model=True,
        ),
    )
}
BUILT_BY_DEFAULT = ("operator", "embedder")
BACKEND = "build-image.txt"
"""The requirements of what builds our own package."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of the images' builds."""

    root: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, home: Path) -> Place:
        return cls(Layout.from_environment(environment, home=home).root.parent / "images")

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def archives(self) -> Path:
        return self.root / "archives"

    @property
    def storage(self) -> Path:
        """buildah's own, so that nothing lies about elsewhere."""
        return self.root / "storage"

    @property
    def base(self) -> Path:
        """What the base of Debian packages is made of."""
        return self.root / "base"

    def wheels(self, requirements: Sequence[Path]) -> Path:
        """A folder for exactly what these files pin."""
        digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in requirements))
        return self.root / f"wheels-{digest.hexdigest()[:16]}"


def version(repository: Path = REPOSITORY) -> str:
    """The project's version, which is the images' tag."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def reference(image: Image, *, tag: str, registry: str = REGISTRY) -> str:
    """The image's whole name, as the chart asks for it."""
    return f"{registry}/kausa/{image.target}:{tag}"


def archive_name(image: Image, *, tag: str) -> str:
    return f"{image.target}-{tag}.tar"


SOURCES = (
    *("Dockerfile", ".dockerignore", "LICENSE", "README.md", "pyproject.toml"),
    "hack/images",
)


def fingerprint(
    image: Image, *, options: Sequence[str], repository: Path = REPOSITORY, model: Path | None
) -> str:
    """Changes whenever the image would: of all that goes into it, and of how it is asked for."""
    digest = hashlib.sha256("\0".join(options).encode())
    pins = (f"requirements/{image.requirements}", f"requirements/{BACKEND}")
    named = [repository / name for name in (*SOURCES, *image.sources, *pins)]
    named += [model] if model is not None else []
    for top in named:
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"\0{file.relative_to(top.parent)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
