"""The state of this host, from real processes."""

import os
import subprocess
import sys
import time
from pathlib import Path

from sylph.metadata.host import HostState, ProcessEvent
from sylph.metadata.journal import Journal
from sylph.metadata.node import this_node
from sylph.metadata.process import has_ended, parse_cgroups, parse_stat
from sylph.metadata.snapshot import Snapshots, upid_int


def test_scan_sees_processes_come_and_go(tmp_path: Path) -> None:
    script = tmp_path / "checkout.py"
    script.write_text("import time\ntime.sleep(60)\n")
    state = HostState()
    state.scan()
    child = subprocess.Popen([sys.executable, str(script)])
    try:
        state.scan()
        assert child.pid in state.alive()
        known, workload = next((p, w) for p, w in state.processes() if p.pid == child.pid)
        assert known.cmdline.endswith("checkout.py")
        assert workload.service.endswith("/checkout")
        assert abs(known.start_time - time.time_ns()) < 5e9
    finally:
        child.kill()
        child.wait()
    state.scan()
    assert child.pid not in state.alive()
    ended = next(p for p, _ in state.processes() if p.pid == child.pid)
    assert ended.stop_time > 0


def test_events_name_a_process_that_no_scan_saw() -> None:
    state = HostState()
    state.scan()
    ticks, now = 123, time.time_ns()
    state.apply(
        [
            ProcessEvent("exec", 4_000_001, os.getpid(), ticks, now, "flash", "/usr/bin/flash", 0, 0),
            ProcessEvent("exit", 4_000_001, 0, ticks, now + 5_000_000, "flash", "", 0, 3),
        ]
    )
    process, workload = next((p, w) for p, w in state.processes() if p.pid == 4_000_001)
    assert (process.exe, process.exit_code, process.stop_time) == ("/usr/bin/flash", 3, now + 5_000_000)
    assert workload.service.endswith("/flash")


def test_events_name_a_process_that_waits_for_its_parent() -> None:
    """A zombie's command line is gone from /proc, but not from what the kernel said when it began."""
    child = subprocess.Popen(["/bin/true"])
    try:
        stat = Path(f"/proc/{child.pid}/stat")
        while not has_ended(stat.read_bytes()):
            time.sleep(0.001)
        parsed = parse_stat(stat.read_bytes())
        assert parsed is not None
        state = HostState(None)
        state.apply(
            [ProcessEvent("exec", child.pid, os.getpid(), parsed[2], time.time_ns(), "true", "/bin/true", 0, 0)]
        )
        assert state.alive()[child.pid].cmdline == "/bin/true"
    finally:
        child.wait()


def test_a_reused_pid_is_another_process() -> None:
    state = HostState()
    for ticks in (10, 20):
        state.apply([ProcessEvent("exec", 4_000_002, 1, ticks, ticks, f"p{ticks}", f"/bin/p{ticks}", 0, 0)])
    found = {p.start_ticks: p for p, _ in state.processes()}
    assert found[10].stop_time
    assert not found[20].stop_time


def test_memory_is_bounded() -> None:
    state = HostState(limit=100)
    for pid in range(4_100_000, 4_101_000):
        state.apply(
            [
                ProcessEvent("exec", pid, 1, pid, pid, "x", "/bin/x", 0, 0),
                ProcessEvent("exit", pid, 1, pid, pid, "x", "", 0, 0),
            ]
        )
    assert len(state.processes()) <= 100
    assert max(p.pid for p, _ in state.processes()) == 4_100_999


def test_names_outlive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "processes.jsonl"
    state = HostState(Journal(path))
    state.apply([ProcessEvent("exec", 4_000_003, 1, 5, 6, "old", "/bin/old", 0, 0)])
    state.flush()
    with path.open("a") as file:
        file.write('["start", 4, "torn')
    journal = Journal(path)
    again = HostState(journal)
    assert journal.skipped == 1
    assert any(p.exe == "/bin/old" and p.stop_time for p, _ in again.processes())
    again.apply([ProcessEvent("exec", 4_000_004, 1, 7, 8, "new", "/bin/new", 0, 0)])
    again.flush()
    assert {p.exe for p, _ in HostState(Journal(path)).processes()} == {"/bin/old", "/bin/new"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_journal_is_compacted(tmp_path: Path) -> None:
    path = tmp_path / "processes.jsonl"
    state = HostState(Journal(path, limit=20_000), limit=50)
    for pid in range(4_200_000, 4_201_000):
        state.apply(
            [
                ProcessEvent("exec", pid, 1, pid, pid, "x", "/bin/x", 0, 0),
                ProcessEvent("exit", pid, 1, pid, pid, "x", "", 0, 0),
            ]
        )
        state.flush()
    assert path.stat().st_size < 40_000


def test_entities_know_this_process() -> None:
    state = HostState()
    state.scan()
    node = this_node(time.time_ns())
    entities = Snapshots(state, node).entities()
    rows = {row["pid"]: row for row in entities["process"].to_pylist()}
    mine = rows[os.getpid()]
    assert mine["upid"].int == upid_int(node.asid, os.getpid(), mine["start_ticks"])
    pods = {row["pod_id"]: row for row in entities["pod"].to_pylist()}
    assert pods[mine["pod_id"]]["pod_name"] == mine["pod_name"]
    services = {row["service_id"] for row in entities["service"].to_pylist()}
    assert mine["service_id"] in services
    assert entities["agent"].num_rows == 1


def test_stat_with_an_awkward_name() -> None:
    stat = b"12 (a b) (c) S 3 12 12 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 777 1 1"
    assert parse_stat(stat) == ("a b) (c", 3, 777, 4194304)
    assert parse_stat(b"") is None
    assert parse_stat(b"12 (x) S 1") is None


def test_cgroups_put_the_unified_hierarchy_first() -> None:
    assert parse_cgroups(b"4:memory:/m\n0::/u\n2:cpu:/\nbroken\n") == ("/u", "/m")
