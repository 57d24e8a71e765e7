"""A base of Debian packages, for where no registry can be had: a machine without a daemon, an
air-gapped one with a mirror, our own tests.

It holds what the public base holds: Python, what Python's own modules and C++ packages are linked
to, certificates and time zones, and neither a shell nor a package manager. The packages are
unpacked without running their scripts, and what those would have made is made here. Each package's
description stays where scanners look for it in images of this kind.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from pathlib import Path

from localcluster import packages
from localcluster.console import say
from localcluster.errors import CannotRun, ClusterError
from localcluster.processes import run

NEEDS: packages.Needs = {
    "dpkg": packages.on_path("dpkg-deb"),
    "apt": packages.on_path("apt-get"),
}
PYTHON = "python3.11"
PACKAGES = (
    *("base-files", "netbase", "tzdata", "media-types", "ca-certificates"),
    *("libc6", "libgcc-s1", "libstdc++6", "libcrypt1", "libssl3", "zlib1g", "libbz2-1.0"),
    *("liblzma5", "libffi8", "libexpat1", "libuuid1", "libsqlite3-0"),
    *(f"{PYTHON}-minimal", f"lib{PYTHON}-minimal", f"lib{PYTHON}-stdlib", "python3-minimal"),
)
# Only where environments are put together: pip, and `strip` with what it is linked to.
BUILD_PACKAGES = (
    *("python3-pip-whl", "binutils", "binutils-common", "libbinutils", "libctf0", "libctf-nobfd0"),
    *("libjansson4", "libgprofng0", "libzstd1"),
    f"binutils-{platform.machine().replace('_', '-')}-linux-gnu",
)
# Pages for readers, programs for administrators, and modules that no service imports.
LEFT_OUT = (
    *("usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian", "usr/share/bug"),
    *("usr/share/python3", "usr/share/common-licenses", "usr/sbin", "sbin", "usr/share/pixmaps"),
    *("usr/share/zoneinfo/right", "usr/share/zoneinfo/posix", "usr/lib/*/gconv"),
    "usr/share/ca-certificates",
    *(f"usr/lib/{PYTHON}/{name}" for name in ("lib2to3", "pydoc_data", "idlelib", "test")),
)
USERS = """\
root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
"""
GROUPS = "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n"
NAMES = "hosts: files dns\npasswd: files\ngroup: files\n"
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
FOLDERS = {"home/nonroot": 0o755, "root": 0o700, "tmp": 0o1777, "var/tmp": 0o1777, "proc": 0o755}


def fingerprint() -> str:
    """Changes whenever the recipe does; Debian's updates are taken by `--fresh-base`."""
    recipe = Path(__file__).read_bytes()
    return hashlib.sha256(recipe).hexdigest()[:16]


def fetch(folder: Path) -> list[Path]:
    """Downloads the packages in the versions that this machine's Debian has now."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # As root apt hands the download to a user of its own, who may write here.
    folder.chmod(0o777)
    run(("apt-get", "update", "-q"), timeout_s=packages.APT_TIMEOUT_S)
    done = subprocess.run(
        ["apt-get", "download", "-q", *PACKAGES, *BUILD_PACKAGES],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=packages.APT_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise CannotRun(
            "No registry answers, and this machine's Debian does not have what a base is made of"
            f" (that of Debian 12): {done.stderr.strip()[-300:]}"
        )
    return sorted(folder.glob("*.deb"))


def unpack(archives: list[Path], root: Path) -> None:
    """Lays the packages out as one file system, with what their scripts would have made."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for archive in archives:
        _do("dpkg-deb", "--extract", str(archive), str(root))
        _describe(archive, root)
    _bundle_certificates(root)
    for pattern in LEFT_OUT:
        for folder in root.glob(pattern):
            shutil.rmtree(folder)
    _keep_copyrights(root / "usr/share/doc")
    _write_users(root)
    _compile(root)


def _describe(archive: Path, root: Path) -> None:
    described = root / "var/lib/dpkg/status.d"
    described.mkdir(parents=True, exist_ok=True)
    (described / _package(archive)).write_text(_do("dpkg-deb", "--field", str(archive)))


def _keep_copyrights(docs: Path) -> None:
    for file in docs.rglob("*"):
        if file.name != "copyright" and not file.is_dir():
            file.unlink()


def _write_users(root: Path) -> None:
    etc = root / "etc"
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(USERS)
    (etc / "group").write_text(GROUPS)
    (etc / "nsswitch.conf").write_text(NAMES)
    for name, mode in FOLDERS.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
    shutil.chown(root / "home/nonroot", 65532, 65532)


def _bundle_certificates(root: Path) -> None:
    """One file of all authorities, where OpenSSL and Python look for it."""
    found = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    if not found:
        raise ClusterError("The package ca-certificates brought no certificates.")
    bundle = root / CERTIFICATES
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(file.read_text() for file in found))
    openssl = root / "usr/lib/ssl"
    openssl.mkdir(parents=True, exist_ok=True)
    for link, target in (("cert.pem", f"/{CERTIFICATES}"), ("certs", "/etc/ssl/certs")):
        (openssl / link).unlink(missing_ok=True)
        (openssl / link).symlink_to(target)


def _compile(root: Path) -> None:
    """Once here, instead of at every start of a container that cannot write it down."""
    command = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    _do("chroot", str(root), f"/usr/bin/{PYTHON}", "-I", *command, f"/usr/lib/{PYTHON}")


def make(folder: Path) -> tuple[Path, Path]:
    """The file systems of the base, and of the one in which environments are put together."""
    packages.ensure(NEEDS)
    say("Making a base of Debian packages, because no registry is used.")
    archives = fetch(folder / "packages")
    base, build = folder / "root", folder / "build-root"
    unpack([archive for archive in archives if _package(archive) in PACKAGES], base)
    shutil.rmtree(build, ignore_errors=True)
    shutil.copytree(base, build, symlinks=True)
    for archive in archives:
        if _package(archive) in BUILD_PACKAGES:
            _do("dpkg-deb", "--extract", str(archive), str(build))
    return base, build


def _package(archive: Path) -> str:
    return archive.name.partition("_")[0]


def _do(*command: str) -> str:
    done = run(command, timeout_s=300)
    if done.returncode:
        raise ClusterError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout
