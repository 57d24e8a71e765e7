from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from hack.demo.errors import DemoError, RunsAlready
from hack.demo.locking import exclusive
from hack.demo.place import Place
from hack.demo.record import Record, Started

OPERATOR = Started(pid=7, ticks=100, boot="b")


def test_a_record_reads_back_as_it_was_written(tmp_path: Path) -> None:
    record = Record(
        owns_cluster=True, kubeconfig="/k", cluster="c1", crds=("a", "b"), operator=OPERATOR
    )
    record.save(tmp_path / "demo" / "record.json")
    assert Record.load(tmp_path / "demo" / "record.json") == record
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["record.json"]


def test_no_record_is_no_demo(tmp_path: Path) -> None:
    assert Record.load(tmp_path / "record.json") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"operator": {"pid": 1}}'])
def test_a_record_that_is_not_ours_is_said_and_not_guessed(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(DemoError, match="cannot be read"):
        Record.load(tmp_path / "record.json")


def test_a_second_demo_keeps_what_the_first_one_owes() -> None:
    first = Record(owns_cluster=True, cluster="c1", crds=("a",))
    assert first.followed_by(there=True, present="c1") == first


def test_a_demo_owns_a_cluster_only_where_there_was_none() -> None:
    first = Record(owns_cluster=False, cluster="c1")
    assert first.followed_by(there=False, present="").owns_cluster
    assert not first.followed_by(there=True, present="c1").owns_cluster


def test_a_cluster_whose_api_server_is_silent_is_not_taken_for_ours() -> None:
    first = Record(owns_cluster=False, cluster="c1")
    assert not first.followed_by(there=True, present="").owns_cluster


def test_a_cluster_that_came_up_in_place_of_the_demos_is_somebody_elses() -> None:
    first = Record(owns_cluster=True, cluster="c1", crds=("a",))
    second = first.followed_by(there=True, present="c2")
    assert not second.owns_cluster
    assert second.crds == ()


def test_the_place_follows_the_same_variables_as_the_cluster() -> None:
    home = Path("/home/one")
    assert Place.from_environment({}, home=home).folder == Path("/home/one/.cache/kausa/demo")
    xdg = Place.from_environment({"XDG_CACHE_HOME": "/x"}, home=home)
    assert xdg.folder == Path("/x/kausa/demo")
    named = Place.from_environment({"XDG_CACHE_HOME": "/x", "KAUSA_CACHE": "/k"}, home=home)
    assert named.folder == Path("/k/demo")
    assert named.cluster_cache == Path("/k/cluster")


def test_a_second_demo_is_told_who_runs(tmp_path: Path) -> None:
    lock = tmp_path / "demo" / "lock"
    with exclusive(lock), pytest.raises(RunsAlready) as raised, exclusive(lock):
        pass
    assert str(raised.value.pid) == lock.read_text()


def test_a_lock_whose_file_was_removed_is_taken_again_with_a_new_file(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with exclusive(lock):
        lock.unlink()
        with exclusive(lock), lock.open() as again, pytest.raises(BlockingIOError):
            fcntl.flock(again.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
