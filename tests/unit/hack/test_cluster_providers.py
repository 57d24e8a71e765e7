from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from localcluster import packages
from localcluster.errors import CannotRun, ClusterError
from localcluster.layout import Layout
from localcluster.local import LocalCluster, Situation, situation
from localcluster.providers import KindCluster, NamedCluster, choose

LAYOUT = Layout(Path("/nowhere/cluster"))


def never() -> bool:
    raise AssertionError("kind was asked for")


def test_a_cluster_that_the_caller_names_comes_before_all_others() -> None:
    chosen = choose({"KAUSA_TEST_KUBECONFIG": "/some/config"}, LAYOUT, has_kind=never)
    assert isinstance(chosen, NamedCluster)
    assert chosen.kubeconfig == Path("/some/config")


def test_kind_comes_before_the_local_cluster() -> None:
    assert isinstance(choose({}, LAYOUT, has_kind=lambda: True), KindCluster)


def test_without_both_the_cluster_is_local() -> None:
    chosen = choose({}, LAYOUT, has_kind=lambda: False)
    assert isinstance(chosen, LocalCluster)
    assert chosen.kubeconfig == LAYOUT.kubeconfig


def test_an_empty_name_names_no_cluster() -> None:
    chosen = choose({"KAUSA_TEST_KUBECONFIG": ""}, LAYOUT, has_kind=lambda: False)
    assert isinstance(chosen, LocalCluster)


@pytest.mark.parametrize("action", ["stop", "restart"])
def test_components_of_a_named_cluster_are_not_stopped(action: str) -> None:
    named = NamedCluster(Path("/some/config"), LAYOUT)
    with pytest.raises(CannotRun, match="etcd of the cluster of KAUSA_TEST_KUBECONFIG"):
        getattr(named, action)("etcd")


@pytest.mark.parametrize(
    "provider", [NamedCluster(Path("/some/config"), LAYOUT), KindCluster(LAYOUT)]
)
def test_a_cluster_that_is_not_ours_gets_no_fake_nodes(
    provider: NamedCluster | KindCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CannotRun, match=r"[Ff]ake nodes"):
        provider.kwok_up(30)
    provider.kwok_down()
    assert "no fake nodes" in capsys.readouterr().err


def test_a_named_cluster_stays_when_it_is_taken_down(capsys: pytest.CaptureFixture[str]) -> None:
    NamedCluster(Path("/some/config"), LAYOUT).down()
    assert "stays as it is" in capsys.readouterr().err


class FakeKind:
    """The command kind, as far as it is asked: it knows the names of clusters."""

    def __init__(self, *clusters: str, fails: str = "", leaves: Sequence[str] = ()) -> None:
        self.clusters = set(clusters)
        self.fails = fails
        self.left_behind = set(leaves)

    def __call__(
        self, command: Sequence[str], *, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        assert command[0] == "kind"
        action = command[1]
        if action == self.fails:
            self.clusters |= self.left_behind
            return subprocess.CompletedProcess(list(command), 1, "", "no Docker")
        if action == "create":
            self.clusters.add(command[command.index("--name") + 1])
        if action == "delete":
            self.clusters.remove(command[command.index("--name") + 1])
        said = "\n".join(self.clusters) if action == "get" else ""
        return subprocess.CompletedProcess(list(command), 0, said, "")


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(packages, "static_busybox", lambda: None)
    return Layout(tmp_path / "cluster")


def test_a_cluster_of_kind_that_was_made_here_is_taken_down(layout: Layout) -> None:
    kind = FakeKind("somebody-elses")
    KindCluster(layout, runner=kind).up()
    assert kind.clusters == {"somebody-elses", "kausa"}
    KindCluster(layout, runner=kind).up()
    KindCluster(layout, runner=kind).down()
    assert kind.clusters == {"somebody-elses"}


@pytest.mark.parametrize("used", [True, False])
def test_a_cluster_of_kind_that_was_there_before_is_left_alone(
    layout: Layout, used: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = FakeKind("kausa")
    if used:
        KindCluster(layout, runner=kind).up()
    KindCluster(layout, runner=kind).down()
    assert kind.clusters == {"kausa"}
    assert "was not made from here and is left alone" in capsys.readouterr().err


def test_what_was_made_here_once_says_nothing_of_a_later_one(layout: Layout) -> None:
    kind = FakeKind()
    KindCluster(layout, runner=kind).up()
    KindCluster(layout, runner=kind).down()
    kind.clusters.add("kausa")
    KindCluster(layout, runner=kind).down()
    assert kind.clusters == {"kausa"}


def test_what_a_failed_creation_left_is_taken_down(layout: Layout) -> None:
    kind = FakeKind(fails="create", leaves=["kausa"])
    with pytest.raises(ClusterError, match="no Docker"):
        KindCluster(layout, runner=kind).up()
    KindCluster(layout, runner=kind).down()
    assert kind.clusters == set()


def test_a_creation_that_left_nothing_says_nothing_of_a_later_cluster(layout: Layout) -> None:
    kind = FakeKind(fails="create")
    with pytest.raises(ClusterError, match="no Docker"):
        KindCluster(layout, runner=kind).up()
    kind.clusters.add("kausa")
    KindCluster(layout, runner=kind).down()
    assert kind.clusters == {"kausa"}


def test_a_kind_that_does_not_answer_is_not_taken_for_one_without_clusters(layout: Layout) -> None:
    kind = FakeKind()
    KindCluster(layout, runner=kind).up()
    kind.fails = "get"
    with pytest.raises(ClusterError, match="kind get clusters failed"):
        KindCluster(layout, runner=kind).down()
    kind.fails = ""
    KindCluster(layout, runner=kind).down()
    assert kind.clusters == set()


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("same_boot", [True, False])
@pytest.mark.parametrize("all_run", [True, False])
def test_without_a_record_nothing_is_there(finished: bool, same_boot: bool, all_run: bool) -> None:
    found = situation(recorded=False, finished=finished, same_boot=same_boot, all_run=all_run)
    assert found is Situation.NOTHING


@pytest.mark.parametrize(
    ("finished", "same_boot", "all_run", "expected"),
    [
        (True, True, True, Situation.WHOLE),
        (True, True, False, Situation.BROKEN),
        (False, True, True, Situation.LEFTOVER),
        (True, False, False, Situation.LEFTOVER),
    ],
)
def test_a_recorded_cluster_is_kept_only_if_it_was_up_since_the_machine_started(
    finished: bool, same_boot: bool, all_run: bool, expected: Situation
) -> None:
    found = situation(recorded=True, finished=finished, same_boot=same_boot, all_run=all_run)
    assert found is expected
