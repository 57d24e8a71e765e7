#!/usr/bin/env python3
"""`make images`: builds the images, writes them as archives, and prints how large they are.

    python3 hack/images/build.py                    # operator and embedder
    python3 hack/images/build.py operator --archive FOLDER
    python3 hack/images/build.py --base registry    # on the public base images

What a script can use goes to stdout: a line for each image with its name and its archive. Words for
people go to stderr. Nothing is built where nothing has changed. The exit code is 0 when the images
are there, 1 when a build failed, and 2 when this machine lacks something.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

# For `hack.images`, and for the cluster's own modules.
sys.path.append(str(Path(__file__).resolve().parents[2]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "cluster"))

from hack.images import debian, sizes, wheels
from hack.images.engine import Build, Engine, choose
from hack.images.place import (
    BACKEND,
    BUILT_BY_DEFAULT,
    IMAGES,
    MODEL,
    REGISTRY,
    REPOSITORY,
    Image,
    Place,
    archive_name,
    fingerprint,
    reference,
    version,
)

from localcluster.console import say
from localcluster.errors import CannotRun, ClusterError
from localcluster.locking import exclusive

BASE_REGISTRIES = ("https://gcr.io/v2/", "https://registry-1.docker.io/v2/")
LOCAL_BASE = "localhost/kausa/base"
REGISTRY_TIMEOUT_S = 5.0


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(description="Build Kausa's images.")
    whole.add_argument("images", nargs="*", metavar="IMAGE", help=f"of {', '.join(IMAGES)}")
    whole.add_argument("--archive", type=Path, help="the folder of the archives")
    whole.add_argument("--tag", default=version(), help="instead of the project's version")
    whole.add_argument("--registry", default=REGISTRY, help="put before the names")
    whole.add_argument("--model", default=MODEL, help="the embedding model that is baked in")
    whole.add_argument("--engine", choices=("auto", "docker", "buildah"), default="auto")
    whole.add_argument(
        "--base",
        choices=("auto", "registry", "debian"),
        default="auto",
        help="the public base images, or one made of Debian packages; auto takes the first where"
        " their registries answer",
    )
    whole.add_argument("--fresh-base", action="store_true", help="with Debian's latest updates")
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What all builds of one run share."""

    place: Place
    engine: Engine
    bases: dict[str, str]
    models: Path
    archives: Path
    options: argparse.Namespace

    def make(self, image: Image) -> sizes.Sizes:
        """The image as an archive; built only where something has changed."""
        name = reference(image, tag=self.options.tag, registry=self.options.registry)
        archive = self.archives / archive_name(image, tag=self.options.tag)
        notes = archive.with_suffix(".json")
        model = self.models / self.options.model if image.model else None
        made_of = fingerprint(image, options=[name, *self.bases.values()], model=model)
        found = sizes.read(notes, fingerprint=made_of) if archive.is_file() else None
        if found is None:
            say(f"Building {name} with {self.engine.name}.")
            self.engine.build(self._build(image, name))
            self.archives.mkdir(parents=True, exist_ok=True)
            notes.unlink(missing_ok=True)
            self.engine.save(name, archive)
            found = sizes.measure(archive)
            sizes.write(notes, fingerprint=made_of, sizes=found)
        print(f"{name} {archive}", flush=True)
        return found

    def _build(self, image: Image, name: str) -> Build:
        pins = [REPOSITORY / "requirements" / each for each in (image.requirements, BACKEND)]
        contexts = {"models": self.models} if image.model else {}
        if self.engine.name == "buildah":
            contexts["wheels"] = wheels.fetch(pins, self.place.wheels(pins))
        arguments = {
            **self.bases,
            "VERSION": self.options.tag,
            "REVISION": revision(),
            **({"MODEL": self.options.model} if image.model else {}),
        }
        return Build(
            target=image.target,
            name=name,
            folder=REPOSITORY,
            arguments=arguments,
            contexts=contexts,
        )


def revision() -> str:
    """The commit that is built, for the image's label."""
    command = ("git", "-C", str(REPOSITORY), "rev-parse", "--short=12", "HEAD")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def registries_answer() -> bool:
    """Whether the public bases can be had from here; any answer will do, also a refusal."""
    for url in BASE_REGISTRIES:
        try:
            with urllib.request.urlopen(url, timeout=REGISTRY_TIMEOUT_S):
                pass
        except urllib.error.HTTPError as error:
            with error:
                # A registry asks for a login; whoever stands in its place and refuses does not.
                if error.code != 401:
                    return False
        except OSError:
            return False
    return True


def base_images(place: Place, engine: Engine, options: argparse.Namespace) -> dict[str, str]:
    """The Dockerfile's arguments for its bases; none where it takes the public ones."""
    if options.base == "registry" or (options.base == "auto" and registries_answer()):
        return {}
    tag = debian.fingerprint()
    names = {"BASE_IMAGE": f"{LOCAL_BASE}:{tag}", "BUILD_IMAGE": f"{LOCAL_BASE}-build:{tag}"}
    if options.fresh_base or not all(engine.has(name) for name in names.values()):
        if os.geteuid() != 0:
            raise CannotRun("Only root can make a base of Debian packages: files get their owners.")
        for name, root in zip(names.values(), debian.make(place.base), strict=True):
            engine.add(name, root)
    return names


def check_models(folder: Path, model: str) -> None:
    if not (folder / model / "model.onnx").is_file():
        raise CannotRun(
            f"The model {model} is not in {folder}; `make embedded-models` brings the default one."
        )


def main(arguments: list[str]) -> int:
    options = parser().parse_args(arguments)
    place = Place.from_environment(os.environ, home=Path.home())
    models = place.root.parent / "models"
    try:
        wanted = [find(name) for name in options.images or BUILT_BY_DEFAULT]
        if any(image.model for image in wanted):
            check_models(models, options.model)
        with exclusive(place.lock):
            engine = choose(options.engine, storage=place.storage)
            shop = Workshop(
                place=place,
                engine=engine,
                bases=base_images(place, engine, options),
                models=models,
                archives=(options.archive or place.archives).absolute(),
                options=options,
            )
            for image in wanted:
                found = shop.make(image)
                say(f"  {image.target}: {found} (goal: below {image.most_megabytes} MB)")
    except ClusterError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def find(name: str) -> Image:
    if name not in IMAGES:
        raise CannotRun(f"There is no image {name}; there are {', '.join(IMAGES)}.")
    return IMAGES[name]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
