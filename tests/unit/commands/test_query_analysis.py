from __future__ import annotations

import json

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


def test_an_empty_question_is_no_error() -> None:
    assert CliRunner().invoke(query_analysis, [""]).exit_code == 0
