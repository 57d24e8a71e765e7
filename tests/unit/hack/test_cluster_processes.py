from __future__ import annotations

from pathlib import Path

import pytest

from localcluster import processes
from localcluster.processes import Process

OWNER = Path("/cache/state")
STAT = "{pid} (a (strange) name) {state} 1 1 1 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 9 0 {started} 1 2"
STATUS = "Name:\tetcd\nVmHWM:\t   99999 kB\nVmRSS:\t   52224 kB\n"


def pretend(
    proc: Path,
    pid: int,
    *,
    owner: str = str(OWNER),
    component: str = "etcd",
    state: str = "S",
    started: int = 100,
    command: str = "/bin/etcd\0--flag\0",
) -> Path:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    environment = f"PATH=/bin\0{processes.OWNER}={owner}\0{processes.COMPONENT}={component}\0"
    (folder / "environ").write_text(environment if state != "Z" else "")
    (folder / "stat").write_text(STAT.format(pid=pid, state=state, started=started))
    (folder / "status").write_text(STATUS)
    (folder / "cmdline").write_text(command)
    return folder


def test_a_name_with_brackets_does_not_confuse_the_state() -> None:
    assert processes.parse_stat(STAT.format(pid=7, state="R", started=42)) == ("R", 42)


def test_memory_is_the_resident_set_in_mebibytes() -> None:
    assert processes.resident_mib(STATUS) == 51


def test_a_zombie_has_no_memory() -> None:
    assert processes.resident_mib("Name:\tetcd\nState:\tZ (zombie)\n") == 0


def test_only_processes_that_carry_the_owner_are_ours(tmp_path: Path) -> None:
    pretend(tmp_path, 1)
    pretend(tmp_path, 2, owner="/other/state")
    pretend(tmp_path, 3, state="Z")
    (tmp_path / "self").mkdir()
    (tmp_path / "4").mkdir()
    assert [process.pid for process in processes.ours(OWNER, proc=tmp_path)] == [1]


def test_ours_come_oldest_first(tmp_path: Path) -> None:
    pretend(tmp_path, 1, started=300)
    pretend(tmp_path, 2, started=200)
    assert [process.pid for process in processes.ours(OWNER, proc=tmp_path)] == [2, 1]


def test_a_process_that_was_just_started_is_waited_for_until_it_shows_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pretend(tmp_path, 7)
    whole = (folder / "environ").read_text()
    (folder / "environ").write_text("")
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            (folder / "environ").write_text(whole)

    monkeypatch.setattr("localcluster.processes.time.sleep", nap)
    assert processes.wait_for_environment(folder)
    assert len(naps) == 3
    assert processes.read_process(folder, owner=OWNER) is not None


def test_a_process_that_died_at_once_is_not_waited_for(tmp_path: Path) -> None:
    assert not processes.wait_for_environment(pretend(tmp_path, 7, state="Z"), timeout_s=1000)
    assert not processes.wait_for_environment(tmp_path / "8", timeout_s=1000)


def test_a_shim_that_inherited_the_environment_is_not_the_component() -> None:
    shim = Process(5, 1, "containerd", ("/usr/bin/containerd-shim-runc-v2", "-id", "x"))
    daemon = Process(6, 2, "containerd", ("/usr/bin/containerd", "--config=x"))
    assert processes.main_process([shim, daemon], "containerd", "containerd") is daemon
    assert processes.main_process([shim], "containerd", "containerd") is None


def test_a_pid_that_was_used_again_is_not_alive(tmp_path: Path) -> None:
    pretend(tmp_path, 1, started=100)
    ours = processes.ours(OWNER, proc=tmp_path)[0]
    assert processes.is_alive(ours, proc=tmp_path)
    (tmp_path / "1" / "stat").write_text(STAT.format(pid=1, state="S", started=101))
    assert not processes.is_alive(ours, proc=tmp_path)


def test_a_zombie_is_not_alive(tmp_path: Path) -> None:
    pretend(tmp_path, 1)
    ours = processes.ours(OWNER, proc=tmp_path)[0]
    (tmp_path / "1" / "stat").write_text(STAT.format(pid=1, state="Z", started=100))
    assert not processes.is_alive(ours, proc=tmp_path)


def test_a_tool_that_is_missing_is_an_answer_and_no_exception() -> None:
    done = processes.run(("no-such-tool-anywhere",))
    assert done.returncode == 127
    assert "not installed" in done.stderr


def test_a_tool_that_hangs_is_cut_off() -> None:
    assert processes.run(("sleep", "30"), timeout_s=0.05).returncode == 124
