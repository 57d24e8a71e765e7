from __future__ import annotations

from pathlib import Path

import pytest

from localcluster.errors import CannotRun
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


def test_a_named_cluster_stays_when_it_is_taken_down(capsys: pytest.CaptureFixture[str]) -> None:
    NamedCluster(Path("/some/config"), LAYOUT).down()
    assert "stays as it is" in capsys.readouterr().err


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
