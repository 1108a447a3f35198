"""A new script's folder, ready to run."""

from __future__ import annotations

import json
import keyword
import re
import shutil
import tempfile
from pathlib import Path

from sylph.library.loader import ScriptError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

_SCRIPT = '''\
"""{title}: what this script tells, in one line."""

import px

# Length of a bin of the chart.
WINDOW = px.seconds(10)


def memory_by_process(start_time: str, command: str):
    """One row for each process whose command line contains `command`."""
    df = processes(start_time, command)
    return df.groupby(['pid', 'command']).agg(
        memory=('rss_bytes', px.mean),
        most_memory=('rss_bytes', px.max),
        threads=('num_threads', px.max),
    )


def memory_over_time(start_time: str, command: str):
    """One row for each bin of time and command."""
    df = processes(start_time, command)
    df.time_ = px.bin(df.time_, WINDOW)
    return df.groupby(['time_', 'command']).agg(memory=('rss_bytes', px.mean))


def processes(start_time: str, command: str):
    """What every process used, as it was sampled."""
    df = px.DataFrame(table='process_stats', start_time=start_time)
    df.pid = df.ctx['pid']
    df.command = df.ctx['cmdline']
    return df[px.contains(df.command, command)]
'''

_MANIFEST = """\
short: {title}
long: >
  Memory of each process, now and over time. Change these lines: the first is for lists, this text for help.
"""


def _vis() -> str:
    arguments = [{"name": "start_time", "variable": "start_time"}, {"name": "command", "variable": "command"}]
    variables = [
        ("start_time", "-5m", "How far back to look: -5m, -1h, or a time"),
        ("command", "", "Only processes whose command line contains this"),
    ]
    chart = {
        "@type": "types.px.dev/px.vispb.TimeseriesChart",
        "timeseries": [{"value": "memory", "series": "command", "mode": "MODE_LINE"}],
        "title": "",
        "yAxis": {"label": "Memory"},
        "xAxis": None,
    }
    widgets = [
        ("Memory over time", "memory_over_time", chart),
        ("Memory by process", "memory_by_process", {"@type": "types.px.dev/px.vispb.Table"}),
    ]
    data = {
        "variables": [
            {"name": name, "type": "PX_STRING", "defaultValue": default, "description": description}
            for name, default, description in variables
        ],
        "widgets": [
            {
                "name": name,
                "position": {"x": 0, "y": 3 * row, "w": 12, "h": 3},
                "func": {"name": function, "args": arguments},
                "displaySpec": display,
            }
            for row, (name, function, display) in enumerate(widgets)
        ],
        "globalFuncs": [],
    }
    return json.dumps(data, indent=2) + "\n"


def new_script(name: str, parent: Path) -> Path:
    """Makes the folder of a script called `name`, all of it or nothing. Raises ScriptError."""
    if not _NAME.fullmatch(name):
        hint = "use small letters, digits and _, such as slow_requests; --dir says where the folder goes"
        raise ScriptError(f"{name!r} cannot be the name of a script", hint)
    if keyword.iskeyword(name):
        raise ScriptError(f"{name!r} cannot be the name of a script: it is a word of the language")
    folder = parent / name
    if folder.exists() or folder.is_symlink():
        raise ScriptError(f"{folder} is there already; nothing was written")
    title = name.replace("_", " ").capitalize()
    files = {f"{name}.pxl": _SCRIPT, "vis.json": _vis(), "manifest.yaml": _MANIFEST}
    temporary = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".px-new-", dir=parent))
        for file, text in files.items():
            (temporary / file).write_text(text.replace("{title}", title), encoding="utf-8")
        temporary.chmod(0o755)
        temporary.rename(folder)
    except OSError as error:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise ScriptError(f"{folder}: cannot be made: {error.strerror}") from error
    return folder
