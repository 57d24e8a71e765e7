from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from hack.demo import processes
from hack.demo.record import Started
from hack.demo.removal import holds

STAT = "{pid} (a (strange) name) {state} 1 1 1 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 9 0 {ticks} 1 2"
FOLDER = Path("/cache/demo")
IDLE = "import signal; signal.pause()"  # Standard input may be closed, and is no wait.


def pretend(
    proc: Path,
    pid: int,
    *,
    ticks: int = 100,
    state: str = "S",
    folder: str = str(FOLDER),
    role: str = "operator",
    boot: str = "one",
) -> Started:
    entry = proc / str(pid)
    entry.mkdir(parents=True, exist_ok=True)
    (entry / "stat").write_text(STAT.format(pid=pid, state=state, ticks=ticks))
    mark = f"PATH=/bin\0{processes.MARK}={folder}\0{processes.ROLE}={role}\0"
    (entry / "environ").write_text(mark)
    random = proc / "sys/kernel/random"
    random.mkdir(parents=True, exist_ok=True)
    (random / "boot_id").write_text(f"{boot}\n")
    return Started(pid, ticks, boot)


def test_a_recorded_process_is_alive_with_its_pid_start_time_and_boot(tmp_path: Path) -> None:
    started = pretend(tmp_path, 7)
    assert processes.identify(7, proc=tmp_path) == started
    assert processes.is_alive(started, proc=tmp_path)


def test_a_pid_that_was_used_again_is_not_ours(tmp_path: Path) -> None:
    recorded = pretend(tmp_path, 7, ticks=100)
    pretend(tmp_path, 7, ticks=101)
    assert not processes.is_alive(recorded, proc=tmp_path)


def test_a_process_of_before_a_reboot_is_not_ours(tmp_path: Path) -> None:
    recorded = pretend(tmp_path, 7, boot="one")
    pretend(tmp_path, 7, boot="two")
    assert not processes.is_alive(recorded, proc=tmp_path)


def test_a_zombie_and_a_free_pid_are_nobody(tmp_path: Path) -> None:
    recorded = pretend(tmp_path, 7, state="Z")
    assert processes.identify(7, proc=tmp_path) is None
    assert not processes.is_alive(recorded, proc=tmp_path)
    assert processes.identify(8, proc=tmp_path) is None


def test_what_was_started_and_not_recorded_is_found_by_its_environment(tmp_path: Path) -> None:
    pretend(tmp_path, 9, ticks=300)
    pretend(tmp_path, 5, ticks=400)
    pretend(tmp_path, 6, folder="/another/demo")
    pretend(tmp_path, 7, role="cluster-up")
    pretend(tmp_path, 8, state="Z")
    assert [one.pid for one in processes.ours(FOLDER, "operator", proc=tmp_path)] == [9, 5]


def test_a_process_that_ends_when_asked_is_not_killed(tmp_path: Path) -> None:
    child = processes.start([sys.executable, "-c", IDLE], folder=tmp_path, role="x")
    # Before it runs its own program, it has the environment of this one.
    while not (found := processes.ours(tmp_path, "x")) and child.poll() is None:
        pass
    assert [one.pid for one in found] == [child.pid]
    assert processes.stop(found, number=signal.SIGTERM, grace_s=5)
    assert child.wait(timeout=5) == -signal.SIGTERM
    assert processes.ours(tmp_path, "x") == []


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    log = tmp_path / "log"
    child = processes.start([sys.executable, "-c", deaf], folder=tmp_path, role="x", log=log)
    while not log.read_text():
        pass
    found = processes.ours(tmp_path, "x")
    assert not processes.stop(found, number=signal.SIGTERM, grace_s=0.1)
    assert child.wait(timeout=5) == -signal.SIGKILL


def test_a_signal_goes_to_nobody_where_the_pid_is_another_process_now() -> None:
    me = processes.identify(os.getpid())
    assert me is not None
    stranger = Started(me.pid, me.ticks - 1, me.boot)
    assert processes.stop([stranger], number=signal.SIGKILL, grace_s=1)


def test_a_number_in_the_lock_file_is_no_proof_of_holding_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    assert not holds(os.getpid(), lock)
    with lock.open():
        assert holds(os.getpid(), lock)
