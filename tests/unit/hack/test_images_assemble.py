"""What a build stage does with packages, on a folder of small ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hack.images import assemble


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Packages as pip leaves them."""
    folder = tmp_path / "site"
    for name in (
        *("numpy/core.py", "numpy/tests/test_core.py", "numpy/f2py/f2py.py", "numpy/core.pyi"),
        *("numpy/_core/include/numpy.h", "numpy/_core/lib/npymath.a", "tests/kept.py"),
        *("bin/f2py", "numpy/core.cpython-311-x86_64-linux-gnu.so", "yaml/_yaml.so"),
        *("numpy.libs/libblas-1a2b.so", "PIL/_imaging.so", "kausa/__pycache__/x.pyc"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x = 1\n")
    return folder


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_what_only_developers_need_is_taken_away(site: Path) -> None:
    assemble.remove_clutter(site)
    assert files(site) == {
        *("numpy/core.py", "numpy/core.cpython-311-x86_64-linux-gnu.so", "tests/kept.py"),
        *("numpy.libs/libblas-1a2b.so", "PIL/_imaging.so", "yaml/_yaml.so"),
    }


def test_packages_with_libraries_of_their_own_are_not_stripped(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripped: list[str] = []
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/strip")
    monkeypatch.setattr(
        subprocess, "run", lambda command, check: stripped.append(Path(command[-1]).name)
    )
    assemble.strip(site)
    assert stripped == ["_yaml.so"]


def test_an_image_that_cannot_strip_or_has_no_pip_is_refused(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="name another one as BUILD_IMAGE"):
        assemble.strip(site)
    monkeypatch.setattr(assemble, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match="has no pip"):
        assemble.pip_command(site)
    (site / "pip-23.0.1-py3-none-any.whl").touch()
    assert assemble.pip_command(site)[1].endswith("pip-23.0.1-py3-none-any.whl/pip")


def test_packages_come_from_a_folder_where_one_was_handed_in(tmp_path: Path) -> None:
    assert assemble.sources(tmp_path) == []
    (tmp_path / "a-1-py3-none-any.whl").touch()
    assert assemble.sources(tmp_path) == ["--no-index", "--find-links", str(tmp_path)]


def test_the_environment_runs_its_program_with_the_images_python(tmp_path: Path) -> None:
    target = tmp_path / "kausa"
    package = assemble.site_packages(target) / "thing"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import sys\n\n\ndef main():\n    print(sys.prefix)\n")
    assemble.make_environment(target, python=Path(sys.executable).resolve())
    assemble.write_launcher(target, "thing=thing:main")
    assemble.compile_all(assemble.site_packages(target))
    done = subprocess.run(
        [str(target / "bin" / "thing")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(target)
    assert list(package.glob("__pycache__/*.pyc"))


def test_everybody_may_read_and_nobody_else_may_write(tmp_path: Path) -> None:
    program, text = tmp_path / "program", tmp_path / "text"
    program.touch(mode=0o700)
    text.touch(mode=0o600)
    assemble.make_readable(tmp_path)
    assert program.stat().st_mode & 0o777 == 0o755
    assert text.stat().st_mode & 0o777 == 0o644
