"""docs/python.md in a real Jupyter kernel: its examples run, errors point into cells, the stop button cancels."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

import sylph
from sylph.query.answer import Rows, TableMeta
from tests.api.support import RELATION, make_batch

SOURCE = Path(sylph.__file__).parents[1]
PAGE = SOURCE.parent / "docs" / "python.md"

# Starting a kernel takes seconds, many on a machine that has other things to do.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow, pytest.mark.timeout(300)]


def executed(cells: list[str], socket: Path, monkeypatch, allow_errors: bool = False) -> list[nbformat.NotebookNode]:
    """The cells after they ran, one after the other, in a kernel of their own."""
    monkeypatch.setenv("PX_SOCKET", str(socket))
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=100, kernel_name="python3", allow_errors=allow_errors).execute()
    return notebook.cells


def output(cell: nbformat.NotebookNode) -> str:
    return "".join(one.get("text", "") for one in cell.outputs if one.output_type == "stream")


def shown(cell: nbformat.NotebookNode) -> dict[str, str]:
    return next(one.data for one in cell.outputs if one.output_type == "execute_result")


def test_the_page(agent, monkeypatch):
    examples = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    first, function, error, several, frame, relation, streamed = executed(examples, agent, monkeypatch)
    assert shown(first)["text/html"].count("<tr>") == 51
    assert "Table ID: http_data" in shown(first)["text/plain"]
    assert (
        "<caption style='text-align:left;font-weight:bold;white-space:nowrap'>slow_requests</caption>"
        in shown(function)["text/html"]
    )
    assert 1 < shown(function)["text/html"].count("<tr>") <= 11
    # `def oops` is the third cell's first line.
    assert "Cell In[3] L3 : C16" in output(error)
    assert "did you mean 'latency'?" in output(error)
    assert "'LET'" in output(several)
    assert "ST_DURATION_NS" in output(several)
    assert "worst" in shown(frame)["text/html"]
    assert re.match(r"\[\(200, \d+\)", shown(relation)["text/plain"])
    assert output(streamed) == "True True\n"


def test_an_error_of_a_helper_in_another_cell_points_into_that_cell(agent, monkeypatch):
    catching = "try:\n    conn.run(f)\nexcept sylph.CompileError as error:\n    at = error.errors[0]\n    print(at.file, at.line)"
    cells = executed(
        [
            "import px, sylph\nconn = sylph.connect()",
            "# A cell with a helper.\n\ndef helper(df):\n    return df[df.nope == 1]",
            f"def f():\n    return helper(px.DataFrame('http_events'))\n{catching}",
        ],
        agent,
        monkeypatch,
    )
    assert output(cells[2]) == "Cell In[2] 4\n"


def test_an_error_that_is_not_caught_shows_the_cell_and_nothing_of_sylph(agent, monkeypatch):
    cells = [
        "import px, sylph\nconn = sylph.connect()",
        "def f():\n    return px.DataFrame('http_evnts')\n\nconn.run(f)",
    ]
    *_, failed = executed(cells, agent, monkeypatch, allow_errors=True)
    (error,) = failed.outputs
    assert "\n".join(error.traceback).split("\n")[:4] == [
        "Cell In[2], line 4",
        "    conn.run(f)",
        "CompileError: error: table 'http_evnts' not found",
        " --> Cell In[2] L2 : C25",
    ]


def test_an_error_of_a_text_points_into_the_cell_that_has_it(agent, monkeypatch):
    text = "\nimport px\ndf = px.DataFrame('http_evnts')\npx.display(df)\n"
    cells = ["import sylph\nconn = sylph.connect()", f'rows = conn.run("""{text}""")']
    *_, failed = executed(cells, agent, monkeypatch, allow_errors=True)
    assert " --> Cell In[2] L3 : C19\n" in "\n".join(failed.outputs[0].traceback)


@pytest.fixture
def kernel(scripted, monkeypatch) -> Iterator[KernelManager]:
    monkeypatch.setenv("PX_SOCKET", str(scripted))
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    yield manager
    manager.shutdown_kernel(now=True)


def reply_to(client: BlockingKernelClient, asked: str) -> dict[str, str]:
    while True:
        reply = client.get_shell_msg(timeout=30)
        if reply["parent_header"]["msg_id"] == asked:
            return reply["content"]


def test_the_stop_button_cancels_the_query_and_the_kernel_goes_on(kernel, handler):
    began, cancelled = threading.Event(), threading.Event()

    def results(_request, cancel):
        yield TableMeta("output", RELATION)
        try:
            while not cancel.wait(0.02):
                yield Rows("output", make_batch(1))
                began.set()
        finally:
            cancelled.set()

    handler.results = results
    client = kernel.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    # After an error a kernel drops what it is asked in the same moment, unless it is told not to.
    asked = client.execute("import sylph\nconn = sylph.connect()\nconn.run('import px')", stop_on_error=False)
    assert began.wait(30)
    kernel.interrupt_kernel()
    assert cancelled.wait(30)
    assert reply_to(client, asked)["ename"] == "KeyboardInterrupt"
    handler.results = [TableMeta("output", RELATION), Rows("output", make_batch(3))]
    again = client.execute("assert len(conn.run('import px').table) == 3")
    assert reply_to(client, again)["status"] == "ok"
    client.stop_channels()
