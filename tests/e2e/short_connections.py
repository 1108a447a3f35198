"""Connections that live for one request, and what an agent has of them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "progs/short_connections.c"

#: Server side only: rows, losses of the processes that answer on the port, and their connections. Counters of
#: `conn_stats` are cumulative for each process and peer, so the greatest is the latest.
ACCOUNTS = """
import px
rows = px.DataFrame(table='http_events', start_time='-10m')
rows = rows[rows.local_port == {port}]
servers = rows.groupby('upid').agg(n=('latency', px.count))
px.display(servers.agg(n=('n', px.sum)), 'rows')
loss = px.DataFrame(table='capture_loss', start_time='-10m')
# Ends of connections that found the ring full belong to no process.
ends = loss[loss.table_name == 'lifecycle']
px.display(ends.agg(n=('events', px.sum)), 'ends')
loss = loss[loss.table_name == 'http_events']
loss = loss.merge(servers, how='inner', left_on='upid', right_on='upid')
px.display(loss.groupby('cause').agg(n=('events', px.sum)), 'lost')
conns = px.DataFrame(table='conn_stats', start_time='-10m')
conns = conns[conns.trace_role == 2]
conns = conns.groupby(['upid', 'remote_addr']).agg(opened=('conn_open', px.max), closed=('conn_close', px.max),
                                                   sent=('bytes_sent', px.max), received=('bytes_recv', px.max))
conns = conns.merge(servers, how='inner', left_on='upid', right_on='upid')
px.display(conns.agg(opened=('opened', px.sum), closed=('closed', px.sum), sent=('sent', px.sum),
                     received=('received', px.sum)), 'connections')
"""


@dataclass(frozen=True, slots=True)
class Made:
    """What the client did."""

    connections: int
    sent: int
    received: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.connections / self.seconds


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the agent knows."""

    rows: int
    lost: dict[str, int]
    #: Ends of connections that found the ring full, of any process.
    lost_ends: int
    opened: int
    closed: int
    sent: int
    received: int


def compile_client(folder: Path) -> Path:
    """The client, compiled into `folder`."""
    binary = folder / "short_connections"
    done = subprocess.run(
        ["cc", "-O2", "-Wall", "-Wextra", "-pthread", "-o", str(binary), str(SOURCE)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return binary


def connect(client: Path, port: int, *, threads: int, seconds: int, rate: int = 0) -> Made:
    """Opens connections for some seconds, `rate` a second or as fast as they go. All have ended when it returns."""
    command = [str(client), str(port), str(threads), str(seconds)]
    done = subprocess.run(
        [*command, str(rate)] if rate else command, capture_output=True, text=True, check=False, timeout=seconds + 60
    )
    assert done.returncode == 0, done.stderr
    connections, sent, received, taken = map(int, done.stdout.split())
    return Made(connections, sent, received, taken / 1e9)


def accounts(query: Callable[[str], list[dict[str, object]]], port: int, made: Made, seconds: float = 30) -> Accounts:
    """What the agent knows, as soon as all connections are told; `conn_stats` is written every ten seconds."""
    end = time.monotonic() + seconds
    while True:
        found = query(ACCOUNTS.format(port=port))
        rows = sum(int(str(row["n"] or 0)) for row in found if row["_tableName_"] == "rows")
        ends = sum(int(str(row["n"] or 0)) for row in found if row["_tableName_"] == "ends")
        lost = {str(row["cause"]): int(str(row["n"])) for row in found if row["_tableName_"] == "lost"}
        totals = [row for row in found if row["_tableName_"] == "connections"]
        opened, closed, sent, received = (
            sum(int(str(row[name] or 0)) for row in totals) for name in ("opened", "closed", "sent", "received")
        )
        known = Accounts(rows, lost, ends, opened, closed, sent, received)
        if (
            rows + sum(lost.values()) >= made.connections and closed + ends >= made.connections
        ) or time.monotonic() > end:
            return known
        time.sleep(0.5)
