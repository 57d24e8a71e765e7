from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
import yaml
from hack.demo import place, shop
from hack.demo.clustertool import anything_up
from hack.demo.console import wait_for
from hack.demo.demo import keeps_watching
from hack.demo.errors import DemoError, with_log
from hack.demo.hints import hints
from hack.demo.screen import CLEAR_BELOW, NEXT, repaint
from hack.demo.table import Table

PATH = "/usr/bin:/bin"


def settled() -> Table:
    rows = tuple(
        {"NAMESPACE": "shop", "NAME": f"{name}-x-1", "TARGET": f"Deployment/{name}", "CAUSE": "c"}
        for name in shop.BROKEN
    )
    return Table(tuple(rows[0]), rows)


def test_the_manifests_are_the_workloads_that_the_demo_waits_for() -> None:
    found = [yaml.safe_load(path.read_text()) for path in place.MANIFESTS.glob("*.yaml")]
    names = {each["metadata"]["name"] for each in found if each["kind"] == "Deployment"}
    assert names == {*shop.BROKEN, shop.HEALTHY}
    [namespace] = [each for each in found if each["kind"] == "Namespace"]
    assert namespace["metadata"]["name"] == shop.NAMESPACE
    assert namespace["metadata"]["labels"] == {shop.LABEL: "true"}


def test_every_workload_is_in_the_namespace_of_the_demo_and_ends_quickly() -> None:
    for name in (*shop.BROKEN, shop.HEALTHY):
        manifest = yaml.safe_load((place.MANIFESTS / f"{name}.yaml").read_text())
        assert manifest["metadata"]["namespace"] == shop.NAMESPACE
        assert manifest["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 1


def test_a_namespace_without_our_label_is_not_ours() -> None:
    assert shop.is_ours('shop{"kausa.dev/demo":"true","kubernetes.io/metadata.name":"shop"}')
    assert not shop.is_ours('shop{"kubernetes.io/metadata.name":"shop"}')
    assert not shop.is_ours("shop")


def test_one_part_that_runs_makes_a_cluster() -> None:
    local = "etcd                     up    pid 27074      105 MiB\nkubelet                  down\n"
    assert anything_up(local)
    assert anything_up("kind kausa up\n")
    assert anything_up("/a b/kubeconfig up\n")
    assert not anything_up("etcd                     down\nkubelet                  down\n")
    assert not anything_up("")


def test_the_commands_name_the_resources_that_are_there() -> None:
    said = hints(
        settled(), kubeconfig=Path("/k"), kubectl=Path("/usr/bin/kubectl"), search_path=PATH
    )
    assert "export KUBECONFIG=/k\n" in said
    assert "kubectl describe fd -n shop checkout-x-1\n" in said
    assert "export PATH" not in said


def test_a_kubectl_that_is_not_on_the_path_is_put_there() -> None:
    said = hints(
        settled(), kubeconfig=Path("/a b/k"), kubectl=Path("/c/bin-1/kubectl"), search_path=PATH
    )
    assert "export KUBECONFIG='/a b/k'\n" in said
    assert 'export PATH="$PATH":/c/bin-1\n' in said


def test_only_lines_that_changed_are_written_again() -> None:
    assert repaint([], ["a", "b"]) == f"\ra\x1b[K\nb\x1b[K\n{CLEAR_BELOW}"
    assert repaint(["a", "b"], ["a", "c"]) == f"\r\x1b[2A{NEXT}c\x1b[K\n{CLEAR_BELOW}"


def test_without_a_terminal_the_demo_ends_by_itself() -> None:
    assert keeps_watching(once=False, variable=None, terminal=True)
    assert not keeps_watching(once=False, variable=None, terminal=False)
    assert not keeps_watching(once=True, variable="1", terminal=True)
    assert not keeps_watching(once=False, variable="0", terminal=True)
    assert keeps_watching(once=False, variable="1", terminal=False)


def test_a_wait_ends_with_a_sentence() -> None:
    with pytest.raises(DemoError, match=r"in vain for rain\. Look at the sky"):
        wait_for("rain", lambda: False, seconds=0.01, otherwise="Look at the sky.", interval=0.01)


def test_an_error_shows_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("one\ntwo\nthree\n")
    said = with_log("It ended.", tmp_path / "log", lines=2)
    assert said.splitlines()[2:] == ["  | two", "  | three"]
    assert "cannot be read" in with_log("It ended.", tmp_path / "none")


def test_the_demo_imports_nothing_that_python_does_not_bring() -> None:
    """`down` runs before there is an environment."""
    imported = set()
    for path in (place.ROOT / "hack" / "demo").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
    assert imported - set(sys.stdlib_module_names) == {"hack", "localcluster"}
