from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

import cluster
from localcluster import api, fakenodes, kwok, pki
from localcluster.components import components
from localcluster.errors import CannotRun, ClusterError
from localcluster.fakenodes import FakeNodes
from localcluster.layout import Layout
from localcluster.local import LocalCluster


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    found = Layout(tmp_path / "cluster")
    found.run.mkdir(parents=True)
    return found


def test_kwok_is_a_component_only_after_it_was_asked_for(layout: Layout) -> None:
    assert "kwok" not in components(layout, Path("/bin"))
    assert kwok.remember(layout, Path("/bin/kwok"))
    found = components(layout, Path("/bin"))["kwok"]
    assert found.binary == "kwok"
    assert "--manage-nodes-with-label-selector=type=kwok" in found.command
    assert f"--config={layout.kwok_config}" in found.command
    kwok.forget(layout)
    assert "kwok" not in components(layout, Path("/bin"))


def test_it_is_started_anew_only_where_its_stages_or_its_program_changed(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = Path("/bin/kwok")
    assert kwok.remember(layout, program)
    assert not kwok.remember(layout, program)
    assert kwok.remember(layout, Path("/bin/newer/kwok"))
    (tmp_path / "one.yaml").write_text("kind: Stage\n")
    monkeypatch.setattr(kwok, "STAGES", tmp_path)
    assert kwok.remember(layout, Path("/bin/newer/kwok"))


def test_the_configuration_is_one_document_for_each_stage(layout: Layout) -> None:
    kwok.remember(layout, Path("/bin/kwok"))
    first, *stages = yaml.safe_load_all(layout.kwok_config.read_text())
    assert first["kind"] == "KwokConfiguration"
    assert {stage["kind"] for stage in stages} == {"Stage"}
    kinds = [stage["spec"]["resourceRef"]["kind"] for stage in stages]
    # Without one of its own for a kind, kwok would take its built-in ones.
    assert set(kinds) == {"Node", "Pod"}


def test_every_stage_of_the_storm_passes_over_pods_that_are_not_told_to_fail() -> None:
    stages = list(yaml.safe_load_all((kwok.STAGES / "storm.yaml").read_text()))
    assert stages
    for stage in stages:
        selector = stage["spec"]["selector"]
        assert selector["matchLabels"] == {"storm.kausa.dev/fails": "true"}
        keys = [one["key"] for one in selector["matchExpressions"]]
        assert '.metadata.annotations["storm.kausa.dev/from"]' in keys


def test_a_folder_of_binaries_that_has_kwok_is_used(tmp_path: Path) -> None:
    (tmp_path / "kwok").touch()
    named = {"KAUSA_CLUSTER_BIN": str(tmp_path)}
    assert kwok.ensure(tmp_path / "cache", named) == tmp_path / "kwok"


def test_kwok_that_was_built_is_not_built_again_and_without_go_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRun, match="Go is needed to build kwok"):
        kwok.ensure(tmp_path, {})
    built = kwok.PROGRAM.folder(tmp_path)
    built.mkdir()
    assert kwok.ensure(tmp_path, {}) == built / "kwok"


def test_a_fake_node_keeps_off_what_does_not_ask_for_it() -> None:
    node = fakenodes.node(3)
    (taint,) = node["spec"]["taints"]
    assert (taint["key"], taint["effect"]) == (fakenodes.TAINT, "NoSchedule")
    assert node["metadata"]["labels"]["type"] == "kwok"
    assert int(node["status"]["allocatable"]["pods"]) * fakenodes.NODES >= 25_000


def test_a_fake_node_counts_when_it_is_ready_and_has_only_our_taint() -> None:
    ready = fakenodes.node(0) | {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    young = fakenodes.node(1)
    lost = json.loads(json.dumps(ready))
    lost["spec"]["taints"].append({"key": "node.kubernetes.io/unreachable"})
    assert fakenodes.ready({"items": [ready, young, lost]}) == 1


class FakeServer:
    """The API server, as far as fake nodes ask it: nodes, and pods by their node."""

    def __init__(self, *, pods: dict[str, list[str]], refuses: int = 0) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.pods = pods
        self.refuses = refuses
        self.asked: list[str] = []

    def __call__(self, method: str, url: str, *arguments: Any, **_: Any) -> tuple[int, bytes]:
        path = url.removeprefix(pki.SERVER)
        self.asked.append(f"{method} {path}")
        if self.refuses:
            return self.refuses, b"no"
        if path.startswith("/api/v1/nodes"):
            return self._on_nodes(method, arguments)
        return self._on_pods(method, path)

    def _on_nodes(self, method: str, arguments: Sequence[Any]) -> tuple[int, bytes]:
        if method == "POST":
            node = json.loads(arguments[1])
            if node["metadata"]["name"] in self.nodes:
                return 409, b"it is there"
            node["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
            self.nodes[node["metadata"]["name"]] = node
            return 201, b"{}"
        if method == "DELETE":
            self.nodes.clear()
            return 200, b"{}"
        # As the API server does it, an empty list of metadata has null for its items.
        return 200, json.dumps({"items": list(self.nodes.values()) or None}).encode()

    def _on_pods(self, method: str, path: str) -> tuple[int, bytes]:
        node = path.rpartition("%3D")[2]
        if method == "DELETE":
            namespace = path.split("/")[4]
            self.pods[node] = [one for one in self.pods[node] if one != namespace]
            return 504 if namespace == "large" else 200, b"{}"
        items = [{"metadata": {"namespace": one}} for one in self.pods.get(node, [])]
        return 200, json.dumps({"items": items or None}).encode()


@pytest.fixture
def nodes_of(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeServer], FakeNodes]:
    def make(server: FakeServer) -> FakeNodes:
        monkeypatch.setattr(api, "send", server)
        monkeypatch.setattr(api, "context", lambda _: None)
        return FakeNodes(layout)

    return make


def test_nodes_that_are_there_already_are_fine(
    nodes_of: Callable[[FakeServer], FakeNodes],
) -> None:
    server = FakeServer(pods={})
    nodes = nodes_of(server)
    nodes.make(2)
    nodes.make(3)
    assert sorted(server.nodes) == ["kwok-0", "kwok-1", "kwok-2"]


def test_fake_nodes_go_with_their_pods_the_pods_first(
    nodes_of: Callable[[FakeServer], FakeNodes],
) -> None:
    server = FakeServer(pods={"kwok-0": ["a", "b", "a"], "kwok-1": ["large"]})
    nodes = nodes_of(server)
    nodes.make(2)
    assert nodes.remove() == 4
    assert server.pods == {"kwok-0": [], "kwok-1": []}
    assert server.nodes == {}
    deleted = [one.split("?")[0] for one in server.asked if one.startswith("DELETE")]
    assert deleted[-1] == "DELETE /api/v1/nodes"


def test_a_node_that_is_refused_is_said(nodes_of: Callable[[FakeServer], FakeNodes]) -> None:
    with pytest.raises(ClusterError, match=r"refused \(403\)"):
        nodes_of(FakeServer(pods={}, refuses=403)).make(1)


def test_without_a_cluster_there_are_no_fake_nodes(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("localcluster.local.check_platform", lambda: None)
    local = LocalCluster(layout, {})
    with pytest.raises(ClusterError, match="not up"):
        local.kwok_up(30)
    local.kwok_down()
    assert "no fake nodes" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "asked"), [((), 30), (("--nodes", "7"), 7)])
def test_the_command_says_how_many_nodes(words: tuple[str, ...], asked: int) -> None:
    assert cluster.parser().parse_args(["kwok", "up", *words]).nodes == asked
