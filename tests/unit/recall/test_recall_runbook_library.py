"""The runbooks that come with Kausa keep the form that they promise, and files are read safely."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kausa.memory.chunking.markdown import sections_of
from kausa.recall.runbook_library import (
    BUILTIN,
    RunbookFile,
    RunbookFormatError,
    built_in_chunks,
    built_in_runbooks,
    parse_runbook,
)
from kausa.recall.runbook_match import pattern_problem
from kausa.resources.category import Category
from kausa.resources.condition import REASON_PATTERN

HEADINGS = ("What you see", "Why it happens", "How to be sure", "What to do", "Prevent it")
ALL = built_in_runbooks()
each_of_them = pytest.mark.parametrize("runbook", ALL, ids=[each.name for each in ALL])
READING = {"get", "describe", "logs", "top", "explain", "events", "version", "api-resources"}
READING_OF_TWO_WORDS = {("auth", "can-i"), ("rollout", "status"), ("rollout", "history")}
KUBECTL = re.compile(r"(?:^|[`|;&(]\s*)kubectl (\S+)(?: (\S+))?", re.M)


@pytest.mark.parametrize("category", list(Category))
def test_every_category_has_a_runbook(category: Category) -> None:
    assert any(category in each.match.categories for each in ALL)


@pytest.mark.parametrize(
    "category",
    [Category.IMAGE_PULL, Category.CRASH_LOOP, Category.SCHEDULING, Category.CONFIG],
)
def test_common_categories_have_several(category: Category) -> None:
    assert sum(category in each.match.categories for each in ALL) >= 5


@each_of_them
def test_it_is_said_what_it_is_about(runbook: RunbookFile) -> None:
    assert runbook.title != runbook.name
    assert runbook.match.categories
    assert runbook.match.reasons
    assert not runbook.match.labels
    for reason in runbook.match.reasons:
        assert re.match(REASON_PATTERN, reason), reason


@each_of_them
def test_its_message_pattern_can_be_used(runbook: RunbookFile) -> None:
    pattern = runbook.match.message_pattern
    assert pattern is None or pattern_problem(pattern) is None


@each_of_them
def test_it_has_the_five_parts_and_each_says_something(runbook: RunbookFile) -> None:
    sections = sections_of(runbook.content)
    assert tuple(each.headings for each in sections) == tuple((each,) for each in HEADINGS)
    for section in sections:
        assert len(section.text.split()) >= 12, section.headings


@each_of_them
def test_it_is_neither_a_note_nor_a_book(runbook: RunbookFile) -> None:
    assert 150 <= len(runbook.content.split()) <= 450


@each_of_them
def test_nothing_is_changed_before_the_part_that_says_what_to_do(runbook: RunbookFile) -> None:
    for section in sections_of(runbook.content):
        if section.headings == ("What to do",):
            continue
        for verb, next_word in KUBECTL.findall(_without_what_is_seen(section.text)):
            reads = verb in READING or (verb, next_word) in READING_OF_TWO_WORDS
            assert reads, f"{section.headings}: kubectl {verb}"


@each_of_them
def test_how_to_be_sure_shows_commands(runbook: RunbookFile) -> None:
    (section,) = (
        each for each in sections_of(runbook.content) if each.headings == ("How to be sure",)
    )
    assert "```sh\nkubectl " in section.text


@each_of_them
def test_its_code_blocks_are_closed(runbook: RunbookFile) -> None:
    assert runbook.content.count("```") % 2 == 0


def test_the_passages_of_all_of_them_are_whole_sets() -> None:
    found = built_in_chunks(cluster="c1")
    assert len(found) == len(ALL)
    assert len({chunks[0].record_id for chunks in found}) == len(ALL)
    for chunks in found:
        assert [each.position for each in chunks] == list(range(chunks[0].count))
        assert chunks[0].source.startswith(BUILTIN)
        assert all(each.namespace is None and each.digest for each in chunks)


# -- files ---------------------------------------------------------------------------------------


def test_what_stands_before_the_text_says_what_it_is_about() -> None:
    found = parse_runbook(
        "---\ntitle: Registry away\nreasons: [ErrImagePull]\ncategories: [ImagePull]\n"
        "messagePattern: 'x509'\nlabels: {team: shop}\nauthor: somebody\n---\nCall us.\n",
        name="registry",
    )
    assert (found.title, found.content) == ("Registry away", "Call us.\n")
    assert found.match.reasons == ("ErrImagePull",)
    assert found.match.message_pattern == "x509"
    assert [(each.key, each.value) for each in found.match.labels] == [("team", "shop")]


def test_a_file_without_it_has_its_first_heading_as_its_title() -> None:
    found = parse_runbook("Some words\n\n## When the shop is down ##\nCall us.\n", name="down")
    assert found.title == "When the shop is down"
    assert found.match.reasons == ()


def test_a_file_without_a_heading_has_its_name_as_its_title() -> None:
    assert parse_runbook("Call us.\n", name="down").title == "down"


def test_a_rule_at_the_beginning_is_not_what_it_is_about() -> None:
    assert parse_runbook("---\n\nCall us.\n", name="down").content.startswith("---")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "says nothing"),
        ("---\ntitle: x\n---\n \n", "says nothing"),
        ("---\ntitle: [x\n---\ntext\n", "no YAML"),
        ("---\n- x\n---\ntext\n", "names with values"),
        ("---\n1: x\n---\ntext\n", "names with values"),
        ("---\ntitle: [x]\n---\ntext\n", "title must be one line"),
        ("---\ncategories: [Sometimes]\n---\ntext\n", "categories.0"),
        ("---\nreasons: 7\n---\ntext\n", "reasons"),
        ("---\nlabels: {team: 7}\n---\ntext\n", "labels.0.value"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(RunbookFormatError, match="notes") as caught:
        parse_runbook(text, name="notes")
    assert said in str(caught.value)


def test_aliases_that_would_fill_the_memory_are_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        lines.append(f"a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * 9) + "]")
    bomb = "\n".join([*lines, "title: *a11", "reasons: *a11"])
    with pytest.raises(RunbookFormatError):
        parse_runbook(f"---\n{bomb}\n---\ntext\n", name="bomb")
    with pytest.raises(RunbookFormatError):
        parse_runbook(f"---\n{bomb.replace('title', 'other')}\n---\ntext\n", name="bomb")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="-:[]{}&*!|>'\" \n#abT1", max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    for whole in (text, f"---\n{text}\n---\nwords\n"):
        try:
            found = parse_runbook(whole, name="any")
        except RunbookFormatError:
            continue
        assert found.title
        assert found.content.strip()


def _without_what_is_seen(text: str) -> str:
    """Prose may quote a command that a person typed when it failed."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S))
