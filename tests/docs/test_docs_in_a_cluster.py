"""The commands of the documentation that need a cluster, an operator and somebody's workloads.

They are typed as they stand, in the order of their page. Only names are put in the place of those
that the page made up: the namespace `shop` and one FailureDiagnosis in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docs.pages import ROOT, all_pages, blocks_run_by, commands_of
from docs.running import type_in
from e2e.conftest import api, kubeconfig, namespace, start_operator  # noqa: F401 - fixtures
from support.namespace import Namespace, complete
from support.operator_process import OperatorProcess, wait_for
from support.workloads import crashes, healthy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

THIS = Path(__file__).relative_to(ROOT).as_posix()
MADE_UP = "checkout-crashloop-ed032f"
QUESTION, RUNBOOK = "why-is-checkout-away", "registry-away"


def manifest_of_a_page(name: str) -> str:
    """One that a page tells people to write, by the name in it."""
    return next(
        block.text
        for page in all_pages()
        for block in page.blocks
        if block.language == "yaml" and re.search(rf"\bname: {name}\b", block.text)
    )


def test_every_command_for_a_cluster_works_as_it_is_written(
    start_operator: Callable[..., OperatorProcess],  # noqa: F811
    namespace: Namespace,  # noqa: F811
    kubeconfig: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    blocks = blocks_run_by(THIS)
    assert len(blocks) >= 5
    operator = start_operator()
    namespace.apply(crashes(), healthy())
    real = namespace.diagnosis_of("checkout")["metadata"]["name"]
    wait_for(lambda: running(namespace, "frontend"), what="a healthy Pod to ask about")
    (tmp_path / "question.yaml").write_text(manifest_of_a_page(QUESTION))
    (tmp_path / "runbook.yaml").write_text(
        re.sub(r"namespace: shop", f"namespace: {namespace.name}", manifest_of_a_page(RUNBOOK))
    )
    type_in("kubectl apply -f runbook.yaml", folder=tmp_path, kubeconfig=kubeconfig)
    # Neither the operator's, which is in use, nor that of whoever runs the tests.
    own_memory = f"export KAUSA_MEMORY_PATH={tmp_path / 'memory-of-the-page'}"
    for block in blocks:
        for command in commands_of(block):
            typed = re.sub(r"\bshop\b", namespace.name, command.replace(MADE_UP, real))
            type_in(f"{own_memory}\n{typed}", folder=tmp_path, kubeconfig=kubeconfig)

    wait_for_answer(namespace, operator, target="frontend")
    wait_for_answer(namespace, operator, target="checkout", name=QUESTION)
    first = next(each for each in namespace.diagnoses() if each["metadata"]["name"] == real)
    assert first["spec"]["suspend"] is True
    assert "feedback" not in first["spec"]


def wait_for_answer(
    namespace: Namespace,  # noqa: F811
    operator: OperatorProcess,
    *,
    target: str,
    name: str | None = None,
) -> None:
    """Until a resource about a target says its last word; its state where it does not."""

    def asked() -> list[dict[str, Any]]:
        found = (each for each in namespace.diagnoses() if name in (None, each["metadata"]["name"]))
        return [each for each in found if each["spec"]["target"]["name"] == target]

    try:
        wait_for(lambda: any(map(complete, asked())), what=f"an answer about {target}")
    except AssertionError as error:
        states = [each.get("status", {}).get("conditions") for each in asked()]
        raise AssertionError(f"{error}\n{states}\n{operator.log()[-4000:]}") from None


def running(namespace: Namespace, app: str) -> bool:  # noqa: F811
    """Whether a Pod of it runs."""
    return any(each.status.phase == "Running" for each in namespace.pods(app))
