"""Puts an image's Python environment together; runs inside the Dockerfile's build stages.

What comes out is a virtual environment that nothing was ever installed with: no pip, no compiler,
no debug symbols, tests and type stubs of others, everything compiled. It is linked to the Python of
the image that it will run in, so the stage that makes it needs the same minor version and nothing
else in common.

The bytecode is not checked against its source at run time. Nobody changes a file of an image, and
copying one would make every time stamp wrong, so that a read-only container compiled it all anew at
each start.
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

# What packages carry for those who test, type-check or compile against them.
CLUTTER_FOLDERS = ("tests", "test", "include", "__pycache__")
CLUTTER_FILES = ("*.pyi", "*.pxd", "*.pyx", "*.a", "*.h", "*.hpp", "*.c", "*.cpp")
# Tools for building and testing other packages, which nothing imports by itself.
CLUTTER_PARTS = ("numpy/distutils", "numpy/f2py", "numpy/_core/_simd.*.so")
# Where Debian keeps the pip that makes virtual environments; it runs out of its wheel.
PIP_WHEELS = Path("/usr/share/python-wheels")
LAUNCHER = """\
#!{target}/bin/python
import sys

from {module} import {function}

sys.exit({function}())
"""


def site_packages(target: Path) -> Path:
    """Where the environment keeps packages."""
    major, minor = sys.version_info[:2]
    return target / "lib" / f"python{major}.{minor}" / "site-packages"


def pip_command(wheels: Path = PIP_WHEELS) -> list[str]:
    """How pip is run here: as a module, or out of its wheel."""
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    found = sorted(wheels.glob("pip-*.whl"))
    if not found:
        raise SystemExit("This image has no pip: name another one as BUILD_IMAGE.")
    return [sys.executable, str(found[-1] / "pip")]


def sources(wheels: Path) -> list[str]:
    """From where pip takes packages: a folder of wheels where one was handed in, else the index."""
    if any(wheels.glob("*.whl")):
        return ["--no-index", "--find-links", str(wheels)]
    return []


def install(requirements: Path, *, wheels: Path, into: Path) -> None:
    """Installs what is pinned, by its hashes, as built packages only."""
    command = [*pip_command(), "install", "--quiet", "--no-cache-dir", "--no-compile"]
    command += [
        "--disable-pip-version-check",
        "--no-warn-script-location",
        "--root-user-action",
        "ignore",
    ]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += [*sources(wheels), "--target", str(into), "--requirement", str(requirements)]
    subprocess.run(command, check=True)


def install_source(source: Path, *, requirements: Path, wheels: Path, into: Path) -> None:
    """Builds the project's own package with a pinned backend, and installs it."""
    with tempfile.TemporaryDirectory() as scratch:
        tools, built = Path(scratch, "tools"), Path(scratch, "built")
        install(requirements, wheels=wheels, into=tools)
        pip = [*pip_command(), "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
        build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(built)]
        with_tools = {**os.environ, "PYTHONPATH": str(tools)}
        subprocess.run([*build, str(source)], check=True, env=with_tools)
        (wheel,) = built.glob("*.whl")
        put = [*pip, "install", "--no-compile", "--no-deps", "--no-index", "--target", str(into)]
        subprocess.run([*put, "--root-user-action", "ignore", str(wheel)], check=True)


def remove_clutter(site: Path) -> None:
    """Takes away what nobody needs who only runs the packages."""
    # Its launchers name the Python of this stage.
    shutil.rmtree(site / "bin", ignore_errors=True)
    for name in CLUTTER_FOLDERS:
        for folder in sorted(site.rglob(name)):
            if folder.is_dir() and folder.parent != site:
                shutil.rmtree(folder)
    for pattern in CLUTTER_PARTS:
        for part in site.glob(pattern):
            shutil.rmtree(part) if part.is_dir() else part.unlink()
    for pattern in CLUTTER_FILES:
        for file in site.rglob(pattern):
            file.unlink()


def strip(site: Path) -> None:
    """Takes the debug symbols out of compiled modules: an eighth of the operator's image.

    Packages that carry libraries of their own are left as they are: what was edited to find them
    may not survive another edit.
    """
    if shutil.which("strip") is None:
        raise SystemExit("This image has no `strip`: name another one as BUILD_IMAGE.")
    libraries = {folder.name for folder in site.glob("*.libs")}
    # One package is called another than the folder of what it imports as.
    edited = libraries | {name.removesuffix(".libs") for name in libraries} | {"PIL"}
    for module in site.rglob("*.so"):
        if module.relative_to(site).parts[0] not in edited:
            subprocess.run(["strip", "--strip-unneeded", str(module)], check=True)


def make_environment(target: Path, *, python: Path) -> None:
    """The few files that make a folder of packages a virtual environment."""
    programs = target / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        link = programs / name
        link.unlink(missing_ok=True)
        link.symlink_to(python)
    version = ".".join(str(part) for part in sys.version_info[:3])
    lines = (f"home = {python.parent}", "include-system-site-packages = false")
    (target / "pyvenv.cfg").write_text("\n".join([*lines, f"version = {version}", ""]))


def write_launcher(target: Path, entry: str) -> None:
    """A program of the environment, from `name=module:function`."""
    name, _, place = entry.partition("=")
    module, _, function = place.partition(":")
    program = target / "bin" / name
    program.write_text(LAUNCHER.format(target=target, module=module, function=function))
    program.chmod(0o755)


def compile_all(site: Path) -> None:
    """Compiles every module; one that cannot be compiled is one that is not imported either."""
    compileall.compile_dir(
        site,
        quiet=2,
        workers=os.cpu_count() or 1,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def make_readable(target: Path) -> None:
    """Readable by whatever user the container has, writable by nobody but root."""
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or bool(path.stat().st_mode & 0o100)
            path.chmod(0o755 if runs else 0o644)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Put an image's Python environment together.")
    steps = parser.add_subparsers(dest="step", required=True)
    packages = steps.add_parser("packages", help="the packages that are pinned")
    packages.add_argument("--requirements", type=Path, required=True)
    own = steps.add_parser("own", help="the project's own package, and the rest")
    own.add_argument("--source", type=Path, required=True)
    own.add_argument("--requirements", type=Path, required=True, help="of its build backend")
    own.add_argument("--entry", required=True, help="NAME=MODULE:FUNCTION")
    own.add_argument("--python", type=Path, default=Path("/usr/bin/python3"), help="of the image")
    for step in (packages, own):
        step.add_argument("--target", type=Path, required=True)
        step.add_argument("--wheels", type=Path, required=True)
    given = parser.parse_args(arguments)
    site = site_packages(given.target)
    if given.step == "packages":
        install(given.requirements, wheels=given.wheels, into=site)
        remove_clutter(site)
        strip(site)
    else:
        install_source(
            given.source, requirements=given.requirements, wheels=given.wheels, into=site
        )
        remove_clutter(site)
        make_environment(given.target, python=given.python)
        write_launcher(given.target, given.entry)
    compile_all(site)
    make_readable(given.target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
