"""The reference of all settings is made from the code, and says of each what its class says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Annotated, Literal

import pytest
from docs.pages import ROOT
from hack import settings_reference
from hack.settings_reference import (
    SOURCES,
    PageError,
    default_of,
    docstrings,
    group_of,
    meaning_of,
    values_of,
)
from pydantic import BaseModel, Field, HttpUrl, SecretStr

PAGE = (ROOT / settings_reference.PAGE).read_text()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the generator reads and writes, somewhere else."""
    for each in (settings_reference.PAGE, *(source.place for source in SOURCES)):
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        take = shutil.copytree if (ROOT / each).is_dir() else shutil.copy
        take(ROOT / each, tmp_path / each)
    return tmp_path


def test_the_page_is_what_is_generated_from_the_settings() -> None:
    assert settings_reference.main(["--check"]) == 0, "run `make references`"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_every_setting_has_one_row(source: settings_reference.Source) -> None:
    prefix = source.settings.model_config.get("env_prefix", "")
    begin, end = f"<!-- settings: {source.name} -->", f"<!-- end: {source.name} -->"
    tables = PAGE[PAGE.index(begin) : PAGE.index(end)]
    rows = re.findall(r"^\| `(\w+)` \|", tables, re.MULTILINE)
    assert sorted(rows) == sorted(f"{prefix}{n.upper()}" for n in source.settings.model_fields)


def test_a_page_that_is_out_of_date_is_shown_and_written_anew(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = copy / settings_reference.PAGE
    page.write_text(page.read_text().replace("| `KAUSA_LEASE_SECONDS` |", "| `KAUSA_LEASE` |"))
    assert settings_reference.main(["--check", "--root", str(copy)]) == 1
    assert "+| `KAUSA_LEASE_SECONDS` |" in capsys.readouterr().out
    assert settings_reference.main(["--root", str(copy)]) == 0
    assert page.read_text() == PAGE


def test_a_setting_that_nobody_explains_is_an_error(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = copy / "operator/kausa/settings/working.py"
    words = '"""How many failures are diagnosed at the same time."""'
    assert words in file.read_text()
    file.write_text(file.read_text().replace(words, ""))
    assert settings_reference.main(["--check", "--root", str(copy)]) == 1
    assert "no docstring behind concurrent_diagnoses" in capsys.readouterr().err


def test_a_page_without_its_marks_is_an_error() -> None:
    with pytest.raises(PageError, match="settings: operator"):
        settings_reference.page_of("# Configure\n", root=ROOT)


class Example(BaseModel):
    """Every kind of field."""

    on: bool = False
    style: Literal["auto", "json"] = "auto"
    wait_seconds: Annotated[float, Field(gt=0, le=60)] | None = None
    most: Annotated[int, Field(ge=1, le=64)] = 4
    least: Annotated[int, Field(ge=0)] = 0
    cache_bytes: Annotated[int, Field(ge=0)] = 16 * 1024 * 1024
    key: SecretStr | None = None
    url: HttpUrl | None = None
    folder: Path = Field(default_factory=lambda: Path.home() / "state")
    identity: str = Field(default_factory=lambda: "anything")
    prefix: str = ""
    names: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("name", "values", "default"),
    [
        ("on", "`true`, `false`", "`false`"),
        ("style", "`auto`, `json`", "`auto`"),
        ("wait_seconds", "seconds, above 0, at most 60", "unset"),
        ("most", "number, 1 to 64", "`4`"),
        ("least", "number, at least 0", "`0`"),
        ("cache_bytes", "bytes, at least 0", "`16777216` (16 MiB)"),
        ("key", "secret", "unset"),
        ("url", "address", "unset"),
        ("folder", "path", "`~/state`"),
        ("identity", "text", "found at the start"),
        ("prefix", "text", "empty"),
        ("names", "names with `*` and `?`, separated by commas", "empty"),
    ],
)
def test_values_and_defaults_are_told_in_words(name: str, values: str, default: str) -> None:
    field = Example.model_fields[name]
    assert (values_of(name, field), default_of(name, field)) == (values, default)


def test_docstrings_are_those_behind_fields_in_one_line() -> None:
    source = 'class Settings:\n    a: int = 1\n    """One\n    two."""\n    b = 2\n    c: str\n'
    assert docstrings(source) == {"a": "One two."}


def test_settings_in_several_classes_and_modules_are_all_found(tmp_path: Path) -> None:
    field = '    {0}: int = 1\n    """What {0} means."""\n'
    one = "".join(f"class {each.upper()}Settings:\n{field.format(each)}" for each in "ab")
    (tmp_path / "one.py").write_text(one)
    (tmp_path / "two.py").write_text(f"class Settings:\n{field.format('c')}")
    assert settings_reference.meanings_of(tmp_path) == {x: f"What {x} means." for x in "abc"}


def test_a_meaning_names_other_settings_as_one_sets_them_and_breaks_no_table() -> None:
    told = meaning_of("`a_b` or `c|d`, not `x_y`. None is 1.", names={"a_b": ""}, prefix="P_")
    assert told == "`P_A_B` or `c\\|d`, not `x_y`. Unset is 1."


def test_the_first_group_that_fits_counts_and_what_fits_none_stands_at_the_end() -> None:
    groups = {"First": ("memory_*",), "Second": ("*_url",)}
    assert [group_of(each, groups) for each in ("memory_url", "model_url", "x")] == [
        "First",
        "Second",
        settings_reference.REST,
    ]
