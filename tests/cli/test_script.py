"""px script: new, check, bundle, and folders that are run."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.testing.dataset import MemoryDataset
from tests.api.support import answering


@pytest.fixture
def agent(tmp_path) -> Iterator[Path]:
    """A server over samples of two processes."""
    data = MemoryDataset()
    now = time.time_ns()
    rows = [{"time_": now - i * 10**9, "upid": i % 2, "rss_bytes": 1024, "num_threads": 3} for i in range(10)]
    data.add("process_stats", record_batch(TABLES["process_stats"].relation, rows[::-1]))
    processes = [{"upid": i, "cmdline": f"/bin/program{i}", "pid": i + 1} for i in range(2)]
    data.metadata["process"] = pa.Table.from_batches([record_batch(ENTITIES["process"], processes)])
    with answering(data, tmp_path) as path:
        yield path


@pytest.fixture
def made(px, tmp_path) -> Path:
    ran = px("script", "new", "my_memory", "--dir", str(tmp_path / "team"))
    assert ran.returncode == 0, ran.stderr
    return tmp_path / "team" / "my_memory"


def rows(ran):
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_new_script_is_tidy_and_right(px, made):
    assert sorted(path.name for path in made.iterdir()) == ["manifest.yaml", "my_memory.pxl", "vis.json"]
    checked = px("script", "check", "--deny-warnings", str(made))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "nothing wrong in 1 script\n")
    assert px("fmt", "--check", str(made)).returncode == 0


def test_a_new_script_runs_with_its_arguments(px, agent, made):
    found = rows(px("run", "-f", str(made), "-o", "json"))
    table = [row for row in found if row["_tableName_"] == "Memory by process"]
    assert {(row["command"], row["memory"], row["threads"]) for row in table} == {
        ("/bin/program0", 1024, 3),
        ("/bin/program1", 1024, 3),
    }
    assert {row["_tableName_"] for row in found} == {"Memory by process", "Memory over time"}
    found = rows(px("run", "-f", str(made), "-o", "json", "--", "--command=program1", "--start_time", "-1h"))
    assert {row["command"] for row in found} == {"/bin/program1"}
    ran = px("run", "-f", str(made), "--", "--comand=x")
    assert ran.returncode == 1
    assert "did you mean --command?" in ran.stderr
    # Not the folder, but the file in it.
    ran = px("run", "-f", str(made / "my_memory.pxl"))
    assert ran.returncode == 1
    assert f"help: the vis.json beside it calls its functions: px run -f {made}\n" in ran.stderr
    shown = px("run", "-f", str(made), "--", "--help").stdout
    assert shown.startswith(f"Usage: px run -f {made} -- [ARGUMENTS]\n")
    assert "--start_time string" in shown
    assert "My memory" in shown


def test_names_and_folders_that_cannot_be(px, tmp_path, made):
    before = sorted(path.read_text() for path in made.iterdir())
    ran = px("script", "new", "my_memory", "--dir", str(made.parent))
    assert ran.returncode == 1
    assert "is there already" in ran.stderr
    assert sorted(path.read_text() for path in made.iterdir()) == before
    for name in ("Upper", "a/b", "..", "", "import", "x" * 65, "-", "é"):
        ran = px("script", "new", "--dir", str(tmp_path / "other"), "--", name)
        assert ran.returncode == 1
        assert "cannot be the name of a script" in ran.stderr
    assert not (tmp_path / "other").exists()
    (tmp_path / "file").write_text("")
    assert px("script", "new", "x", "--dir", str(tmp_path / "file" / "y")).returncode == 1


def test_check_tells_places_in_three_ways(px, made):
    vis = made / "vis.json"
    vis.write_text(vis.read_text().replace('"value": "memory"', '"value": "memry"'))
    ran = px("script", "check", str(made))
    assert ran.returncode == 1
    assert "error: the result 'Memory over time' has no column 'memry'\n" in ran.stdout
    line = vis.read_text()[: vis.read_text().index('"memry"')].count("\n") + 1
    assert f"--> {vis}:{line}:22\n" in ran.stdout
    assert "help: did you mean 'memory'?" in ran.stdout
    assert ran.stderr == "1 error in 1 script\n"
    ran = px("script", "check", "-o", "json", str(made))
    data = json.loads(ran.stdout)
    assert (ran.returncode, data["errors"], data["findings"][0]["line"]) == (1, 1, line)
    ran = px("script", "check", "--format", "github", str(made))
    assert f"::error file={vis},title=PxL%3A vis,line={line},col=22,endColumn=29::" in ran.stdout


def test_check_of_several_files_and_of_nothing(px, made, tmp_path):
    bad = tmp_path / "bad.pxl"
    bad.write_text("import px\npx.display(px.DataFrame('http_event'))\ndf = (\n")
    warned = tmp_path / "warned.pxl"
    warned.write_text("import px\npx.display(px.DataFrame('http_events'\n  select=['time_']))\n")
    ran = px("script", "check", str(made), str(bad), str(warned))
    assert ran.returncode == 1
    assert ran.stderr == "1 error and 1 warning in 3 scripts\n"
    assert px("script", "check", str(warned)).returncode == 0
    assert px("script", "check", "--deny-warnings", str(warned)).returncode == 1
    ran = px("script", "check", str(tmp_path / "none"))
    assert ran.returncode == 1
    assert "no such file or folder" in ran.stderr


def test_a_bundle_is_written_and_used(px, agent, made, tmp_path):
    bundle = tmp_path / "bundle.json"
    ran = px("script", "bundle", str(made.parent.parent), "-o", str(bundle))
    assert (ran.returncode, ran.stderr) == (0, "1 script written\n")
    assert px("script", "list", "-o", "csv", "-b", str(bundle)).stdout.splitlines()[1:] == [
        "scripts,team/my_memory,My memory"
    ]
    shown = px("script", "show", "team/my_memory", "--bundle", str(bundle)).stdout
    assert shown == (made / "my_memory.pxl").read_text()
    for arguments in (("run",), ("script", "run")):
        ran = px(*arguments, "team/my_memory", "-b", str(bundle), "-o", "json", "--", "--command=program0")
        assert {row["command"] for row in rows(ran)} == {"/bin/program0"}
    assert px("script", "list", PX_BUNDLE=str(bundle)).stdout == px("script", "list", "-b", str(bundle)).stdout
    piped = px("script", "bundle", str(made), "-o", "-")
    assert list(json.loads(piped.stdout)["scripts"]) == ["my_memory"]
    (made.parent / "bare").mkdir()
    (made.parent / "bare" / "bare.pxl").write_text("import px\n")
    ran = px("script", "bundle", str(made.parent.parent), "-o", str(bundle))
    left_out = f"{made.parent / 'bare'} is left out: it has no manifest.yaml"
    assert ran.stderr == f"{left_out}\n1 script written\n"


def test_bad_bundles_are_told(px, tmp_path):
    bundle = tmp_path / "bundle.json"
    bundle.write_text("{}")
    ran = px("script", "list", "-b", str(bundle))
    assert ran.returncode == 1
    assert "not a bundle of scripts: it has no object 'scripts'" in ran.stderr
    assert px("script", "bundle", str(tmp_path / "none"), "-o", str(bundle)).returncode == 1
    assert bundle.read_text() == "{}"
