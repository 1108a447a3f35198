"""What writers of scripts wait for: the language server's answers, checking and formatting the whole library.

Baselines in the same run: the compiler alone in one process (for diagnostics and for checking), ruff alone (for
formatting). Medians of interleaved rounds.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ruff import find_ruff_bin

from sylph.editor.formatting import format_sources
from sylph.editor.project import check_paths
from sylph.library import loader
from sylph.pxl.compile import check_script
from sylph.pxl.parse import parse_kept
from tests.editor.lsp_client import started
from tests.library.test_columns import compiled

SCRIPT = """import px
df = px.DataFrame('http_events', start_time='-5m')
df.service = df.ctx['service']
df.pod = df.ctx['pod']
df = df[df.resp_status >= 400]
df = df.groupby(['service', 'req_path']).agg(slow=('latency', px.count), worst=('latency', px.max))
px.display(df)
"""


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def show(times: dict[str, list[float]]) -> None:
    """Medians and bests."""
    for name, each in times.items():
        print(f"{name:58}  median {statistics.median(each) * 1e3:7.1f} ms   best {min(each) * 1e3:7.1f} ms")


def server(rounds: int) -> None:
    """Times as an editor sees them."""
    began = time.perf_counter()
    names = ("compiler alone", "change to diagnostics, without the pause", "completion of a column", "hover")
    times: dict[str, list[float]] = {name: [] for name in names}
    with started() as editor:
        print(f"{'px lsp: start to its first answer':58}         {(time.perf_counter() - began) * 1e3:7.1f} ms")
        uri = "untitled:bench"
        editor.open(uri, SCRIPT)
        editor.diagnostics(uri)
        for number in range(rounds):
            text = f"{SCRIPT}# {number}\n"
            times["compiler alone"].append(seconds(partial(check_script, text)))

            def changed(text: str = text) -> None:
                editor.change(uri, text + " ")
                editor.diagnostics(uri)

            times["change to diagnostics, without the pause"].append(seconds(changed) - 0.15)
            editor.change(uri, SCRIPT + "df.wo")
            times["completion of a column"].append(seconds(partial(editor.at, "textDocument/completion", uri, 7, 5)))
            times["hover"].append(seconds(partial(editor.at, "textDocument/hover", uri, 5, 5)))
            editor.diagnostics(uri)
    show(times)


def library(rounds: int) -> None:
    """The commands, without the start of Python."""
    sources = {str(path): path.read_text() for path in loader.FOLDER.rglob("*.pxl")}
    names = ("compiler alone, 85 scripts", "px script check, 85 scripts", "ruff alone, 85 files", "px fmt, 85 scripts")
    times: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(sources.values()):
            Path(folder, f"{number}.py").write_text(text)
        ruff = [find_ruff_bin(), "format", "--isolated", "--no-cache", "--quiet", "--check", folder]
        for _ in range(rounds):
            parse_kept.cache_clear()
            times[names[0]].append(seconds(lambda: [compiled(script_id) for script_id in loader.ids()]))
            parse_kept.cache_clear()
            times[names[1]].append(seconds(lambda: check_paths([str(loader.FOLDER)])))
            times[names[2]].append(seconds(lambda: subprocess.run(ruff, check=False, stdout=subprocess.DEVNULL)))
            parse_kept.cache_clear()
            times[names[3]].append(seconds(lambda: format_sources(sources)))
    show(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    server(rounds * 3)
    library(rounds)


if __name__ == "__main__":
    main()
