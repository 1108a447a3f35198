"""px status."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from sylph import __version__
from sylph.cli.failure import Reported, say
from sylph.cli.target import target_options
from sylph.client.errors import SylphError
from sylph.client.target import Target
from sylph.client.text import escape
from sylph.client.values import format_bytes, format_duration, format_time


@click.command("status", short_help="Tell whether the agent runs and answers.")
@click.option("-o", "--output", "format_name", type=click.Choice(("table", "json")), default="table")
@target_options
@click.pass_context
def command(context: click.Context, format_name: str) -> None:
    """Tell whether the agent runs and answers; exits with 1 when it does not."""
    from sylph.client.rpc import Client, not_running

    target = context.ensure_object(Target)
    facts: dict[str, Any] = {}
    if target.address:
        facts["address"] = target.address
    else:
        facts |= _process(target.path)
        if not facts["running"]:
            raise not_running(target.path)
    try:
        with Client(target) as client:
            health = client.health()
            cluster = client.cluster()
    except SylphError as failure:
        facts["health"] = failure.message
    else:
        facts |= {
            "health": health or "ok",
            "host": cluster.cluster_name,
            "host_id": cluster.cluster_uid,
            "kernel": cluster.cluster_version,
            "version": cluster.vizier_version,
        }
    if format_name == "json":
        click.echo(json.dumps(facts))
    else:
        for name, text in _lines(facts):
            click.echo(f"{name:<9} {escape(text)}")
    if facts.get("version", __version__) != __version__:
        say(f"this px is version {__version__}: start the agent anew to have both alike")
    if facts["health"] != "ok":
        raise Reported("")


def _process(socket: Path) -> dict[str, Any]:
    from sylph.cli.process import running
    from sylph.client.rpc import is_listening

    agent = running(socket)
    facts: dict[str, Any] = {"running": agent is not None or is_listening(socket), "socket": str(socket)}
    if agent is not None:
        facts["pid"] = agent.pid
        facts["started"] = format_time(int(agent.started_at) * 1_000_000_000)
        facts["uptime_s"] = round(time.time() - agent.started_at, 1)
        try:
            status = Path(f"/proc/{agent.pid}/status").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return facts
        for line in status.splitlines():
            if line.startswith("VmRSS:"):
                facts["rss_bytes"] = int(line.split()[1]) * 1024
    return facts


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    lines = []
    if "pid" in facts:
        uptime = format_duration(facts["uptime_s"] * 1e9)
        lines.append(("agent", f"runs, pid {facts['pid']}, since {facts['started']} ({uptime})"))
    if "rss_bytes" in facts:
        lines.append(("memory", format_bytes(facts["rss_bytes"])))
    lines.append(("health", facts["health"]))
    if "socket" in facts:
        lines.append(("socket", facts["socket"]))
    if "address" in facts:
        lines.append(("address", facts["address"]))
    if "host" in facts:
        lines.append(("host", f"{facts['host']} ({facts['host_id']}), kernel {facts['kernel']}"))
        lines.append(("version", facts["version"]))
    return lines
