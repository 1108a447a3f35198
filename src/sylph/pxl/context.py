"""`df.ctx[key]`: who a row belongs to, as calls of metadata functions."""

from __future__ import annotations

from sylph.pxl.errors import Kind, listing, suggestion
from sylph.pxl.metadata_keys import ALIASES, SOURCES, source_of
from sylph.pxl.scalars import call
from sylph.pxl.values import Fault, Frame, Scalar

#: What scripts mostly ask for.
_USUAL = ("pod", "service", "namespace", "node", "container", "deployment", "cmdline", "pid", "hostname", "asid")


def metadata(frame: Frame, key: str) -> Scalar:
    """The expression that `frame.ctx[key]` stands for."""
    name = ALIASES.get(key, key)
    sources = SOURCES.get(name)
    if sources is None:
        hint = suggestion(key, (*SOURCES, *ALIASES)) or f"keys are {listing(_USUAL)}, and ids such as 'pod_id'"
        raise Fault(f"metadata property '{key}' not found", Kind.METADATA, hint)
    columns = frame.columns
    source = source_of(key, columns)
    if source is None:
        needs = "column" if len(sources) == 1 else "one of the columns"
        hint = f"take ctx before agg, keep or drop removes them; columns are {listing(columns)}"
        for short, full in ALIASES.items():
            if short in columns and full in sources:
                hint = f"'{short}' is not looked at, '{full}' is: df.{full} = df.{short}"
                break
        raise Fault(f"cannot find '{key}': it needs {needs} {listing(sources)}", Kind.METADATA, hint)
    if name == "pod_name" and source == "upid" and "local_addr" in columns and "time_" in columns:
        function = "_upid_to_podname_local_addr_fallback"
        args = ["upid", "local_addr", "time_"]
    else:
        function = f"{source}_to_{name}"
        args = [source]
    return call(function, [Scalar(columns[arg], columns) for arg in args])
