import json
import subprocess
import sys

import pytest

from sylph import __version__
from sylph.cli.main import COMMANDS, cli
from tests.api.support import one_table
from tests.cli.conftest import environment


def test_help_names_every_command_and_imports_none(px):
    ran = px("--help")
    assert ran.returncode == 0
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in ran.stdout
        assert line in ran.stdout


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_that_agrees_with_the_list(px, name):
    ran = px(name, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    command = cli.get_command(None, name)
    assert command.get_short_help_str(100) == COMMANDS[name][1]


def test_version(px):
    assert px("version").stdout == f"{__version__}\n"


def test_a_run_imports_nothing_heavy(agent, script, tmp_path):
    code = (
        "import sys\nfrom sylph.cli.main import run\n"
        f"assert run(['run', '-f', {script!r}]) == 0\n"
        "heavy = {'pyarrow', 'duckdb', 'sqlglot', 'rich', 'numpy', 'sylph._native', 'sylph.api.server'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(PX_SOCKET=str(agent)),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ran.returncode == 0, ran.stderr


def test_help_imports_no_grpc():
    code = (
        "import sys\nfrom sylph.cli.main import run\nrun(['--help'])\n"
        "assert not {'grpc', 'google.protobuf', 'asyncio', 'json'} & sys.modules.keys(), sorted(sys.modules)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False, timeout=30
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_set_up(px, shell):
    ran = px("completion", shell)
    assert ran.returncode == 0, ran.stderr
    assert "_PX_COMPLETE" in ran.stdout


def test_completion_of_commands_and_options(px):
    ran = px(_PX_COMPLETE="bash_complete", COMP_WORDS="px st", COMP_CWORD="1")
    assert ran.stdout.splitlines() == ["plain,status"]
    ran = px(_PX_COMPLETE="bash_complete", COMP_WORDS="px run --o", COMP_CWORD="2")
    assert ran.stdout.splitlines() == ["plain,--output"]


def test_script_list_and_show(px):
    listed = [json.loads(line) for line in px("script", "list", "-o", "json").stdout.splitlines()]
    assert all(set(row) == {"_tableName_", "Name", "Description"} for row in listed)
    assert px("run", "-l").stdout == px("script", "list").stdout
    for row in listed[:1]:
        assert "px" in px("script", "show", row["Name"]).stdout
    ran = px("script", "show", "no/such")
    assert ran.returncode == 1
    assert "no script is named 'no/such'" in ran.stderr


def test_explain_prints_the_plan_as_text(px, agent, handler, script):
    import pyarrow as pa

    from sylph.query.answer import Rows, TableMeta
    from sylph.tables.types import ColumnType, DataType, arrow_schema

    plan = {"query_plan": ColumnType(DataType.STRING)}
    batch = pa.RecordBatch.from_arrays([pa.array(["Source\n  Filter \x1b[2J\n"])], schema=arrow_schema(plan))
    handler.results = [
        *one_table()[:1],
        TableMeta("__query_plan__", plan),
        *one_table()[1:2],
        Rows("__query_plan__", batch),
    ]
    ran = px("explain", "-f", script)
    assert (ran.returncode, ran.stdout) == (0, "Source\n  Filter \\x1b[2J\n")
    graph = 'digraph plan {\n  n0 [label="source /* t */"];\n}\n/*\n== plan ==\nsource t\n*/\n'
    batch = pa.RecordBatch.from_arrays([pa.array([graph])], schema=arrow_schema(plan))
    handler.results[3] = Rows("__query_plan__", batch)
    assert px("explain", "-f", script).stdout == "== plan ==\nsource t\n"
    assert handler.requests[0].script.endswith("\n#px:set explain=true\n")
    assert handler.requests[0].script.startswith("import px\n")
    px("explain", "--analyze", "-f", script)
    assert "#px:set analyze=true" in handler.requests[2].script
    handler.results = one_table()
    assert px("explain", "-f", script).returncode == 1


def test_help_of_commands_and_scripts(px):
    assert px("help").stdout == px("--help").stdout
    assert px("help", "script", "list").stdout == px("script", "list", "--help").stdout
    assert px("help", "run", "px/http_data").stdout == px("run", "px/http_data", "--", "--help").stdout
    assert "--start_time string" in px("help", "run", "px/http_data").stdout
    assert px("help", "nothing").returncode == 1


def test_a_cluster_must_be_this_host(px, agent, script):
    facts = json.loads(px("status", "-o", "json").stdout)
    assert px("run", "-f", script, "-c", facts["host_id"], "--e2e_encryption=false").returncode == 0
    assert px("run", "-f", script, "--cluster", facts["host"]).returncode == 0
    ran = px("run", "-f", script, "-c", "other")
    assert ran.returncode == 1
    assert f"this is {facts['host']}" in ran.stderr
