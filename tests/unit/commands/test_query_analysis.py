from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from kausa.commands.query_analysis import query_analysis

QUESTION = "Why is pod web-0 crashing in namespace prod, and how do I fix the registry secret?"


def test_it_shows_what_was_taken_from_which_words() -> None:
    result = CliRunner().invoke(query_analysis, [QUESTION])
    assert result.exit_code == 0
    assert "namespace  prod   <- 'namespace prod' (after 'namespace')" in result.output
    assert "owner      StatefulSet/web   <- by the Pod's name" in result.output
    assert "question 2: how do I fix the registry secret" in result.output
    assert "about:                ImagePull" in result.output


def test_json_has_every_part() -> None:
    result = CliRunner().invoke(query_analysis, [QUESTION, "-o", "json"])
    document = json.loads(result.output)
    assert document["namespaces"] == ["prod"]
    assert document["pods"] == ["web-0"]
    assert [part["categories"] for part in document["sub_questions"]] == [
        ["CrashLoop"],
        ["ImagePull"],
    ]
    assert {"kind", "value", "start", "end", "why"} <= set(document["clues"][0])


def test_a_question_that_names_nothing_says_so() -> None:
    result = CliRunner().invoke(query_analysis, ["it is slow"])
    assert result.exit_code == 0
    assert "It names nothing" in result.output


@pytest.mark.parametrize("question", ["", "  \n"])
def test_an_empty_question_is_refused_as_recall_refuses_it(question: str) -> None:
    result = CliRunner().invoke(query_analysis, [question])
    assert result.exit_code == 2
    assert "it is empty" in result.output


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_secret_in_the_question_is_hidden_and_no_label(output: str) -> None:
    question = "why does password=hunter2hunter2 fail in namespace prod"
    result = CliRunner().invoke(query_analysis, [question, "-o", output])
    assert result.exit_code == 0
    assert "hunter2" not in result.output
    assert "[redacted:password:" in result.output
    assert "key=value" not in result.output
    assert "prod" in result.output


def test_what_is_denied_is_a_note_and_not_shown_as_a_filter() -> None:
    result = CliRunner().invoke(query_analysis, ["postgres, not in namespace prod"])
    assert "Note: No filter is made of 'not in namespace prod'" in result.output
    assert "namespace  prod" not in result.output


def test_addresses_in_the_question_are_hidden_where_a_setting_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    question = "why did ada@example.com lose 10.1.2.3 in namespace prod"
    shown = CliRunner().invoke(query_analysis, [question, "-o", "json"]).output
    monkeypatch.setenv("KAUSA_REDACT_EMAILS", "true")
    monkeypatch.setenv("KAUSA_REDACT_ADDRESSES", "true")
    hidden = CliRunner().invoke(query_analysis, [question, "-o", "json"]).output
    assert "ada@example.com" in shown
    assert "ada@example.com" not in hidden
    assert "10.1.2.3" not in hidden
