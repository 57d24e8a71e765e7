"""The pages about installing followed word by word, as somebody new would type them.

Before the other tests of the chart install their own release: this one removes what it made. Only
on the local cluster, which the first of these pages starts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs.pages import ROOT, Block, all_pages, blocks_run_by, commands_of
from docs.running import type_in
from e2e_chart.conftest import remove_namespace, volume
from e2e_chart.release import NAMESPACE
from kubernetes import client
from support.cluster import is_local
from support.operator_process import wait_for

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not is_local(), reason="it is about the local cluster"),
]

THIS = Path(__file__).relative_to(ROOT).as_posix()
SHOW, CAUSE = "kubectl get failurediagnoses", "registry.invalid"
ARCHIVES = ROOT / "dist"
Type = Callable[..., str]


def blocks() -> dict[str, Block]:
    """Those that this test types, by page and first line."""
    found = blocks_run_by(THIS)
    return {f"{each.page.relative_to(ROOT)}: {commands_of(each)[0]}": each for each in found}


def block(page: str, words: str) -> Block:
    """The one of a page that has these words."""
    (found,) = (
        each
        for name, each in blocks().items()
        if name.startswith(f"{page}:") and words in each.text
    )
    return found


ORDER = (
    ("docs/install.md", "make cluster-up"),
    ("docs/install.md", "helm test kausa"),
    ("docs/operate.md", "--reset-then-reuse-values"),
    ("docs/operate.md", "rollout restart"),
    ("docs/install.md", "helm uninstall"),
    ("docs/install.md", "my-values.yaml"),
    ("charts/kausa/README.md", "kubectl create namespace"),
    ("README.md", "helm install kausa"),
)


def test_all_blocks_that_name_this_test_are_typed() -> None:
    typed = {str(block(page, words)) for page, words in ORDER}
    assert {str(each) for each in blocks().values()} == typed


@pytest.fixture
def nothing_there(api: Any, images: None) -> Iterator[None]:
    """A cluster that has never seen Kausa; and afterwards one that has forgotten it."""
    core, definitions = client.CoreV1Api(api), client.ApiextensionsV1Api(api)
    roles = client.RbacAuthorizationV1Api(api)

    def ours() -> list[str]:
        found = definitions.list_custom_resource_definition().items
        return [each.metadata.name for each in found if each.spec.group == "kausa.dev"]

    def remove() -> None:
        remove_namespace(core)
        for name in ours():
            definitions.delete_custom_resource_definition(name)
        for each in roles.list_cluster_role(label_selector="app.kubernetes.io/name=kausa").items:
            roles.delete_cluster_role(each.metadata.name)
        for each in roles.list_cluster_role_binding(
            label_selector="app.kubernetes.io/name=kausa"
        ).items:
            roles.delete_cluster_role_binding(each.metadata.name)
        wait_for(lambda: not ours(), what="the CRDs to go", seconds=60)

    remove()
    before = set(ARCHIVES.glob("*-*.*"))
    try:
        yield
    finally:
        remove()
        for each in set(ARCHIVES.glob("*-*.*")) - before:
            each.unlink()


@pytest.fixture
def typing(tmp_path: Path) -> Type:
    """A shell in which what was exported stays so, as in the reader's own."""
    exported: list[str] = []

    def type_one(command: str) -> str:
        if re.match(r"export \w+=", command):
            exported.append(command)
        mine = command.replace("my-values.yaml", str(tmp_path / "my-values.yaml"))
        return type_in("\n".join([*exported, mine]), folder=ROOT, seconds=600)

    return type_one


def production(folder: Path) -> None:
    """The page's values for production, less what this cluster has not: a registry, Prometheus' own
    kinds, and somebody who makes volumes."""
    (text,) = (
        each.text
        for page in all_pages()
        for each in page.blocks
        if each.key == "values" and "imageRegistry" in each.text
    )
    values = yaml.safe_load(text)
    del values["imageRegistry"]
    for each in ("serviceMonitor", "rules"):
        del values["metrics"][each]
    values["memory"]["embedded"]["persistence"] = {"enabled": False}
    (folder / "my-values.yaml").write_text(yaml.safe_dump(values))


@pytest.mark.usefixtures("nothing_there")
def test_whoever_types_what_the_pages_say_has_it_running(
    typing: Type, api: Any, tmp_path: Path
) -> None:
    core = client.CoreV1Api(api)
    said: dict[str, str] = {}

    def run(page: str, words: str) -> None:
        for command in commands_of(block(page, words)):
            if command == SHOW:
                # "There within seconds."
                wait_for(lambda: CAUSE in typing(SHOW), what="its diagnosis", seconds=60)
            said[command] = typing(command)

    try:
        for page, words in ORDER[:5]:
            run(page, words)
    finally:
        client.AppsV1Api(api).delete_collection_namespaced_deployment(
            "default", field_selector="metadata.name=broken"
        )
    assert re.search(r"Phase:\s+Succeeded", said["helm test kausa --namespace kausa-system"])
    assert CAUSE in said[SHOW]
    wait_for(lambda: not core.list_namespaced_pod(NAMESPACE).items, what="the Pods to go")

    production(tmp_path)
    run("docs/install.md", "my-values.yaml")
    typing("helm uninstall kausa --namespace kausa-system --wait")

    for page, words in ORDER[6:]:
        remove_namespace(core)
        with volume(api):
            run(page, words)
            typing("kubectl -n kausa-system rollout status deployment/kausa --timeout=120s")
            typing("helm uninstall kausa --namespace kausa-system --wait")
            remove_namespace(core)
