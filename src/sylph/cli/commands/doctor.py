"""px doctor."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import click

from sylph.cli.doctor.host import Finding, findings
from sylph.cli.failure import Failure, Reported
from sylph.cli.output import make_writer
from sylph.cli.target import target_options
from sylph.client.errors import SylphError
from sylph.client.target import Target
from sylph.client.terminal import paint, uses_colour
from sylph.client.text import escape
from sylph.client.values import Column
from sylph.tables.types import DataType, SemanticType

if TYPE_CHECKING:
    from sylph.cli.doctor.processes import Talker

#: What the agent has of each process. The upid holds the pid, so that no function is needed.
_CONNECTIONS = """import px
df = px.DataFrame(table='conn_stats', start_time='-10m')
df = df.groupby(['upid', 'ssl', 'protocol', 'remote_addr', 'remote_port']).agg(
    bytes_sent=('bytes_sent', px.max), bytes_recv=('bytes_recv', px.max))
df = df.groupby(['upid', 'ssl', 'protocol']).agg(bytes_sent=('bytes_sent', px.sum), bytes_recv=('bytes_recv', px.sum))
px.display(df, 'connections')
"""
_REQUESTS = """import px
df = px.DataFrame(table='http_events', start_time='-10m')
df = df.groupby(['upid']).agg(requests=('latency', px.count))
px.display(df, 'requests')
"""
#: Code of `conn_stats.protocol`.
_HTTP = 1
#: How many processes are shown, those with most TCP sockets first.
_SHOWN = 40


@dataclass(slots=True)
class Seen:
    """What the agent has recorded, by pid."""

    bytes: Counter[int] = field(default_factory=Counter)
    requests: Counter[int] = field(default_factory=Counter)
    encrypted: set[int] = field(default_factory=set)
    #: Whose protocol is one that is parsed.
    parsed: set[int] = field(default_factory=set)


@click.command("doctor", short_help="Find out what can be seen on this host, and why not.")
@click.option("-o", "--output", "format_name", type=click.Choice(("table", "json")), default="table")
@click.option("--all", "show_all", is_flag=True, help=f"Show all processes, not only {_SHOWN}.")
@target_options
@click.pass_context
def command(context: click.Context, format_name: str, show_all: bool) -> None:
    """Find out what can be seen on this host, and why not: kernel, rights, agent, every process that talks.

    Exits with 1 when something is missing without which nothing can be captured.
    """
    found = list(findings())
    agent, seen = _ask_agent(context.ensure_object(Target))
    found.append(agent)
    rows = list(_processes(seen))
    if format_name == "json":
        click.echo(json.dumps({"host": [asdict(finding) for finding in found], "processes": rows}))
    else:
        _print(found, rows if show_all else rows[:_SHOWN], len(rows))
    if any(finding.ok is False for finding in found if finding.what != "agent"):
        raise Reported("")


def _ask_agent(target: Target) -> tuple[Finding, Seen | None]:
    from sylph.client.rpc import Client

    try:
        with Client(target) as client:
            if trouble := client.health():
                return Finding("agent", False, f"runs, but: {trouble}", "see its log"), None
            seen = Seen()
            _count(client, _CONNECTIONS, seen)
            _count(client, _REQUESTS, seen)
    except SylphError as failure:
        return Finding("agent", False, failure.message, failure.hint), None
    return Finding("agent", True, "runs and answers"), seen


def _count(client: object, script: str, seen: Seen) -> None:
    from sylph.client.errors import ScriptErrors
    from sylph.client.rpc import Client, Rows, Table

    assert isinstance(client, Client)
    names: list[str] = []
    try:
        for event in client.execute(script, name="px doctor", timeout=10):
            if isinstance(event, Table):
                names = [column.name for column in event.columns]
            elif isinstance(event, Rows):
                for row in zip(*event.columns, strict=True):
                    values = dict(zip(names, row, strict=True))
                    # A upid is asid (32 bits), pid (32 bits), start time.
                    pid = int(str(values["upid"]).replace("-", "")[8:16], 16)
                    seen.bytes[pid] += int(values.get("bytes_sent", 0)) + int(values.get("bytes_recv", 0))
                    seen.requests[pid] += int(values.get("requests", 0))
                    if values.get("ssl"):
                        seen.encrypted.add(pid)
                    if values.get("protocol") == _HTTP:
                        seen.parsed.add(pid)
    except ScriptErrors as error:
        raise Failure(f"the agent cannot run doctor's script: {error}") from None


def _processes(seen: Seen | None) -> Iterator[dict[str, object]]:
    from sylph.cli.doctor.processes import talkers

    for talker in sorted(talkers(), key=lambda one: (-one.sockets["tcp"], -one.sockets.total(), one.pid)):
        yield {
            "pid": talker.pid,
            "name": talker.name,
            "sockets": ", ".join(f"{count} {kind}" for kind, count in sorted(talker.sockets.items())),
            "tls": talker.tls,
            "bytes": seen.bytes[talker.pid] if seen else 0,
            "requests": seen.requests[talker.pid] if seen else 0,
            "state": _state(talker, seen),
        }


def _state(talker: Talker, seen: Seen | None) -> str:
    pid = talker.pid
    if not talker.sockets["tcp"]:
        kinds = " and ".join(kind for kind in ("udp", "unix") if talker.sockets[kind])
        return f"only {kinds} sockets: counted at most, not parsed"
    if seen is None:
        return "unknown: no agent answers"
    if seen.requests[pid]:
        return "seen, requests are parsed"
    if pid in seen.parsed:
        return "seen, its requests are recorded at the other end, a server on this host"
    if seen.bytes[pid]:
        if pid in seen.encrypted or talker.tls:
            return f"bytes are counted; encrypted by {talker.tls or 'TLS'}, so requests are not read"
        return "bytes are counted; its protocol is not parsed"
    return "nothing in the last 10 minutes"


def _print(found: list[Finding], rows: list[dict[str, object]], total: int) -> None:
    colour = uses_colour(sys.stdout)
    marks = {True: paint("ok  ", "green", on=colour), False: paint("NO  ", "red", on=colour), None: "    "}
    for finding in found:
        click.echo(f"{marks[finding.ok]}{finding.what:<12} {escape(finding.text)}")
        if finding.advice:
            click.echo(f"{'':<17}{paint('help:', 'cyan', on=colour)} {escape(finding.advice)}")
    click.echo()
    writer = make_writer("table", sys.stdout)
    types = {
        "pid": (DataType.INT64, SemanticType.ST_NONE),
        "requests": (DataType.INT64, SemanticType.ST_NONE),
        "bytes": (DataType.INT64, SemanticType.ST_BYTES),
    }
    names = ("pid", "name", "sockets", "tls", "bytes", "requests", "state")
    columns = [Column(name, *types.get(name, (DataType.STRING, SemanticType.ST_NONE))) for name in names]
    writer.table("processes with sockets, last 10 minutes", columns)
    writer.rows("processes with sockets, last 10 minutes", [[row[name] for row in rows] for name in names])  # type: ignore[misc]
    writer.end("processes with sockets, last 10 minutes")
    if len(rows) < total:
        click.echo(f"{total - len(rows)} more: px doctor --all")
