"""A marker `run-by` is believed only where the test has what makes a command what it is."""

from __future__ import annotations

import pytest
from docs.decisive import decisive_words, made_by_make_test, typed_here, words_missing

COMMAND = "tests/unit/memory/test_memory_command.py"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("kausa memory backup /backups/2026-11-21", ["memory", "backup"]),
        ("kausa memory prune --dry-run # a comment", ["memory", "prune", "--dry-run"]),
        ("kubectl logs pod | kausa redact --summary -", ["redact", "--summary"]),
        (
            "helm -n kausa-system upgrade kausa charts/kausa --reset-then-reuse-values",
            ["upgrade", "--reset-then-reuse-values"],
        ),
        ("helm install a b --set memory.mode=none", ["install", "--set", "memory.mode"]),
        ("helm install a b --set=memory.mode=none", ["install", "--set", "memory.mode"]),
        ("kubectl --namespace a get pods", ["get", "pods"]),
        ("kubectl create deployment broken --image=x", ["create", "deployment", "--image"]),
        ("python3 hack/images/build.py --archive dist", ["build.py", "--archive"]),
        ("python3 hack/cluster/cluster.py load a.tar", ["cluster.py", "load"]),
        ("curl -s localhost:8080/info", ["/info"]),
        ("export KAUSA_MEMORY_PATH=/x", ["KAUSA_MEMORY_PATH"]),
        ("make images", []),
    ],
)
def test_programs_subcommands_options_and_variables_decide(command: str, words: list[str]) -> None:
    assert list(decisive_words(command)) == words


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("kausa memory backup /backups/2026-11-21", []),
        ("kausa memory backup /backups/x --no-such-option", ["--no-such-option"]),
        ("make evaluate", []),
        ("make e2e-chart images", []),
        ("make cluster-down", ["make cluster-down"]),
    ],
)
def test_what_a_test_does_not_have_is_said(command: str, missing: list[str]) -> None:
    assert words_missing(command, [COMMAND]) == missing


def test_a_target_of_make_has_what_its_recipe_has() -> None:
    assert words_missing("kausa eval tests/cases", ["make evaluate"]) == []
    assert words_missing("kausa memory prune", ["make evaluate"]) == ["memory", "prune"]


def test_part_of_a_longer_word_is_not_the_word() -> None:
    assert words_missing("kausa memory migrat", [COMMAND]) == ["migrat"]


def test_only_who_types_blocks_is_believed_without_looking() -> None:
    assert typed_here("tests/docs/test_docs_in_a_cluster.py")
    assert not typed_here(COMMAND)
    assert not typed_here("make evaluate")


def test_make_test_comes_by_what_its_parts_need() -> None:
    made = made_by_make_test()
    assert {"evaluate", "e2e-chart", "images", "embedded-models", "install", "cluster-up"} <= made
    assert not {"cluster-down", "bench", "lock", "demo", "test"} & made
