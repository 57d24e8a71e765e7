"""Names of files are caught whole, and what only has dots in it is no file."""

from __future__ import annotations

import re
from string import ascii_lowercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.rules.application.file_names import FILE, PLAIN_FILE
from kausa.diagnosis.rules.application.files import FILE_IDEAS
from kausa.diagnosis.rules.engine import decide_by_rules

MISSING = next(each for each in FILE_IDEAS if each.rule == "application.file-missing")
ENDINGS = ("yaml", "json", "conf", "toml", "pem", "map", "env", "properties", "xml", "py")
part = st.text(ascii_lowercase + digits + "_-", min_size=1, max_size=8).filter(str.isidentifier)
dotted = st.builds(
    lambda parts, ending: ".".join((*parts, ending)),
    st.lists(part, min_size=1, max_size=4),
    st.sampled_from(ENDINGS),
)
hidden = st.builds(lambda parts: "." + ".".join(parts), st.lists(part, min_size=1, max_size=3))
path = st.builds(
    lambda root, folders, name: root + "".join(f"{each}/" for each in folders) + name,
    st.sampled_from(("/", "./", "../", "~/")),
    st.lists(part, max_size=3),
    st.one_of(dotted, hidden),
)
windows = st.builds(
    lambda drive, folders, name: f"{drive}:\\" + "".join(f"{each}\\" for each in folders) + name,
    st.sampled_from("CD"),
    st.lists(part, max_size=3),
    dotted,
)
spaced = st.builds(lambda first, name: f"{first} {name}", part, dotted)
PLAIN = (
    "open {0}: no such file or directory",
    "Error: ENOENT: no such file or directory, open '{0}'",
    "FileNotFoundError: [Errno 2] No such file or directory: '{0}'",
    "cat: {0}: No such file or directory",
    "java.nio.file.NoSuchFileException: {0}",
    '{{"level":"error","err":"open {0}: no such file or directory"}}',
)
QUOTED = (
    "Error: ENOENT: no such file or directory, open '{0}'",
    "FileNotFoundError: [Errno 2] No such file or directory: '{0}'",
    "System.IO.FileNotFoundException: Could not find file '{0}'.",
    "cannot open \u201c{0}\u201d: no such file or directory",
    '{{"err":"cannot open \\"{0}\\": no such file or directory"}}',
)


def diagnosed(log: str) -> Diagnosis:
    ended = container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3)
    return decide_by_rules(dossier(pod(ended), log=f"{log}\n"))


@given(st.one_of(dotted, hidden, path, windows), st.sampled_from(PLAIN))
def test_a_name_is_caught_whole(name: str, shape: str) -> None:
    told = MISSING.look(shape.format(name))
    assert told is not None
    assert told["file"] == name


@given(st.one_of(dotted, hidden, path, spaced), st.sampled_from(QUOTED))
def test_a_name_in_quotes_is_caught_with_its_spaces(name: str, shape: str) -> None:
    told = MISSING.look(shape.format(name))
    assert told is not None
    assert told["file"] == name


@given(st.text(max_size=200))
def test_what_is_caught_stands_in_the_text(text: str) -> None:
    for pattern in (FILE, PLAIN_FILE):
        assert all(found["file"] in text for found in re.finditer(pattern, text))


@pytest.mark.parametrize(
    ("log", "file"),
    [
        ("open config.prod.yaml: no such file or directory", "config.prod.yaml"),
        ("style.css.map could not be found", "style.css.map"),
        ("open .env.local: no such file or directory", ".env.local"),
        ("System.IO.FileNotFoundException: Could not find file 'C:\\app\\app settings.json'.",
         "C:\\app\\app settings.json"),
        ("open ../config/app.yaml: no such file or directory", "../config/app.yaml"),
        ("FATAL could not load server-key.2026.pem: permission denied", "server-key.2026.pem"),
    ],
)  # fmt: skip
def test_the_whole_name_is_told(log: str, file: str) -> None:
    assert f" {file}" in diagnosed(log).summary


OPENED = (
    "Traceback (most recent call last):\n"
    '  File "/srv/run.py", line 4, in <module>\n    open(NAME)\n'
    "FileNotFoundError: [Errno 2] No such file or directory: '{0}'"
)
RUN = (
    "Traceback (most recent call last):\n"
    '  File "/usr/lib/python3.11/subprocess.py", line 1955, in _execute_child\n'
    "    raise child_exception_type(errno_num, err_msg, err_filename)\n"
    "FileNotFoundError: [Errno 2] No such file or directory: '{0}'"
)


@pytest.mark.parametrize("name", ["config.prod.yaml", "config", ".env"])
def test_what_python_opens_is_a_file(name: str) -> None:
    assert f"needs the file {name}," in diagnosed(OPENED.format(name)).summary


@pytest.mark.parametrize("name", ["ffmpeg", "run.sh"])
def test_what_python_runs_is_a_command(name: str) -> None:
    assert f"runs the command {name}," in diagnosed(RUN.format(name)).summary


def test_without_a_traceback_a_dot_tells_a_file_from_a_command() -> None:
    said = "FileNotFoundError: [Errno 2] No such file or directory: "
    assert "the file config.prod.yaml" in diagnosed(f"{said}'config.prod.yaml'").summary
    assert "the command ffmpeg" in diagnosed(f"{said}'ffmpeg'").summary


@pytest.mark.parametrize(
    "log",
    [
        "GET /api/v1/users not found",
        "E404 GET https://packages.example/x not found",
        "route /admin/login does not exist",
        "key session.user.name not found",
        "com.acme.Foo.bar does not exist",
        "host db.prod.internal not found",
        "image tag v1.2.beta not found",
        "error: topic orders.v2.created does not exist",
        "go: module example.org/x/y not found",
    ],
)
def test_what_only_has_dots_or_slashes_is_no_missing_file(log: str) -> None:
    assert "needs the file" not in diagnosed(log).summary
