from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import Any

import pytest

from localcluster import images
from localcluster.images import Image

ELF = b"\x7fELF and the rest"


def opened(content: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {entry.name: entry for entry in archive.getmembers()}


def member(content: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return file.read()


@pytest.fixture
def image() -> Image:
    return images.busybox(ELF, ["sh", "sleep", "busybox", ""])


def manifest(content: bytes) -> dict[str, Any]:
    (one,) = json.loads(member(content, "manifest.json"))
    assert isinstance(one, dict)
    return one


def test_the_same_image_gives_the_same_bytes(image: Image) -> None:
    assert images.archive(image) == images.archive(image)


def test_the_manifest_names_the_tag_and_files_that_exist(image: Image) -> None:
    content = images.archive(image)
    described = manifest(content)
    assert described["RepoTags"] == ["localhost/busybox:1.36"]
    assert {described["Config"], *described["Layers"], "manifest.json"} == set(opened(content))


def test_the_config_is_named_by_its_digest_and_holds_the_layers_digest(image: Image) -> None:
    content = images.archive(image)
    described = manifest(content)
    config = member(content, described["Config"])
    layer = member(content, described["Layers"][0])
    assert described["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    layers = json.loads(config)["rootfs"]["diff_ids"]
    assert layers == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]


def test_each_folder_comes_before_what_is_in_it(image: Image) -> None:
    seen: set[str] = set()
    for name in opened(images.layer(image)):
        parent = name.rpartition("/")[0]
        assert parent in seen | {""}
        seen.add(name)


def test_programs_are_executable_and_texts_are_not(image: Image) -> None:
    entries = opened(images.layer(image))
    assert entries["bin/busybox"].mode == 0o755
    assert entries["etc/passwd"].mode == 0o644
    assert entries["tmp"].mode == 0o1777


def test_applets_are_links_and_busybox_is_not_one_of_them(image: Image) -> None:
    entries = opened(images.layer(image))
    assert entries["bin/sh"].issym()
    assert entries["bin/sh"].linkname == "busybox"
    assert entries["bin/busybox"].isfile()
    assert "bin/" not in entries


def test_pause_is_one_file_that_starts_itself() -> None:
    content = images.archive(images.pause(ELF))
    config = json.loads(member(content, manifest(content)["Config"]))["config"]
    assert config["Entrypoint"] == ["/pause"]
    assert list(opened(images.layer(images.pause(ELF)))) == ["pause"]
