"""Cases are read as they are written, and a broken one is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.cases import case_of

from kausa.evaluation.cases import CaseError, find_cases, read_case


def refused(folder: Path) -> str:
    with pytest.raises(CaseError) as raised:
        read_case(folder)
    return str(raised.value)


def test_cases_are_found_however_deep_and_once(tmp_path: Path) -> None:
    one = case_of(tmp_path / "a" / "b", id_="one")
    two = case_of(tmp_path / "c", id_="two")
    assert find_cases([tmp_path, two]) == (one, two)


def test_a_folder_without_a_case_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CaseError, match="empty: there is no case"):
        find_cases([tmp_path / "empty"])
    with pytest.raises(CaseError, match="missing: there is no such folder"):
        find_cases([tmp_path / "missing"])


def test_a_case_is_read(tmp_path: Path) -> None:
    case = read_case(
        case_of(
            tmp_path,
            question="why?",
            now="2026-01-31T12:00:00Z",
            expect={"category": "Config", "never_says": ["image"]},
        )
    )
    assert (case.kind, case.namespace, case.name) == ("Pod", "shop", "api-1")
    assert (case.question, case.source) == ("why?", "made here")
    assert case.now == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert case.expect.category == "Config"
    assert case.expect.says[0][0].search("the Region")
    assert case.expect.never_says[0].search("IMAGE")


def test_a_time_without_quotes_is_a_time(tmp_path: Path) -> None:
    folder = case_of(tmp_path)
    path = folder / "case.yaml"
    path.write_text(path.read_text() + "now: 2026-01-31T12:00:00Z\n")
    assert read_case(folder).now == datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[", "while parsing"),
        ("a: 1", "missing required field `id`"),
        ("", "Expected `object`"),
        ("{id: a, target: {kind: Pod, name: a}, expect: {outcome: broken}}", "is 'broken'"),
        (
            "{id: a, target: {kind: Pod, name: a}, expect: {outcome: failure, says: [['(']]}}",
            "unterminated subpattern",
        ),
        (
            "{id: a, now: '2026-01-31T12:00:00', target: {kind: Pod, name: a},"
            " expect: {outcome: failure}}",
            "has no time zone",
        ),
    ],
)
def test_a_broken_case_says_which_and_why(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "case.yaml").write_text(text)
    said = refused(tmp_path)
    assert said.startswith(f"{tmp_path}/case.yaml: cannot be used: ")
    assert why in said
    assert "\n" not in said
