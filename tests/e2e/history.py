"""Much traffic with bodies that do not compress, and what an agent keeps of it: memory, disk, and which rows leave."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sylph.client.errors import SylphError
from sylph.client.rpc import Client, Rows, Table
from sylph.client.target import Target

Query = Callable[[str], list[dict[str, object]]]

#: Directives of an nginx that answers with the documents of `write_documents`.
NGINX = "default_type application/json; open_file_cache max=20000 inactive=600s; open_file_cache_valid 600s;"

_WRK = """
local state, requests, pause = {seed}, {{}}, {pause}
if pause > 0 then function delay() return pause end end
for n = 0, {documents} - 1 do
  requests[n] = 'GET /' .. n .. ' HTTP/1.1\\r\\nHost: shop.example\\r\\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\\r\\n' ..
    'Accept: application/json\\r\\nAccept-Language: en-US,en;q=0.9\\r\\n\\r\\n'
end
function request()
  state = (state * 1103515245 + 12345) % 2147483648
  return requests[math.floor(state / 64) % {documents}]
end
function done(summary)
  io.write(string.format('\\n%d %d\\n', summary.requests, summary.errors.read + summary.errors.write))
end
"""

_BY_SECOND = """
import px
df = px.DataFrame(table='http_events', start_time='{since}')
df = df[df.local_port == {port}]
df.second = px.bin(df.time_, px.seconds(1))
df = df.groupby('second').agg(n=('latency', px.count))
px.display(df)
"""

_BUDGETED = """
import px
df = px.DataFrame(table='agent_stats', start_time='-1h')
df = df[df.metric == '{metric}']
df = df.groupby('time_').agg(bytes=('value', px.sum))
px.display(df.agg(bytes=('bytes', px.max)))
"""


@contextmanager
def asking(socket: Path) -> Iterator[Query]:
    """What answers a script over one connection; SylphError when a query fails. Starting `px` each time would take longer
    than most queries, and more so on a machine that is busy."""
    with Client(Target(socket=socket)) as client:

        def query(script: str) -> list[dict[str, object]]:
            rows: list[dict[str, object]] = []
            names: dict[str, list[str]] = {}
            for event in client.execute(script, timeout=60):
                if isinstance(event, Table):
                    names[event.name] = [column.name for column in event.columns]
                elif isinstance(event, Rows):
                    rows += (
                        {"_tableName_": event.table, **dict(zip(names[event.table], row, strict=True))}
                        for row in zip(*event.columns, strict=True)
                    )
            return rows

        yield query


def write_documents(folder: Path, count: int, size: int = 480) -> None:
    """Files `0`, `1`, ... of `size` bytes: JSON with random text, so that neither a dictionary nor zstd shrinks it much."""
    chance = random.Random(count)
    for number in range(count):
        head = json.dumps({"id": number, "name": f"Product {number}", "text": ""})[:-2]
        text = base64.b64encode(chance.randbytes(size)).decode()
        (folder / str(number)).write_text(f'{head}{text[: size - len(head) - 2]}"}}')


def load(folder: Path, port: int, *, documents: int, seconds: int, pause_ms: int = 0) -> int:
    """Asks for the documents in a random order, on 50 connections that pause between requests; the number of answers."""
    script = folder / f"documents-{port}.lua"
    script.write_text(_WRK.format(seed=seconds, documents=documents, pause=pause_ms))
    done = subprocess.run(
        ["wrk", "-t1", "-c50", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True, timeout=seconds + 60,
    )  # fmt: skip
    return int(done.stdout.split()[-2])


def by_second(query: Query, port: int, since: str) -> dict[str, int]:
    """Rows of each second since then, oldest first."""
    found = query(_BY_SECOND.format(port=port, since=since))
    return dict(sorted((str(row["second"]), int(str(row["n"]))) for row in found))


def most_budgeted(query: Query, metric: str) -> int:
    """The most bytes that all tables together held at one time, as the agent says: `table.hot_bytes` or `table.cold_bytes`."""
    (row,) = query(_BUDGETED.format(metric=metric))
    return int(str(row["bytes"]))


def bytes_below(folder: Path) -> int:
    """Bytes of disk that the files of a folder take."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_blocks * 512 if file.is_file() else 0
        except FileNotFoundError:  # expired between the two
            continue
    return total


def resident(pid: int) -> int:
    """Bytes of memory that only this process holds (not the files that it maps)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


class Watch:
    """Looks at an agent while it is open: memory and disk five times a second, and the newest whole seconds of rows now
    and then. Use as a context manager."""

    def __init__(self, pid: int, data: Path, query: Query, port: int, *, every: float = 3.0) -> None:
        self._pid = pid
        self._data = data
        self._query = query
        self._port = port
        self._every = every
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._sample), threading.Thread(target=self._ask)]
        self._failed: list[str] = []
        #: Memory before the load, and the most of it; the most of the disk.
        self.memory_before = resident(pid)
        self.memory = 0
        self.disk = 0
        #: Rows of each second when it was new.
        self.fresh: dict[str, int] = {}
        #: How long each query took, s.
        self.queries: list[float] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert error is not None or not self._failed, self._failed

    def _sample(self) -> None:
        while not self._stop.wait(0.2):
            self.memory = max(self.memory, resident(self._pid))
            self.disk = max(self.disk, bytes_below(self._data))

    def _ask(self) -> None:
        while not self._stop.wait(self._every):
            began = time.monotonic()
            try:
                found = by_second(self._query, self._port, f"-{int(self._every) * 2 + 6}s")
            except SylphError as failure:
                self._failed.append(failure.message)
                continue
            self.queries.append(time.monotonic() - began)
            # The first may be cut by the range, the last ones are not complete yet.
            for second in list(found)[1:-2]:
                self.fresh.setdefault(second, found[second])


def holes(fresh: dict[str, int], kept: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Seconds after the oldest kept one whose number of rows is another than when they were new: (then, now)."""
    oldest = min(kept)
    return {
        second: (then, kept.get(second, 0))
        for second, then in fresh.items()
        if second > oldest and kept.get(second, 0) != then
    }
