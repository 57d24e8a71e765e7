from __future__ import annotations

from pathlib import Path

import pytest

from localcluster.layout import Layout

HOME = Path("/home/someone")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "/home/someone/.cache/kausa/cluster"),
        ({"XDG_CACHE_HOME": "/var/xdg"}, "/var/xdg/kausa/cluster"),
        ({"KAUSA_CACHE": "/var/kausa"}, "/var/kausa/cluster"),
        ({"KAUSA_CACHE": "/var/kausa", "XDG_CACHE_HOME": "/var/xdg"}, "/var/kausa/cluster"),
        ({"KAUSA_CACHE": "", "XDG_CACHE_HOME": ""}, "/home/someone/.cache/kausa/cluster"),
    ],
)
def test_the_cache_is_where_the_environment_says(
    environment: dict[str, str], expected: str
) -> None:
    assert Layout.from_environment(environment, home=HOME).root == Path(expected)


def test_a_cache_behind_a_link_has_its_real_path_because_mounts_show_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    layout = Layout.from_environment({"KAUSA_CACHE": str(tmp_path / "link")}, home=HOME)
    assert layout.root == tmp_path / "real" / "cluster"


def test_what_outlives_a_cluster_lies_outside_its_state() -> None:
    layout = Layout(Path("/cache"))
    for outside in (layout.lock, layout.images, layout.last_logs):
        assert not outside.is_relative_to(layout.state)
    for inside in (layout.before, layout.kubeconfig, layout.socket, layout.log("etcd")):
        assert inside.is_relative_to(layout.state)
