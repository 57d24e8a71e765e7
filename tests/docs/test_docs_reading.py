"""The eyes of the other tests of the documentation: what they take for a command, and for run."""

from __future__ import annotations

import pytest
from docs.pages import ROOT, Block, Page, commands_of, expected_of, read
from docs.running import programs_of, why_not_run_here
from docs.test_docs_commands import missing, stands_where_nobody_runs_it

WHERE = ROOT / "docs" / "page.md"


def page(text: str) -> Page:
    return read(WHERE, text)


def block(text: str) -> Block:
    (found,) = page(text).blocks
    return found


def test_typed_lines_are_commands_and_the_others_what_they_print() -> None:
    found = block(
        "```console\n$ kausa redact -   \nout  of it\n...\n$ echo \\\n    two\nlast\n```\n"
    )
    assert commands_of(found) == ("kausa redact -", "echo two")
    assert expected_of(found) == ("out of it", "last")


def test_every_line_of_a_shell_block_is_a_command_but_comments() -> None:
    found = block("```bash\n# first\nmake help\n\nkausa --version\n```\n")
    assert commands_of(found) == ("make help", "kausa --version")
    assert expected_of(found) == ()


@pytest.mark.parametrize(
    ("above", "key", "what"),
    [
        ("<!-- run-by: tests/a.py, make evaluate -->\n", "run-by", "tests/a.py, make evaluate"),
        ("<!-- needs: a GPU -->\n\n", "needs", "a GPU"),
        ("<!-- values -->\n", "values", ""),
        ("<!-- needs: a GPU -->\nwords\n", None, ""),
        ("", None, ""),
    ],
)
def test_a_marker_belongs_to_the_block_right_below_it(
    above: str, key: str | None, what: str
) -> None:
    found = block(f"{above}```sh\nmake help\n```\n")
    assert (found.key, found.what) == (key, what)


def test_a_block_that_never_ends_is_an_error() -> None:
    with pytest.raises(ValueError, match="never ends"):
        page("```console\n$ make help\n")


@pytest.mark.parametrize(
    "text",
    [
        "```\nkubectl get pods\n```\n",
        "```text\n$ helm install kausa charts/kausa\n```\n",
        "words\n\n    kausa ingest ./runbooks   # a comment\n",
        "```\n.venv/bin/kausa run\n```\n",
        "```\nKAUSA_NAMESPACE=shop kausa run\n```\n",
    ],
)
def test_a_command_in_a_block_of_no_shell_is_seen(text: str) -> None:
    assert stands_where_nobody_runs_it(page(text))


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ kubectl get pods\n```\n",
        "```\nkausa finds (a sentence, not a command) 'what\n```\n",
        "```yaml\nkausa: 1\n```\n",
        "```\nNAMESPACE   NAME\nshop        cart\n```\n",
        "kubectl get pods is told in a sentence\n",
    ],
)
def test_what_is_no_command_or_stands_in_a_shell_is_left_alone(text: str) -> None:
    found = [each for each in stands_where_nobody_runs_it(page(text)) if "sentence" not in each]
    assert not found


@pytest.mark.parametrize(
    ("command", "programs"),
    [
        ("echo a | kausa redact - && make help", ["echo", "kausa", "make"]),
        ("A=1 B='x y' .venv/bin/kausa run", ["kausa"]),
        ("kausa redact - # not && helm", ["kausa"]),
        ("export A=$(make x)", ["export", "make"]),
    ],
)
def test_all_programs_of_a_line_are_found(command: str, programs: list[str]) -> None:
    assert [name for name, _ in programs_of(command)][: len(programs)] == programs


@pytest.mark.parametrize(
    "command",
    [
        "kausa diagnose --from tests/cases/x",
        "echo x | kausa redact -",
        "make help",
        "helm template kausa charts/kausa | head -n 3",
        "kausa run --help",
    ],
)
def test_what_needs_nothing_is_run(command: str) -> None:
    assert why_not_run_here(command) is None


@pytest.mark.parametrize(
    "command",
    [
        "kausa run",
        "kausa memory prune",
        "kubectl delete ns shop",
        "echo x | kubectl apply -f -",
        "make test",
        "helm install kausa charts/kausa",
        "rm -rf x",
        "kausa",
    ],
)
def test_what_could_do_harm_or_needs_something_is_not_run(command: str) -> None:
    assert why_not_run_here(command)


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("tests/docs/test_docs_links.py", True),
        ("make evaluate", True),
        ("make cluster-down", False),
        ("make no-such-target", False),
        ("tests/docs/pages.py", False),
        ("tests/docs/test_that_is_not_there.py", False),
        ("docs/README.md", False),
        ("", False),
    ],
)
def test_whoever_runs_a_command_is_a_test_or_a_part_of_make_test(name: str, there: bool) -> None:
    assert (missing(name) is None) is there


def test_anchors_are_those_of_headings_and_a_repeated_one_has_a_number() -> None:
    text = "# Back up, restore\n## `kausa run`: it\n## Back up, restore\n```sh\n# no heading\n```\n"
    assert page(text).anchors() == {"back-up-restore", "kausa-run-it", "back-up-restore-1"}


def test_links_are_found_outside_of_code_only() -> None:
    text = "see [a](x.md#y), `[b](no.md)` and ![c](image.png)\n"
    assert list(page(text).links()) == [(1, "x.md#y")]
