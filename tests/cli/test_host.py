import subprocess
import sys

import pytest

from tests.cli.conftest import environment

ARROW = """
import sys
from sylph.cli.host import WithoutPandas
{install}
import pyarrow as pa
from sylph.agent import reports
assert reports.source_batch(1, "source", 0, "", "start").num_rows == 1
print("pandas" in sys.modules)
"""


@pytest.mark.parametrize(
    ("install", "loaded"), [("", "True\n"), ("sys.meta_path.insert(0, WithoutPandas())", "False\n")]
)
def test_an_agent_does_not_load_pandas(install, loaded):
    pytest.importorskip("pandas", reason="nothing to keep out")
    pytest.importorskip("sylph._native", reason="the agent is native in part: make build")
    ran = subprocess.run(
        [sys.executable, "-c", ARROW.format(install=install)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert (ran.stdout, ran.stderr) == (loaded, "")
