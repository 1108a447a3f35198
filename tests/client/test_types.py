"""A program's type checker knows what `sylph` takes and gives."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
RIGHT = """\
from collections.abc import Sequence

import px
import sylph


def slow(start_time: str = "-5m", *, paths: Sequence[str] = ()) -> px.DataFrame:
    df = px.DataFrame("http_events", start_time=start_time)
    df.known = px.equals_any(df.req_path, paths)
    return df.groupby("req_path").agg(slow=("latency", px.count)).head(10)


with sylph.connect("10.0.0.7:50300", key="...") as conn:
    answer: sylph.Answer = conn.run(slow, start_time="-3m", timeout=2.5, max_rows=10)
    names: list[str] = [name for name in answer]
    rows: int = len(answer["slow"]) + len(answer.table)
    answer.pandas(), answer.polars(), answer.duckdb(), answer.arrow()
    with conn.stream("px/http_data") as stream:
        for part in stream:
            rows += len(part)
    try:
        conn.run("px/http_data")
    except sylph.CompileError as error:
        rows = error.errors[0].line
"""
MISTAKES = [
    "sylph.connect(5)",
    "sylph.connect(port=5)",
    "sylph.connect().run(3)",
    "sylph.connect().run('px/http_data', timeout='1s')",
    "sylph.connect().run('px/http_data').panda()",
    "sylph.connect().stream('px/http_data').rows()",
    "n: int = sylph.connect().run('px/http_data')",
]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_right_programs_are_accepted_and_mistakes_refused(tmp_path):
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text("import sylph\n" + "\n".join(MISTAKES) + "\n")
    # As an installed package: what is wrong inside of it is not the user's.
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent"]
    done = subprocess.run(
        [*command, "--ignore-missing-imports", "right.py", "wrong.py"],
        capture_output=True,
        text=True,
        env={"MYPYPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        check=False,
        cwd=tmp_path,
    )
    assert not done.stderr
    places = {line.split(": error:")[0] for line in done.stdout.splitlines() if ": error:" in line}
    assert places == {f"wrong.py:{number}" for number in range(2, len(MISTAKES) + 2)}, done.stdout
