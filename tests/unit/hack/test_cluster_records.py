from __future__ import annotations

from pathlib import Path

import pytest

from localcluster import containerd, records
from localcluster.records import Before, to_restore


def test_a_setting_that_up_changed_is_put_back() -> None:
    restored = to_restore(before={"a": "0"}, after={"a": "1"}, now={"a": "1"})
    assert restored == {"a": "0"}


def test_a_setting_that_nobody_changed_stays() -> None:
    assert to_restore(before={"a": "0"}, after={"a": "0"}, now={"a": "0"}) == {}


def test_a_setting_that_somebody_else_changed_since_stays() -> None:
    assert to_restore(before={"a": "0"}, after={"a": "1"}, now={"a": "2"}) == {}


def test_after_a_crash_half_way_every_change_is_put_back() -> None:
    assert to_restore(before={"a": "0", "b": "5"}, after=None, now={"a": "1", "b": "5"}) == {
        "a": "0"
    }


def test_a_setting_that_is_gone_is_left_alone() -> None:
    assert to_restore(before={"gone": "0"}, after=None, now={}) == {}


def test_forwarding_is_put_back_before_the_interfaces_that_it_resets(tmp_path: Path) -> None:
    for name in ("net/ipv4/ip_forward", "net/ipv4/conf/eth0/accept_redirects"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    read = records.read_settings(tmp_path)
    assert list(read) == ["net/ipv4/ip_forward", "net/ipv4/conf/eth0/accept_redirects"]
    restored = to_restore(before=read, after=None, now=dict.fromkeys(read, "0"))
    assert next(iter(restored)) == "net/ipv4/ip_forward"


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    before = Before(
        boot="b",
        settings={"a": "1"},
        chains={"iptables": ["PREROUTING"]},
        paths=["/run/netns"],
        service_address=False,
        sockets=[],
        controllers={},
    )
    records.save(before, tmp_path / "before.json")
    assert records.load(tmp_path / "before.json") == before
    assert [file.name for file in tmp_path.iterdir()] == ["before.json"]


def test_no_record_is_none(tmp_path: Path) -> None:
    assert records.load(tmp_path / "before.json") is None
    assert records.load_settings(tmp_path / "finished.json") is None
    assert not records.is_finished(tmp_path / "finished.json")


def test_a_cluster_of_an_earlier_form_is_not_taken_for_a_finished_one(tmp_path: Path) -> None:
    finished = tmp_path / "finished.json"
    records.write(finished, {"settings": {"a": "1"}})
    assert not records.is_finished(finished)
    assert records.load_settings(finished) == {"a": "1"}
    records.write_finished(finished)
    assert records.is_finished(finished)


def test_folders_that_were_there_or_are_in_use_stay(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("ours", "theirs", "used")]
    for path in paths:
        Path(path).mkdir()
    (tmp_path / "used" / "file").touch()
    records.remove_paths([paths[1]], paths)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["theirs", "used"]


@pytest.mark.parametrize(
    ("socket", "stale"), [("/s/old", False), ("/s/heard", False), ("/s/left", True)]
)
def test_only_new_sockets_that_nobody_listens_at_are_stale(socket: str, stale: bool) -> None:
    listening = "Num RefCount\n0000: 00000002 00000000 00010000 0001 01 12 /s/heard\n"
    found = containerd.stale_sockets([socket], before=["/s/old"], listening=listening)
    assert found == ([socket] if stale else [])
